#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock kernel behind IOMMUs that lack features, serve two segments, or share one
(inside/iommu.sh).

Usage: iommu_features.py [NAME...]
"""
import pathlib
import sys
import tempfile
import harness

PLAIN = ("[root-port rp0]\n[root-port rp1]\n[nvme nvme0]\nat=rp0\n"
         "[exerciser ex0]\nat=rp1\n")
TWO = ("[host-bridge hb0]\n[host-bridge hb1]\nsegment=1\n[iommu iommu0]\nbridge=hb0\n"
       "[iommu iommu1]\nbridge=hb1\n[root-port rp0]\nbridge=hb1\n[root-port rp1]\nbridge=hb0\n"
       "[nvme nvme0]\nat=rp0\n[exerciser ex0]\nat=rp1\n")

# Three units on one segment: by root port and integrated endpoint, by switch port, and the rest.
THREE = ("[iommu rest]\nats-ports=all\n[iommu one]\nscope=rp1 vd0\n"
         "[iommu two]\nscope=sw0.1 ioapic\nats-integrated=vd0\n[root-port rp0]\n[root-port rp1]\n"
         "[switch sw0]\nat=rp0\ndownstream=2\n[nvme nvme0]\nat=sw0.0\n"
         "[exerciser ex0]\nat=sw0.1\nfunctions=2\nreserved-memory=64K\n"
         "[exerciser ex1]\nat=rp1\nreserved-memory=1M\n[virtio-blk vd0]\n")
# Functions that each of them has to have; the kernel numbers them as DMAR lists them.
THREE_SCOPES = ",".join(f"dmar{unit}/devices/0000:{bdf}" for unit, bdf in (
    (0, "00:02.0"), (0, "05:00.0"), (0, "00:1f.0"), (1, "02:01.0"), (1, "04:00.0"),
    (1, "04:00.1"), (2, "00:01.0"), (2, "02:00.0"), (2, "03:00.0")))


def unit(*keys):
    return "\n".join(["[iommu iommu0]", *keys]) + "\n" + PLAIN


FIRST, SECOND, LEGACY = "0x71:0x71", "0x79:0x79", "0x06:0x05"
# Topology, and what inside/iommu.sh expects.
TOPOLOGIES = {
    "wide": (unit("width=57"), f"DMA-FQ:yes:{FIRST}"),
    "wide legacy": (unit("width=57", "scalable=no"), f"DMA-FQ:yes:{LEGACY}"),
    "narrow legacy": (unit("width=39", "scalable=no"), f"DMA-FQ:yes:{LEGACY}"),
    "legacy xapic": (unit("scalable=no", "x2apic=no"), f"DMA-FQ:yes:{LEGACY}"),
    "no first stage": (unit("first-stage=no"), f"DMA-FQ:yes:{SECOND}"),
    "no second stage": (unit("second-stage=no", "nested=no"), f"DMA-FQ:yes:{FIRST}"),
    "caching mode": (unit("caching-mode=yes"), f"DMA-FQ:yes:{FIRST}"),
    "small pages": (unit("large-pages=no"), f"DMA-FQ:yes:{FIRST}"),
    "no interrupt remapping": (unit("interrupt-remapping=no"), f"DMA-FQ:no:{FIRST}"),
    "incoherent": (unit("coherent=no"), f"DMA-FQ:yes:{FIRST}"),
    "incoherent legacy": (unit("coherent=no", "scalable=no"), f"DMA-FQ:yes:{LEGACY}"),
    "two segments": (TWO, f"DMA-FQ:yes:{FIRST}"),
    "three units": (THREE, f"DMA-FQ:yes:{FIRST} iommu.units={THREE_SCOPES} iommu.reserved=1M"),
}


def main():
    harness.need_guest()
    tap = harness.Tap()
    names = sys.argv[1:] or list(TOPOLOGIES)
    with tempfile.TemporaryDirectory() as folder:
        calls = []
        for name in names:
            path = pathlib.Path(folder) / (name.replace(" ", "-") + ".ini")
            topology, expect = TOPOLOGIES[name]
            path.write_text(topology, encoding="utf-8")
            append = f"quiet iommu.expect={expect} pcilab.run=test:iommu"
            calls.append(((str(path), "--allow-splat", "dmar"), {"append": append}))
        for i in range(0, len(calls), 2):
            pair = calls[i:i + 2]
            runs = harness.boot_both(*pair) if len(pair) == 2 else [
                harness.boot(*pair[0][0], **pair[0][1])]
            for name, run in zip(names[i:i + 2], runs):
                tap.relay(run, "iommu")
                tap.check(run.status == 0, f"{name}: exit status 0", run)
    tap.done()


main()
