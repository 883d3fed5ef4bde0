#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A process that owns an exerciser through vfio-pci (guest/vfio): DMA where it has mapped memory and
# nowhere else. On the kernel command line: vfio.reasons=READ:WRITE:DENIED, of faults where nothing
# is mapped and of a write to what is mapped read-only.
. /pcilab/lib.sh
want=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^vfio\.reasons=//p')
want_read=${want%%:*}
rest=${want#*:}
want_write=${rest%%:*}
want_denied=${rest#*:}

ex=$(for dev in /sys/bus/pci/devices/*; do
    [ "$(cat "$dev/vendor"):$(cat "$dev/device")" = 0x504c:0x00ee ] && echo "${dev##*/}"
done | tail -n 1)
fault_of() { # TYPE ADDRESS: its reason, from the requester that we own
    dmesg | grep "DMAR: \[$1 NO_PASID\] Request device \[.*${ex#0000:}\] fault addr $2 \[fault" |
        sed 's/.*fault reason \(0x[0-9a-f]*\)\].*/\1/' | tail -n 1
}
# The kernel keeps silent when faults come too often, so each test tells its own.
fault() {
    check "dmesg: $1 of $2 by $ex, reason $3" test "$(fault_of "$1" "$2")" = "$3"
}
vfio() { /pcilab/vfio "$1" "$ex"; }

check 'vfio-pci and type 1 load' modprobe -a vfio-pci vfio_iommu_type1
echo vfio-pci >"/sys/bus/pci/devices/$ex/driver_override"
echo "$ex" >/sys/bus/pci/drivers_probe
check "$ex belongs to vfio-pci" test -e "/sys/bus/pci/drivers/vfio-pci/$ex"
check 'it is alone in its group' test "$(ls "/sys/bus/pci/devices/$ex/iommu_group/devices")" = "$ex"

check 'a megabyte to the device and back' vfio dma
check 'MSI-X by eventfd' vfio msix
check 'reset' vfio reset
check_none 'no fault up to here' "$(dmesg | grep 'DMAR: \[\|handling fault')"

check 'pages beside the mapped one are not touched' vfio unmapped
fault 'DMA Write' 0x20002000 "$want_write"
fault 'DMA Read' 0x20000000 "$want_read"
sleep 6
check 'what was unmapped is out of reach' vfio unmap
fault 'DMA Write' 0x30000000 "$want_write"
fault 'DMA Read' 0x30000000 "$want_read"
sleep 6
check 'what is mapped read-only is not written' vfio readonly
fault 'DMA Write' 0x40000000 "$want_denied"
sleep 6
nothing() { vfio nothing | tee /tmp/nothing && grep -q physical /tmp/nothing; }
check 'bus master with no mapping touches nothing' nothing
physical=$(sed -n 's/^physical address //p' /tmp/nothing)
fault 'DMA Write' "$physical" "$want_write"
fault 'DMA Read' "$physical" "$want_read"
tap_done
