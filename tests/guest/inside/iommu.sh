#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Behind an IOMMU: NVMe traffic without a fault, groups, remapped interrupts; then an exerciser that
# no driver has mapped anything for reaches for memory and for other people's interrupts. On the
# kernel command line: iommu.expect=TYPE:IR:READ:WRITE, the domains' type, whether interrupts are
# remapped, and the reasons of the two faults (- for none). Perhaps also iommu.units=PATH,..., what
# is below /sys/class/iommu when every unit has its scope, and iommu.reserved=1M, when the exerciser
# has so much memory reserved.
. /pcilab/lib.sh
want=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^iommu\.expect=//p')
want_type=${want%%:*}
rest=${want#*:}
want_ir=${rest%%:*}
rest=${rest#*:}
want_read=${rest%%:*}
want_write=${rest#*:}

faults() { dmesg | grep 'DMAR: \[\|handling fault'; }

disk=$(wait_for_nvme)
check 'an NVMe disk appears' test -n "$disk"
check 'write, read and verify 4 MiB' disk_verify "/dev/$disk" 4
check 'its interrupts arrive' test "$(msix_total nvme)" -gt 10
check_none 'no fault' "$(faults)"

alone=
for dev in /sys/bus/pci/devices/*; do
    [ -e "$dev/iommu_group" ] || alone="$alone ${dev##*/}"
done
check_none 'every function is in an IOMMU group' "$alone"
check_none "every group's domain is $want_type" \
    "$(cat /sys/kernel/iommu_groups/*/type | sort -u | grep -v "^$want_type\$")"
remapped=$(grep -c 'IR-PCI-MSIX' /proc/interrupts)
if [ "$want_ir" = yes ]; then
    check 'interrupts are remapped' test "$remapped" -gt 0
    check 'those of the IOAPIC, too' grep -q 'IR-IO-APIC.*ttyS0' /proc/interrupts
else
    check 'interrupts are not remapped' test "$remapped" = 0
fi

for path in $(tr ' ' '\n' </proc/cmdline | sed -n 's/^iommu\.units=//p' | tr , ' '); do
    check "there is $path" test -e "/sys/class/iommu/$path"
done

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
fault_of() { # TYPE ADDRESS: its reason; newer kernels name the segment, too
    dmesg | grep "DMAR: \[$1\] Request device \[.*${ex#0000:}\] fault addr $2 \[fault reason" |
        sed 's/.*fault reason \(0x[0-9a-f]*\)\].*/\1/' | tail -n 1
}
check 'the exerciser answers' test "$(devmem "$bar" 32)" = 0x58454C50
if [ "$want_read" = - ]; then
    check 'a read goes through' test "$(go 1 0x200000 64)" = 0
else
    check 'a read where nothing is mapped is refused' test "$(go 1 0x12345000 64)" = 1
    check "fault $want_read names it" test "$(fault_of 'DMA Read NO_PASID' 0x12345000)" = \
        "$want_read"
    go 2 0x7654321000 64 >/dev/null
    check "a write there, too: fault $want_write" test \
        "$(fault_of 'DMA Write NO_PASID' 0x7654321000)" = "$want_write"
fi
if grep -q 'iommu\.reserved=1M' /proc/cmdline; then
    region=$(grep direct "/sys/bus/pci/devices/$ex/iommu_group/reserved_regions")
    base=${region%% *}
    rest=${region#* }
    check 'it has 1 MiB of reserved memory' test $((${rest%% *} - base)) = $((0xfffff))
    check 'which it reads without a driver' test "$(go 1 "$base" 64)" = 0
    check 'to its last byte' test "$(go 1 "$((base + 0xfffc0))" 64)" = 0
    check 'and no further' test "$(go 1 "$((base - 64))" 64)" = 1
fi
if [ "$want_ir" = yes ]; then
    # Compatibility format; an index that nobody has; another device's entry. The kernel keeps
    # silent when faults come too often.
    sleep 6
    go 2 0xfee00000 4 >/dev/null
    go 2 0xfeeffff0 4 >/dev/null
    sleep 6
    go 2 0xfee00010 4 >/dev/null
    # A handle at the table's end and a subhandle behind it; a subhandle of more than 16 bits.
    mem=$(sed -n 5p "/sys/bus/pci/devices/$ex/resource" | cut -d' ' -f1)
    sleep 6
    devmem "$mem" 32 0x1
    go 2 0xfeeffffc 4 >/dev/null
    devmem "$mem" 32 0x10000
    go 2 0xfeeffffc 4 >/dev/null
    for reason in 0x20 0x21; do
        check "a message that no index can come of is blocked: $reason" \
            sh -c "dmesg | grep -q 'INTR-REMAP.*${ex#0000:}.*fault reason $reason'"
    done
    check 'a message in compatibility format is blocked' \
        sh -c "dmesg | grep -q 'INTR-REMAP.*${ex#0000:}.*fault index .*fault reason 0x25'"
    check 'a message without an entry is blocked' \
        sh -c "dmesg | grep -q 'INTR-REMAP.*${ex#0000:}.*fault reason 0x22'"
    check "another device's entry is blocked" \
        sh -c "dmesg | grep -q 'INTR-REMAP.*${ex#0000:}.*fault index 0x0 .*fault reason 0x26'"
fi
check 'the disk still works' disk_verify "/dev/$disk" 1
tap_done
