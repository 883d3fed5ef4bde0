#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Virtual Function given from one process to another (inside/assign.sh, guest/vfio)."""
import os
import tempfile
import harness


def main():
    harness.need_guest()
    tap = harness.Tap()
    text = (harness.ROOT / "configs/sriov.ini").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "assign.ini")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text + "\n[iommu iommu0]\n")
        run = harness.boot(path, "--allow-splat", "dmar", append="quiet pcilab.run=test:assign")
    tap.relay(run, "assign")
    tap.check(run.status == 0, "powered off: exit status 0", run)
    tap.done()


main()
