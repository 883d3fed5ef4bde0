#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot one topology; the guest judges what it finds (inside/platform.sh, inside/nvme.sh).

Usage: boot.py TOPOLOGY TEST...
"""
import sys
import harness


def main():
    harness.need_guest()
    tap = harness.Tap()
    config, tests = sys.argv[1], sys.argv[2:]
    for test in tests:
        run = harness.boot(config, append=f"quiet pcilab.run=test:{test}")
        tap.relay(run, test)
        tap.check(run.status == 0, "powered off: exit status 0", run)
    tap.done()


main()
