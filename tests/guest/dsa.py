#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The Data Streaming Accelerator and the stock idxd (inside/dsa.sh)."""
import harness


def main():
    harness.need_guest()
    tap = harness.Tap()
    run = harness.boot("dsa.ini", append="quiet pcilab.run=test:dsa")
    tap.relay(run, "dsa")
    tap.check(run.status == 0, "exit status 0", run)
    tap.done()


main()
