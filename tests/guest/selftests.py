#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own tests of iommufd and vfio, on the kernels that scripts/kernel --selftests has
built, with the accelerator's driver of vfio's tests (docs/kernel-selftests.md)."""
import os
import re
import sys

import harness

TOPOLOGY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "selftests.ini")
# 7.3: iommufd_test_dmabuf_get() returns 0 instead of a file descriptor.
EXPECTED = re.compile(r"iommufd_ioas\.\w+\.dmabuf_(simple|revoke)")
# Several minutes where others work as well.
harness.TIMEOUT_S = 1700
DRIVER = ("init_remove", "memcpy_success", "send_msi")
IOMMU = "cd $0/iommu && { ./iommufd; ./iommufd_fail_nth; }"
VFIO = ("cd $0/vfio && ./scripts/setup.sh 0000:01:00.0 >&2 && for t in vfio_pci_device_test "
        "vfio_iommufd_setup_test vfio_dma_mapping_test; do ./scripts/run.sh ./$t; done; "
        "./scripts/run.sh ./vfio_pci_driver_test" +
        "".join(f" -r vfio_pci_driver_test.vfio_type1_iommu.{name}" for name in DRIVER))


def tests_of(tree):
    return tree / "tools/testing/selftests"


def judge(tap, run, what, least):
    """What the programs printed as TAP becomes one point of ours for each program."""
    passed = re.findall(r"^ok \d+ (\S+)$", run.console, re.M)
    failed = [name for name in re.findall(r"^not ok \d+ (\S+)", run.console, re.M)
              if not EXPECTED.fullmatch(name)]
    skipped = re.findall(r"^ok \d+ (\S+) +# SKIP", run.console, re.M)
    tap.check(not failed and len(passed) >= least,
              f"{what}: {len(passed)} pass, {len(skipped)} skip", failed, run)


def main():
    harness.need_guest()
    trees = [tree.resolve() for tree in harness.built_kernels()
             if os.access(tests_of(tree) / "iommu/iommufd", os.X_OK)]
    if not trees:
        print("1..0 # SKIP no kernel with its tests: scripts/kernel --selftests --suite "
              "trixie-backports --name tests-trixie-backports")
        sys.exit(0)
    tap = harness.Tap()
    for tree in trees:
        options = ("--ktree", str(tree), "--allow-splat", "dmar", "--append",
                   "hugepages=64 vfio_pci.disable_denylist=1", "--")
        run = harness.boot("ats.ini", *options, "sh", "-c", IOMMU, str(tests_of(tree)))
        judge(tap, run, f"{tree.name}: iommufd", 200)
        if os.access(tests_of(tree) / "vfio/vfio_pci_driver_test", os.X_OK):
            run = harness.boot(TOPOLOGY, *options, "bash", "-c", VFIO, str(tests_of(tree)))
            judge(tap, run, f"{tree.name}: vfio", 35)
    tap.done()


main()
