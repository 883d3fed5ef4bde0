#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Page tables and page faults of a device in the hands of a process (inside/iommufd.sh), on the
kernels that scripts/kernel has built."""
import harness

ALLOWED = ("--allow-splat", "dmar")


def main():
    harness.need_guest()
    trees = harness.need_built_kernels()
    tap = harness.Tap()
    for tree in trees:
        run = harness.boot("ats.ini", "--ktree", str(tree), *ALLOWED,
                           append="loglevel=5 pcilab.run=test:iommufd")
        tap.relay(run, "iommufd")
        tap.check(run.status == 0, f"{tree.name}: exit status 0", run)
    tap.done()


main()
