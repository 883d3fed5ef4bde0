#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What scripts/demo shows of a running guest. Works on any machine with an NVMe disk, whose first
# 8 MiB it overwrites.
. /pcilab/lib.sh

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

echo
echo 'PCILAB: demo complete'
