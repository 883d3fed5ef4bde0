#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock kernel behind an IOMMU with the options that people use (inside/iommu.sh)."""
import harness

# Option, type of the domains, interrupts remapped, reasons of a read's and a write's fault.
RUNS = [
    ("", "DMA-FQ:yes:0x71:0x71"),
    ("intel_iommu=sm_off", "DMA-FQ:yes:0x06:0x05"),
    ("iommu=pt", "identity:yes:-:-"),
    ("iommu.strict=1", "DMA:yes:0x71:0x71"),
    ("intremap=off", "DMA-FQ:no:0x71:0x71"),
    ("", "DMA-FQ:yes:0x71:0x71"),
]


def main():
    harness.need_guest()
    tap = harness.Tap()
    calls = []
    for i, (option, expect) in enumerate(RUNS):
        config = "iommu-slow.ini" if i == len(RUNS) - 1 else "iommu.ini"
        calls.append(((config, "--allow-splat", "dmar"),
                      {"append": f"quiet {option} iommu.expect={expect} pcilab.run=test:iommu"}))
    for i in range(0, len(calls), 2):
        for run, (option, _) in zip(harness.boot_both(calls[i], calls[i + 1]), RUNS[i:i + 2]):
            tap.relay(run, "iommu")
            tap.check(run.status == 0, f"{option or 'default options'}: exit status 0", run)
    tap.done()


main()
