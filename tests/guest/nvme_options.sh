#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2016
# Run by nvme_options.py in the guest, among the host's files: a controller with a memory buffer and
# shadow doorbells, what is aborted, and what fails for good.
. "$(dirname "$0")/../../guest/lib.sh"
c=/dev/nvme0
d=/dev/nvme0n1
bdf=$(basename "$(readlink -f /sys/class/nvme/nvme0/device)")
pool=/sys/bus/pci/devices/$bdf/p2pmem

for _ in $(seq 100); do
    [ -b $d ] && break
    sleep 0.1
done
wrote() { # what was written is what is read, at depth 16 where the kernel can (CONFIG_AIO)
    if [ -n "$WITH_BUFFER" ]; then
        head -c 1M /dev/urandom >/tmp/data
        dd if=/tmp/data of=$d bs=4k oflag=direct && dd if=$d bs=4k count=256 iflag=direct |
            cmp - /tmp/data
    else
        fio --name=v --filename=$d --rw=randwrite --bs=4k --size=1M --verify=crc32c --direct=1 \
            --ioengine=libaio --iodepth=16 --thread --minimal >/dev/null
    fi
}
# abort SQID CID: 0 when the command was aborted, 1 when it was not there to be
abort() {
    nvme admin-passthru $c -o 8 --cdw10=$(($2 << 16 | $1)) 2>&1 |
        sed -n 's/.*result: 0x0*\([0-9a-f]\)$/\1/p'
}
ios() { awk '{ print $1 + $5 }' /sys/block/nvme0n1/stat; }

# Linux takes a controller memory buffer where it has peer-to-peer DMA (CONFIG_PCI_P2PDMA).
if [ -n "$WITH_BUFFER" ]; then
    check 'the memory buffer has 2 MiB' test "$(cat "$pool/size")" = 2097152
    check 'a submission queue lies in it' test "$(cat "$pool/available")" -lt 2097152
    check 'the driver says where' grep -q 'cmbsz *: 0\{0,1\}x0*20001f' /sys/class/nvme/nvme0/cmb
fi
check 'the controller has shadow doorbells' sh -c "nvme id-ctrl $c | grep -q '^oacs *: 0x1'"
echo "# bar $(sed -n '1s/ .*//p' "/sys/bus/pci/devices/$bdf/resource")"
echo "# commands $(ios)"
check 'what it wrote it reads' wrote
echo "# commands $(ios)"

# The driver's Asynchronous Event Request is number 31 of queue 0.
check 'abort an Asynchronous Event Request' test "$(abort 0 31)" = 0
check 'it is gone' test "$(abort 0 31)" = 1
check 'a command that is not there is not aborted' test "$(abort 1 5)" = 1
check 'nor one of a queue that is not there' test "$(abort 40 5)" = 1

# A controller that may not read its queue any more fails; the driver's timer finds out.
echo 2000 >/sys/block/nvme0n1/queue/io_timeout
check 'without bus mastering a read waits for a reset, and succeeds' sh -c \
    "setpci -s $bdf COMMAND=0:4 && dd if=$d of=/dev/null bs=4k count=4 iflag=direct"
check 'the driver has seen Controller Fatal Status' sh -c \
    'dmesg | grep -q "controller is down; will reset: CSTS=0x3"'
check 'it goes on, with shadow doorbells' wrote
check 'and waits for an event again' test "$(abort 0 31)" = 0
check_none 'the kernel has nothing else to complain of' "$(dmesg |
    grep -E 'nvme0: .*(timeout|failed|error)|Call Trace|BUG:|WARNING:' |
    { [ -n "$WITH_BUFFER" ] && cat || grep -v 'failed to register the CMB'; })"
tap_done
