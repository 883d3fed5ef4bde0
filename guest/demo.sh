#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What scripts/demo shows of a running guest. Works on any machine with an NVMe disk, whose first
# 8 MiB it overwrites; more is shown where there are an IOMMU and Virtual Functions.
. /pcilab/lib.sh
. /pcilab/demo_vf.sh

title() {
    echo
    echo "--- $*"
}

title 'The kernel'
uname -srv

title 'lspci -tv'
lspci -tv

title 'Link speed and width, now and at most'
show_links

title 'The NVMe disk, identified by the stock driver'
disk=$(wait_for_nvme) || {
    echo 'PCILAB: no NVMe disk appeared'
    exit 1
}
# Node, serial number, model and usage; the line is too wide for most terminals otherwise.
nvme list | cut -c1-22,45-65,66-106,117-143
echo
nvme id-ctrl "/dev/$(nvme_controller "$disk")" | grep -E '^(vid|sn|mn|fr|mdts|cntlid|ver|oacs|nn) '

title 'Write 8 MiB of random data, read it back past the page cache'
disk_verify "/dev/$disk" 8 || exit 1

title 'Interrupts that arrived as MSI-X'
show_msix nvme

if [ "$(cat "/sys/class/nvme/$(nvme_controller "$disk")/device/sriov_totalvfs" 2>/dev/null)" ]; then
    title 'A Virtual Function of the NVMe controller: write 4 MiB, read them back'
    nvme_vf "$disk" || exit 1
fi

eth=$(basename "$(ls -d /sys/bus/pci/drivers/igb/*/net/* 2>/dev/null | head -n 1)")
if [ -n "$eth" ]; then
    title 'A Virtual Function of the 82576: 4 MiB to the Physical Function by the internal switch'
    igb_vf "$eth" || exit 1
fi

if [ -d /sys/kernel/iommu_groups/0 ]; then
    title 'IOMMU groups'
    show_groups
fi

echo
echo 'PCILAB: demo complete'
