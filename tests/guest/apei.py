#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors told by the firmware (inside/apei.sh): two boots, as the last error is fatal."""
import re
import harness


def main():
    harness.need_guest()
    tap = harness.Tap()
    run = harness.boot("firmware-first.ini", "--allow-splat=aer", "--allow-splat=mce",
                       "--allow-splat=panic", append="quiet panic=1 pcilab.run=test:apei")
    tap.relay(run, "apei")
    tap.check(re.search("Kernel panic - not syncing: .*Fatal hardware error", run.console),
              "the fatal error of memory ended the first boot", run)
    tap.done()


main()
