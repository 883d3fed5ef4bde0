#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Stock virtio drivers on configs/virtio.ini: each device once with split and once with packed
# rings. vd0, rng0 and con0 are integrated on the root bus, the others below a switch.
. /pcilab/lib.sh

virtio_of() { basename "$(readlink -f "$1/device")"; }
feature() { cut -c $((${2} + 1)) "/sys/bus/virtio/devices/$1/features"; }
pci_of() { basename "$(dirname "$(readlink -f "/sys/bus/virtio/devices/$1")")"; }
disk_named() {
    for d in /sys/block/vd*; do
        [ "$(cat "$d/serial")" != "$1" ] || echo "${d##*/}"
    done
}
no_needs_reset() {
    for d in /sys/bus/virtio/devices/*; do
        [ $(($(cat "$d/status") & 0xc0)) = 0 ] || {
            echo "$d: status $(cat "$d/status")"
            return 1
        }
    done
}
console_port() { # NAME of the virtio device
    for p in /sys/class/virtio-ports/*; do
        [ "$(virtio_of "$p")" = "$1" ] && [ "$(cat "$p/name" 2>/dev/null)" = pcilab.echo ] &&
            echo "/dev/${p##*/}"
    done
}
vectors_of() { grep -c "$1-" /proc/interrupts; }

check 'six virtio devices' test "$(ls /sys/bus/virtio/devices | wc -l)" = 6
for name in vd0 vd1; do
    disk=$(disk_named $name)
    check "$name: a disk with this serial" test -b "/dev/$disk"
    device=$(virtio_of "/sys/block/$disk")
    packed=${name#vd}
    check "$name: packed rings: $packed" test "$(feature "$device" 34)" = "$packed"
    check "$name: VERSION_1, ACCESS_PLATFORM, EVENT_IDX, INDIRECT_DESC" \
        test "$(feature "$device" 32)$(feature "$device" 33)$(feature "$device" 29)$(feature \
            "$device" 28)" = 1111
    check "$name: write, read and verify 8 MiB" disk_verify "/dev/$disk" 8
    check "$name: a flush is sent" dd if=/dev/zero of="/dev/$disk" bs=4k count=1 conv=fsync
    check "$name: cache can be write through" \
        sh -c "echo 'write through' >/sys/block/$disk/queue/write_cache &&
            echo 'write through' >/sys/block/$disk/cache_type &&
            grep through /sys/block/$disk/cache_type"
    check "$name: still verifies" disk_verify "/dev/$disk" 1
    check "$name: discard makes zeroes" \
        sh -c "blkdiscard /dev/$disk && dd if=/dev/$disk bs=1M count=1 iflag=direct 2>/dev/null |
            cmp -n 1048576 - /dev/zero"
    check "$name: MSI-X" test "$(vectors_of "$device")" -ge 2
    pci=$(pci_of "$device")
    check "$name: function level reset, unbound" sh -c "
        echo $device >/sys/bus/virtio/drivers/virtio_blk/unbind &&
        echo $pci >/sys/bus/pci/drivers/virtio-pci/unbind &&
        echo 1 >/sys/bus/pci/devices/$pci/reset && echo $pci >/sys/bus/pci/drivers/virtio-pci/bind"
    disk=$(disk_named $name)
    check "$name: verifies after the reset" disk_verify "/dev/$disk" 1
done

rngs=$(tr ' ' '\n' </sys/class/misc/hw_random/rng_available | grep virtio)
check 'two entropy devices' test "$(echo "$rngs" | wc -w)" = 2
for rng in $rngs; do
    check "$rng becomes the current one" sh -c "echo $rng >/sys/class/misc/hw_random/rng_current"
    dd if=/dev/hwrng of=/tmp/a bs=4096 count=16 2>/dev/null
    dd if=/dev/hwrng of=/tmp/b bs=4096 count=16 2>/dev/null
    check "$rng: 64 KiB" test "$(wc -c </tmp/a)" = 65536
    check "$rng: not twice the same" sh -c '! cmp -s /tmp/a /tmp/b'
    check "$rng: does not compress" test "$(gzip -c /tmp/a | wc -c)" -gt 65000
done

for d in /sys/bus/virtio/drivers/virtio_console/virtio*; do
    device=${d##*/}
    port=$(console_port "$device")
    check "$device: a port called pcilab.echo" test -c "$port"
    dd if=/dev/urandom of=/tmp/a bs=1k count=100 2>/dev/null
    # One reader and writer of the port: the driver opens it once.
    check "$device: 100 KiB come back" sh -c "exec 3<>$port
        dd if=/tmp/a bs=1k >&3 2>/dev/null & head -c 102400 <&3 >/tmp/b; wait; cmp /tmp/a /tmp/b"
    check "$device: and again after closing" sh -c "exec 3<>$port
        echo hello >&3; read -r line <&3; test \"\$line\" = hello"
done
check 'consoles' test -c /dev/hvc0 -a -c /dev/hvc1
check 'output to the consoles' sh -c 'head -c 20000 /tmp/a | tee /dev/hvc0 >/dev/hvc1'

check 'no device needs a reset' no_needs_reset
check_none 'the kernel has no complaint' "$(dmesg | grep -iE 'virtio.*(fail|error|timeout|bad)')"
lspci -vvv -d 1af4: >/tmp/lspci
check_none 'lspci decodes the capabilities' "$(grep -E 'Vendor Specific Information: (Len|<)|\?\?' \
    /tmp/lspci | grep -v VirtIO)"
tap_done
