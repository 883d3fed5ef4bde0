#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# With tests/guest/disk.py, which knows what the image held and looks at it afterwards.
. /pcilab/lib.sh
disk=/dev/$(wait_for_nvme)
check 'an NVMe disk appears' test -b "$disk"
echo "read $(dd if="$disk" bs=1M iflag=direct 2>/dev/null | sum_of)"
dd if=/dev/urandom of=/tmp/data bs=1M count=4 2>/dev/null
echo "wrote $(sum_of </tmp/data)"
check 'write 4 MiB' dd if=/tmp/data of="$disk" bs=64k seek=128 oflag=direct
printf 'last block of the disk' >/tmp/last
truncate -s 512 /tmp/last
last=$(($(cat "/sys/block/${disk#/dev/}/size") - 1))
check 'write the last block' dd if=/tmp/last of="$disk" bs=512 seek="$last" oflag=direct conv=fsync
check 'flush' nvme flush "$disk"
check 'a read past the end is refused' sh -c "! nvme read $disk -s $((last + 1)) -z 512 -d /tmp/x"
tap_done
