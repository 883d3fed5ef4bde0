#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A Virtual Function in the hands of one process after the other, on configs/sriov.ini behind an
# IOMMU (guest/vfio): what the first has left the second does not find.
. /pcilab/lib.sh

modprobe -a pci-pf-stub vfio-pci vfio_iommu_type1
echo 504c 00ee >/sys/bus/pci/drivers/pci-pf-stub/new_id
pf=$(for d in /sys/bus/pci/devices/*; do
    [ "$(cat "$d/sriov_totalvfs" 2>/dev/null)" != 256 ] || echo "$d"
done)
check 'two Virtual Functions' sh -c "echo 2 >$pf/sriov_numvfs"
for i in 0 1; do
    vf=$(basename "$(readlink -f "$pf/virtfn$i")")
    echo vfio-pci >"/sys/bus/pci/devices/$vf/driver_override"
    echo "$vf" >/sys/bus/pci/drivers_probe
    check "$vf belongs to vfio-pci" test -e "/sys/bus/pci/drivers/vfio-pci/$vf"
    check "$vf is alone in its group" \
        test "$(ls "/sys/bus/pci/devices/$vf/iommu_group/devices")" = "$vf"
    check "$vf moves data" /pcilab/vfio dma "$vf"
    check "$vf interrupts" /pcilab/vfio msix "$vf"
    check "one leaves secrets in $vf" /pcilab/vfio leave "$vf"
    check "another finds none in $vf" /pcilab/vfio find "$vf"
    check "nor after a third in $vf" sh -c "/pcilab/vfio leave $vf && /pcilab/vfio find $vf"
done
told="DMA Read NO_PASID.*${vf#0000:}. fault addr 0x50000000 .fault reason 0x79"
check 'dmesg tells of the reach for memory of the one before' sh -c "dmesg | grep -q '$told'"
tap_done
