#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the stock kernel makes of devices whose ATS is broken from the start (misbehave.ini). Buses 1
# to 4: answers late, forges PASIDs, keeps translations, answers twice; then an NVMe that is late.
. /pcilab/lib.sh
late=0000:01:00.0 forger=0000:02:00.0 stale=0000:03:00.0 double=0000:04:00.0
said() { dmesg | grep -c "$1"; }

disk=$(wait_for_nvme)
check 'a disk whose controller answers late' disk_verify "/dev/$disk" 4
check 'vfio-pci and type 1 load' modprobe -a vfio-pci vfio_iommu_type1
for dev in $late $forger $stale $double; do
    echo vfio-pci >"/sys/bus/pci/devices/$dev/driver_override"
    echo "$dev" >/sys/bus/pci/drivers_probe
done
check 'answers in half the time that it has: all is well' /pcilab/vfio ats $late
check_none 'no fault up to here' "$(dmesg | grep 'DMAR: \[\|handling fault\|ITE\|ICE')"
/pcilab/vfio ats $stale 2>&1 | tee /tmp/stale
check 'a device that keeps translations writes to memory that was taken back' \
    grep -q 'no write any more' /tmp/stale
check_none 'of which nobody knows' "$(dmesg | grep 'DMAR: \[\|handling fault\|ITE\|ICE')"
check 'one that forges PASIDs gets nothing' sh -c "! /pcilab/vfio ats $forger"
check 'its faults name the PASID' \
    test "$(said "PASID 0xfffff\] Request device \[.*${forger#0000:}\]")" != 0
# Last: see inside/ats.sh about ICE.
check 'answers twice: DMA works' /pcilab/vfio ats $double
sleep 6
check 'the other devices as well' /pcilab/vfio ats $late
check 'and the disk' disk_verify "/dev/$disk" 4
check_none 'no time-out' "$(dmesg | grep 'ITE')"
tap_done
