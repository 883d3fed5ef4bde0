#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Address Translation Services with the stock kernel: who gets them, DMA by translated addresses
# from a process (guest/vfio), and devices that do it wrong. In legacy mode without PASIDs.
. /pcilab/lib.sh
legacy=$(tr ' ' '\n' </proc/cmdline | grep -c '^intel_iommu=sm_off$')
ex=$(for dev in /sys/bus/pci/devices/*; do
    [ "$(cat "$dev/vendor"):$(cat "$dev/device")" = 0x504c:0x00ee ] && echo "${dev##*/}"
done)
yes=$(echo "$ex" | head -n 1) no=$(echo "$ex" | tail -n 1)
control() { lspci -vvv -s "$1" | grep "$2:" | sed "s/.*$2:[[:space:]]*//"; }

check "below an allowed root port ATS is enabled" \
    eval 'control "$yes" ATSCtl | grep -q "^Enable+"'
check "below another one it is not" eval 'control "$no" ATSCtl | grep -q "^Enable-"'
if [ "$legacy" = 0 ]; then
    check 'PASID is enabled' eval 'control "$yes" PASIDCtl | grep -q "^Enable+"'
else
    check 'PASID is not enabled' eval 'control "$yes" PASIDCtl | grep -q "^Enable-"'
fi
pages=Enable-
[ "$(uname -r | cut -d. -f1)" -lt 7 ] || [ "$legacy" = 1 ] || pages=Enable+
check "Page Requests: $pages" eval 'control "$yes" PRICtl | grep -q "^$pages"'
check 'the Page Request queue has an interrupt' \
    test "$(grep -c 'dmar[0-9]*-prq' /proc/interrupts)" = $((1 - legacy))
check 'vfio-pci and type 1 load' modprobe -a vfio-pci vfio_iommu_type1
for dev in "$yes" "$no"; do
    echo vfio-pci >"/sys/bus/pci/devices/$dev/driver_override"
    echo "$dev" >/sys/bus/pci/drivers_probe
done
said() { dmesg | grep -c "$1"; }

check 'DMA by translated addresses, until they are taken back' /pcilab/vfio ats "$yes"
check 'a device that keeps translations gets there' /pcilab/vfio ats-keeps "$yes"
check_none 'no fault up to here' "$(dmesg | grep 'DMAR: \[\|handling fault\|ITE\|ICE')"
check 'an invalidation that is not answered' /pcilab/vfio ats-silent "$yes"
check 'dmesg: Invalidation Time-out Error' test "$(said 'Invalidation Time-out Error (ITE)')" != 0
check 'translated addresses that were never given: trusted' /pcilab/vfio ats-forged "$yes"
sleep 6
reason=0x44
[ "$legacy" = 0 ] || reason=0x0d
sed_reason='s/.*fault reason \(0x[0-9a-f]*\)\].*/\1/p'
check 'of a function without ATS: blocked' /pcilab/vfio ats-blocked "$no"
seen=$(dmesg | grep "Request device \[${no#0000:}\]" | sed -n "$sed_reason" | tail -n 1)
check "reason $reason" test "$seen" = $reason
if [ "$legacy" = 0 ]; then
    sleep 6
    check 'a PASID that has no tables' /pcilab/vfio ats-pasid "$yes"
    check 'its fault names it' \
        test "$(dmesg | grep "PASID 0x5\] Request device \[${yes#0000:}\]" | wc -l)" != 0
fi
# Last: the kernel clears ICE only where it waits for an invalidation, and while it is set there are
# no further fault interrupts (VT-d 7.3).
check 'an answer that nobody asked for' /pcilab/vfio ats-unasked "$yes"
check 'DMA after it' /pcilab/vfio ats "$yes"
ice='fault status reg [0-9a-f]*[2367abef][0-9a-f]$'
check 'dmesg: the fault status is ICE' test "$(said "$ice")" != 0
tap_done
