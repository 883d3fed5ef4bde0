#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A short run that touches the disk's first blocks, the seeded random numbers and the console.
. /pcilab/lib.sh
disk=$(wait_for_nvme)
check 'an NVMe disk appears' test -n "$disk"
check 'it is readable' dd if="/dev/$disk" of=/tmp/data bs=64k count=4 iflag=direct
check 'write, read and verify 1 MiB' disk_verify "/dev/$disk" 1
tap_done
