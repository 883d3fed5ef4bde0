#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors by traffic under the stock AER driver (inside/aer.sh)."""
import harness


def main():
    harness.need_guest()
    tap = harness.Tap()
    config = str(harness.ROOT / "tests/guest/aer.ini")
    run = harness.boot(config, "--allow-splat=aer", append="quiet pcilab.run=test:aer")
    tap.relay(run, "aer")
    tap.check(run.status == 0, "powered off: exit status 0", run)
    tap.done()


main()
