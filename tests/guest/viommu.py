#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock kernel and its virtio-iommu driver (inside/viommu.sh) with the options that people use,
and with devices that lack a feature."""
import pathlib
import tempfile
import harness

# Option, keys of the unit, what inside/viommu.sh expects.
RUNS = [
    ("", "", "DMA-FQ:pass"),
    ("iommu=pt", "bypass=no\niotlb=strict\npacked=yes", "identity:fault"),
    ("iommu.strict=1", "bypass=no\nlarge-pages=no\nwidth=39\niotlb=strict", "DMA:fault"),
    # Identity domains are then made of mappings.
    ("iommu=pt", "bypass-config=no", "identity:fault"),
]


def main():
    harness.need_guest()
    tap = harness.Tap()
    text = (harness.ROOT / "configs/virtio-iommu.ini").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        calls = []
        for i, (option, keys, expect) in enumerate(RUNS):
            path = pathlib.Path(folder) / f"{i}.ini"
            path.write_text(text.replace("face=virtio\n", f"face=virtio\n{keys}\n"),
                            encoding="utf-8")
            append = f"quiet {option} viommu.expect={expect} pcilab.run=test:viommu"
            calls.append(((str(path), "--allow-splat", "virtio-iommu", "--trace=rule"),
                          {"append": append}))
        for i in range(0, len(calls), 2):
            for run, (option, keys, _) in zip(harness.boot_both(calls[i], calls[i + 1]),
                                              RUNS[i:i + 2]):
                name = " ".join([option, *keys.split()]) or "default options"
                tap.relay(run, "viommu")
                tap.check(run.status == 0, f"{name}: exit status 0", run)
                tap.check("stale" not in run.err, f"{name}: nothing is stale", run.err)
    tap.done()


main()
