#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A process drives an exerciser through vfio-pci behind an IOMMU (inside/vfio.sh, guest/vfio)."""
import harness

# Option; reasons of faults in a second stage (VT-d 4.1, 7.1.3; drivers/iommu/intel/dmar.c has the
# words): a read and a write where nothing is mapped, a write to what is mapped read-only.
RUNS = [("", "0x79:0x79:0x85"), ("intel_iommu=sm_off", "0x06:0x05:0x05")]


def main():
    harness.need_guest()
    tap = harness.Tap()
    calls = [(("iommu.ini", "--allow-splat", "dmar"),
              {"append": f"quiet {option} vfio.reasons={reasons} pcilab.run=test:vfio"})
             for option, reasons in RUNS]
    for run, (option, _) in zip(harness.boot_both(*calls), RUNS):
        tap.relay(run, "vfio")
        tap.check(run.status == 0, f"{option or 'default options'}: exit status 0", run)
    tap.done()


main()
