#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel starts its successor with kexec: no reset, and the devices work for the next one, also
behind an IOMMU that the dead kernel's tables still drive."""
import tempfile
import harness
import kexec_image

NEXT = "console=ttyS0 panic=-1 quiet pcilab.run=test:nvme-short"


def judge(tap, topology):
    with tempfile.TemporaryDirectory() as folder:
        run = harness.boot(topology, "--kernel", str(harness.guest_dir() / "vmlinuz"),
                           "--initrd", kexec_image.initramfs(folder), "--stats", "--memory", "1G",
                           append="quiet", stdin=f"/kexec/run '{NEXT}'\n".encode())
    tap.check(run.console.count("PCILAB: init") == 2,
              f"{topology}: the next kernel starts its init", run)
    tap.check("resets=0" in run.err, "without a reset of the machine", run)
    tap.relay(run, "nvme-short")
    tap.check(run.status == 0, "and powers off", run)


def main():
    harness.need_guest()
    tap = harness.Tap()
    for topology in ("default.ini", "iommu.ini"):
        judge(tap, topology)
    tap.done()


main()
