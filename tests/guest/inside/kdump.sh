#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Run by the kernel that a crash started: every device works, and the dead kernel's memory goes to
# the NVMe disk.
. /pcilab/lib.sh
disk=$(wait_for_nvme)
check 'the NVMe disk appears' test -n "$disk"
check 'so does the virtio disk' test -b /dev/vda
wanted=$(sed 's/.*pcilab.functions=\([0-9]*\).*/\1/' /proc/cmdline)
check 'every function is there' [ "$(ls /sys/bus/pci/devices | wc -l)" = "$wanted" ]
check 'the virtio disk can be written' dd if=/dev/zero of=/dev/vda bs=64k count=16 oflag=direct
check 'random numbers come from virtio' dd if=/dev/hwrng of=/dev/null bs=16 count=1
check '/proc/vmcore is an ELF core file' sh -c \
    '[ "$(dd if=/proc/vmcore bs=4 count=1 2>/dev/null)" = "$(printf "\177ELF")" ]'
check '/proc/vmcore can be read to its end' dd if=/proc/vmcore of="/dev/$disk" bs=1M conv=fsync
check 'interrupts arrived' [ "$(msix_total nvme)" -gt 10 ]
echo "vmcore bytes $(stat -c %s /proc/vmcore)"
tap_done
