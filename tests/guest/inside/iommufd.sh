#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A process owns an exerciser's page tables and answers its page faults (guest/iommufd). Linux 6.12
# has neither ATS nor page faults with nested tables.
. /pcilab/lib.sh
for dev in /sys/bus/pci/devices/*; do
    [ "$(cat "$dev/vendor"):$(cat "$dev/device")" = 0x504c:0x00ee ] && ex=${dev##*/} && break
done
echo vfio-pci >"/sys/bus/pci/devices/$ex/driver_override"
echo "$ex" >"/sys/bus/pci/devices/$ex/driver/unbind" 2>/dev/null
echo "$ex" >/sys/bus/pci/drivers_probe
run() { check "$1" /pcilab/iommufd "$2" "$ex"; }

run 'an address space' map
run 'nested page tables' nested
case $(uname -r) in
6.12.*)
    run 'nested page tables switch ATS off' nested-no-ats
    run 'so nobody gets page faults' refused
    ;;
*)
    run 'nested page tables, by translated addresses' nested-ats
    check_none 'no fault that nobody meant' "$(dmesg | grep -i 'page request\|prq')"
    run 'page faults: first touch, upgrade, invalid address, late answer' faults
    run 'page faults that nobody answers' pending
    run 'a process that ends with a page fault under way' leave
    run 'the next one' faults
    run 'PASIDs with page tables and page faults of their own' pasid
    run 'many page faults' many
    /pcilab/iommufd many "$ex" | sed 's/^/# /'
    ;;
esac
tap_done
