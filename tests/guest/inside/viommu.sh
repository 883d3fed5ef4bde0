#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Behind a virtio-iommu: NVMe, disk and network without a fault, groups; then an exerciser that no
# driver has mapped anything for reaches for memory, before and after it is attached. On the kernel
# command line: viommu.expect=TYPE:UNATTACHED, the domains' type, and what happens to an access of
# whom nobody attached: pass or fault.
. /pcilab/lib.sh
want=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^viommu\.expect=//p')
want_type=${want%%:*}
want_unattached=${want#*:}

faults() { dmesg | grep 'fault from EP'; }

disk=$(wait_for_nvme)
check 'an NVMe disk appears' test -n "$disk"
check 'NVMe: write, read and verify 4 MiB' disk_verify "/dev/$disk" 4
check 'its interrupts arrive' test "$(msix_total nvme)" -gt 10
check 'virtio-blk: write, read and verify 4 MiB' disk_verify /dev/vda 4
check 'it has ACCESS_PLATFORM' test "$(cut -c 34 /sys/block/vda/device/features)" = 1
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
check 'virtio-net: the gateway answers' ping -c 2 -W 5 -s 1472 10.0.2.2
check_none 'no fault' "$(faults)"

unit=$(for dev in /sys/bus/pci/devices/*; do
    [ "$(cat "$dev/vendor"):$(cat "$dev/device")" = 0x1af4:0x1057 ] && echo "${dev##*/}"
done)
alone=
for dev in /sys/bus/pci/drivers/[npv]*/0000:*; do
    [ "${dev##*/}" = "$unit" ] || [ -e "$dev/iommu_group" ] || alone="$alone ${dev##*/}"
done
check 'there is one unit' test "$(echo "$unit" | wc -w)" = 1
check_none 'what has a driver is in an IOMMU group, but for the unit' "$alone"
check_none 'the unit itself is in none' \
    "$(ls -d "/sys/bus/pci/devices/$unit/iommu_group" 2>/dev/null)"
check_none 'each is alone in its group' \
    "$(for group in /sys/kernel/iommu_groups/*; do ls "$group/devices" | sed 1d; done)"
check_none "every group's domain is $want_type" \
    "$(cat /sys/kernel/iommu_groups/*/type | sort -u | grep -v "^$want_type\$")"

# --- An exerciser reaches out -------------------------------------------------------------------
ex=$(for dev in /sys/bus/pci/devices/*; do
    [ "$(cat "$dev/vendor"):$(cat "$dev/device")" = 0x504c:0x00ee ] && echo "${dev##*/}"
done | tail -n 1)
setpci -s "$ex" COMMAND=0006
bar=$(sed -n 1p "/sys/bus/pci/devices/$ex/resource" | cut -d' ' -f1)
reg() { printf '0x%x' $((bar + 0x1000 + $1)); }
# go COMMAND ADDRESS LENGTH: prints the result
go() {
    devmem "$(reg 0x00)" 32 $(($2 & 0xffffffff))
    devmem "$(reg 0x04)" 32 $(($2 >> 32))
    devmem "$(reg 0x08)" 64 0
    devmem "$(reg 0x10)" 32 "$3"
    devmem "$(reg 0x1c)" 32 "$1"
    echo $(($(devmem "$(reg 0x20)" 32) >> 8 & 0xff))
}
# The endpoint's ID is bus, device and function in one number.
bus=${ex#0000:}
id=$((0x${bus%%:*} * 256))
check_fault() { # REASON ADDRESS FLAGS
    check "$1 fault at $2 [$3]" sh -c "dmesg | grep '$1 fault from EP $id at $2 \[$3\]'"
}
check 'the exerciser answers' test "$(devmem "$bar" 32)" = 0x58454C50
# Linux attaches what no driver has taken since 6.15 (drivers/iommu/iommu.c, iommu_init_device()).
release=$(uname -r)
version=${release#*.} version=$((${release%%.*} * 1000 + ${version%%[!0-9]*}))
if [ "$version" -ge 6015 ]; then
    check 'no driver has it: it is attached' \
        test "$(cat "/sys/bus/pci/devices/$ex/iommu_group/type")" = "$want_type"
elif [ "$want_unattached" = pass ]; then
    check 'not attached: a read goes through' test "$(go 1 0x200000 64)" = 0
else
    check 'not attached: a read is refused' test "$(go 1 0x200000 64)" = 1
    check_fault domain 0x200000 R
    go 2 0xfee00000 4 >/dev/null
    check_fault domain 0xfee00000 W
fi
check 'a driver takes it: it is attached' sh -c "
    echo pci-pf-stub >/sys/bus/pci/devices/$ex/driver_override
    modprobe pci-pf-stub; echo $ex >/sys/bus/pci/drivers_probe
    test -e /sys/bus/pci/devices/$ex/driver -a -e /sys/bus/pci/devices/$ex/iommu_group"
check 'its domain, too' test "$(cat "/sys/bus/pci/devices/$ex/iommu_group/type")" = "$want_type"
setpci -s "$ex" COMMAND=0006
if [ "$want_type" = identity ]; then
    check 'a read goes through' test "$(go 1 0x200000 64)" = 0
else
    check 'a read where nothing is mapped is refused' test "$(go 1 0x12345000 64)" = 1
    check_fault page 0x12345000 R
    go 2 0x7654321000 64 >/dev/null
    check_fault page 0x7654321000 W
fi
check 'NVMe still works' disk_verify "/dev/$disk" 1
tap_done
