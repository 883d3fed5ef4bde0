#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Panics on the first boot, and finds on the second one what the first one left on its disk.
. /pcilab/lib.sh
disk=$(wait_for_nvme)
first=$(dd if=/dev/vda bs=1 count=1 2>/dev/null)
if [ "$first" != P ]; then
    printf P | dd of=/dev/vda conv=fsync 2>/dev/null
    # The disk is busy, and processor 1 dies.
    dd if="/dev/$disk" of=/dev/null bs=1M iflag=direct &
    taskset 2 sh -c 'echo c >/proc/sysrq-trigger'
fi
check 'the second boot finds the NVMe disk' test -n "$disk"
check 'which works' disk_verify "/dev/$disk" 1
check_none 'what firmware has assigned stays' \
    "$(dmesg | grep -E 'pci.*(configuration invalid|: assigned)')"
check 'both processors run' [ "$(grep -c ^processor /proc/cpuinfo)" = 2 ]
check 'random numbers come from virtio' dd if=/dev/hwrng of=/dev/null bs=16 count=1
tap_done
