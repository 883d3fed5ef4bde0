#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# With tests/guest/virtio_disk.py, which knows what the images held and looks at them afterwards.
. /pcilab/lib.sh
for disk in /dev/vda /dev/vdb; do
    name=$(cat "/sys/block/${disk#/dev/}/serial")
    echo "read $name $(dd if=$disk bs=1M iflag=direct 2>/dev/null | sum_of)"
    head -c 1048576 /dev/urandom >/tmp/data
    check "$name: write" dd if=/tmp/data of=$disk bs=64k seek=64 oflag=direct conv=fsync
    echo "wrote $name $(sum_of </tmp/data)"
done
check 'entropy of the seed' sh -c 'dd if=/dev/hwrng bs=64 count=1 2>/dev/null | sha256sum'
tap_done
