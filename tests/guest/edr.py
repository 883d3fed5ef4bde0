#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Error Disconnect Recover (inside/edr.sh) on the kernels that scripts/kernel has built: those of
Debian cannot; and what the firmware is told of how it went."""
import tempfile
import harness


def main():
    harness.need_guest()
    trees = harness.need_built_kernels()
    tap = harness.Tap()
    for tree in trees:
        with tempfile.NamedTemporaryFile("r") as trace:
            run = harness.boot("firmware-first.ini", "--ktree", str(tree), "--allow-splat=dpc",
                               "--allow-splat=aer", "--trace=state", "--trace-file=" + trace.name,
                               append="quiet pcilab.run=test:edr")
            told = [line for line in trace.read().splitlines() if "firmware" in line]
        tap.relay(run, "edr")
        tap.check(run.status == 0, f"{tree.name}: exit status 0", run)
        tap.check([line.split("is told by ")[1] for line in told if "is told by" in line] ==
                  ["rp0 of 0008: recovered", "rp2 of 0408: not recovered",
                   "rp0 of 0008: recovered"], f"{tree.name}: _OST", "\n".join(told))
    tap.done()


main()
