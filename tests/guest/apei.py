#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors told by the firmware (inside/apei.sh): two boots, as the last error is fatal."""
import re
import sys
import tempfile
import harness

ALLOWED = ("--allow-splat=aer", "--allow-splat=mce", "--allow-splat=panic")
PANIC = "Kernel panic - not syncing: .*Fatal hardware error"


def main():
    harness.need_guest()
    tap = harness.Tap()
    run = harness.boot("firmware-first.ini", *ALLOWED, append="quiet panic=1 pcilab.run=test:apei")
    tap.relay(run, "apei")
    tap.check(re.search(PANIC, run.console),
              "the fatal error of memory ended the first boot", run)
    # With firmware-panics=yes an error of PCI Express is as fatal.
    if "--panics" in sys.argv:
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as topology:
            topology.write((harness.ROOT / "configs/firmware-first.ini").read_text().replace(
                "[machine]", "[machine]\nfirmware-panics=yes"))
            topology.flush()
            run = harness.boot(topology.name, *ALLOWED, append="quiet panic=1 pcilab.fatal=pcie "
                               "pcilab.run=test:apei")
        tap.check("ok 1 - the boot error record has the error of PCI Express" in run.console,
                  "firmware-panics: the next boot finds it", run)
        tap.check(re.search(PANIC, run.console), "and the first ended by it", run)
    tap.done()


main()
