#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
. /pcilab/lib.sh
disk=$(wait_for_nvme)
check 'an NVMe disk appears' test -n "$disk"
check 'write, read and verify 4 MiB' disk_verify "/dev/$disk" 4
tap_done
