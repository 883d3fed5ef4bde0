#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC1091,SC2016
# Run by nvme.py in the guest, among the host's files: the stock driver, nvme-cli, ext4 and fio
# judge the controllers. nvme0 has two namespaces of 24 MiB, unallocated room and Virtual
# Functions.
. "$(dirname "$0")/../../guest/lib.sh"
c=/dev/nvme0
pf=/sys/class/nvme/nvme0/device

# block NSID: the disk of a namespace of this subsystem.
block() {
    for _ in $(seq 100); do
        for disk in /sys/block/nvme*n*; do
            if [ "$(cat "$disk/nsid" 2>/dev/null)" = "$1" ] && [ -b "/dev/${disk##*/}" ] &&
                [ "$(cat "$disk/size")" != 0 ]; then
                echo "/dev/${disk##*/}"
                return 0
            fi
        done
        sleep 0.1
    done
    return 1
}
block_bytes() { cat "/sys/block/$(basename "$(block "$1")")/queue/logical_block_size"; }
fails() { ! "$@"; }
says() { # TEXT COMMAND...
    text=$1
    shift
    "$@" | grep -q "$text"
}
same_blocks() { # DEVICE: what fio wrote is what it reads
    fio --name=v --filename="$1" --rw=randwrite --bs="$2" --size=4M --verify=crc32c --direct=1 \
        --ioengine=libaio --iodepth=16 --thread --minimal >/dev/null
}

check 'controller and namespace' test -b "$(block 1)" -a -b "$(block 2)"
check 'identify: namespaces, controllers' says 'nn *: 32' nvme id-ctrl $c
check 'two namespaces are attached' test "$(nvme list-ns $c | wc -l)" = 2
check 'fio verifies direct writes at depth 16' same_blocks "$(block 2)" 4k
check 'fio verifies writes of 256 KiB (SGLs)' same_blocks "$(block 2)" 256k

# Namespaces.
check 'create a namespace of 4096-byte blocks' nvme create-ns $c -s 2048 -c 2048 -f 1
check 'attach it' nvme attach-ns $c -n 3 -c 0
check 'the kernel finds it by the event' test -b "$(block 3)"
check 'its blocks are 4096 bytes' test "$(block_bytes 3)" = 4096
check 'fio verifies it' same_blocks "$(block 3)" 4k
check 'what does not fit is refused' fails nvme create-ns $c -s 0x10000000 -c 0x10000000 -f 0
check 'format to 512 bytes' nvme format "$(block 3)" -l 0 --force
check 'its blocks are 512 bytes' test "$(block_bytes 3)" = 512
check 'it reads as zeroes' cmp -n 1048576 "$(block 3)" /dev/zero
check 'delete it' nvme delete-ns $c -n 3
check 'changed namespaces list' nvme changed-ns-list-log $c

# Commands of the command set.
d=$(block 2)
head -c 4096 /dev/urandom >/tmp/block
check 'write and compare' sh -c "nvme write $d -s 8 -c 7 -z 4096 -d /tmp/block &&
    nvme compare $d -s 8 -c 7 -z 4096 -d /tmp/block"
check 'compare tells a difference' fails nvme compare "$d" -s 9 -c 7 -z 4096 -d /tmp/block
check 'verify' nvme verify "$d" -s 0 -c 63
check 'write zeroes' sh -c "nvme write-zeroes $d -s 8 -c 7 &&
    cmp -n 4096 -i 4096:0 $d /dev/zero"
check 'deallocate' nvme dsm "$d" -d -s 0 -b 64
check 'flush' nvme flush "$d"
check 'write cache off and on' sh -c "nvme set-feature $c -f 6 -v 0 &&
    nvme set-feature $c -f 6 -v 1"
check 'timestamp' nvme get-feature $c -f 0xe
for log in smart-log error-log fw-log effects-log supported-log-pages; do
    check "$log" nvme "$log" $c
done
check 'subsystem reset, then reset' sh -c "nvme subsystem-reset $c; nvme reset $c"
check 'and it goes on' same_blocks "$(block 2)" 4k

# Secondary controllers.
check 'primary controller capabilities' says 'vqfrt *: 10' nvme primary-ctrl-caps $c
echo 0 >$pf/sriov_drivers_autoprobe
check 'turn two Virtual Functions on' sh -c "echo 2 >$pf/sriov_numvfs"
echo 1 >$pf/sriov_drivers_autoprobe
vf=$(basename "$(readlink -f $pf/virtfn0)")
check 'one that is offline has no driver' \
    fails sh -c "echo $vf >/sys/bus/pci/drivers/nvme/bind"
check 'assign queues and interrupts' sh -c "nvme virt-mgmt $c -c 1 -r 0 -n 3 -a 8 &&
    nvme virt-mgmt $c -c 1 -r 1 -n 3 -a 8"
check 'take it online' nvme virt-mgmt $c -c 1 -a 9
check 'the list says so' says 'Online' nvme list-secondary $c -e 1
check 'a namespace of its own' sh -c "nvme detach-ns $c -n 2 -c 0 && nvme attach-ns $c -n 2 -c 1"
check 'the stock driver takes it' sh -c "echo $vf >/sys/bus/pci/drivers/nvme/bind"
check 'its namespace is there' test -b "$(block 2)"
check 'fio verifies it through the Virtual Function' same_blocks "$(block 2)" 4k
check 'its interrupts arrive' sh -c "grep nvme1q1 /proc/interrupts | grep -q $vf"
check 'offline under its driver, and all off' sh -c "nvme virt-mgmt $c -c 1 -a 7;
    echo 0 >$pf/sriov_numvfs"
check 'a namespace comes back' sh -c "nvme detach-ns $c -n 2 -c 1 && nvme attach-ns $c -n 2 -c 0"

# A file system for the host to look at.
d=$(block 1)
mkdir -p /tmp/mnt
check 'make an ext4 file system' mkfs.ext4 -q -O ^has_journal "$d"
check 'mount it' mount -t ext4 "$d" /tmp/mnt
check 'fill it' sh -c 'i=0; while head -c 1000000 /dev/urandom >/tmp/mnt/$i 2>/dev/null; do
    i=$((i + 1)); done; rm /tmp/mnt/3; [ $i -gt 10 ]'
(cd /tmp/mnt && sha256sum ./1 ./2 ./4) | sed 's/^/# sum /'
check 'unmount it' umount /tmp/mnt
check_none 'the kernel has nothing to complain of' "$(dmesg |
    grep -E 'nvme0: (I/O|Abort|.*timeout|.*failed)|Call Trace|BUG:|WARNING:')"
tap_done
