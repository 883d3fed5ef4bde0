#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel with KASAN and lockdep, where scripts/kernel has built one called `debug`: NVMe behind
an IOMMU, exercisers in the hands of a process, Address Translation Services right and wrong. Its
complaints are splats, which end a boot with status 1."""
import sys

import harness
from ats import TOPOLOGY

# Both cost time.
harness.TIMEOUT_S = 1500
RUNS = [("iommu.ini", "nvme", ()), (TOPOLOGY, "ats", ("--allow-splat", "dmar"))]
WANTED = "kasan lockdep"


def main():
    harness.need_guest()
    tree = harness.cache_dir("PCILAB_KERNEL_DIR", "kernels") / "debug"
    if not (tree / "arch/x86/boot/bzImage").is_file():
        print(f'1..0 # SKIP no such kernel: scripts/kernel --with "{WANTED}" --name debug')
        sys.exit(0)
    config = (tree / ".config").read_text(encoding="ascii")
    tap = harness.Tap()
    for option in ("KASAN", "PROVE_LOCKING", "DEBUG_ATOMIC_SLEEP"):
        tap.check(f"CONFIG_{option}=y\n" in config, f"it has {option}")
    for topology, test, options in RUNS:
        run = harness.boot(topology, "--ktree", str(tree.resolve()), *options,
                           append=f"quiet pcilab.run=test:{test}")
        tap.relay(run, test)
        tap.check(run.status == 0, f"{test}: exit status 0, no complaint", run)
    tap.done()


main()
