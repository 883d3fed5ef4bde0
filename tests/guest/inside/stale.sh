#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A page's mapping is changed and no invalidation follows (guest/vfio/stale.c): ex0 belongs to a
# process, ex1 changes the table, by physical addresses (iommu=pt). In the log: "# PAGES OLD NEW".
. /pcilab/lib.sh
victim=0000:01:00.0 helper=0000:02:00.0

modprobe -a vfio-pci vfio_iommu_type1
echo vfio-pci >/sys/bus/pci/devices/$victim/driver_override
echo $victim >/sys/bus/pci/drivers_probe
check "$victim belongs to vfio-pci" test -e /sys/bus/pci/drivers/vfio-pci/$victim
check "$helper has physical addresses" \
    grep -qx identity /sys/bus/pci/devices/$helper/iommu_group/type
echo 1 >/sys/bus/pci/devices/$helper/enable
setpci -s $helper COMMAND=0006
stale() { /pcilab/vfio stale $victim $helper | tee /tmp/stale && grep -q moved /tmp/stale; }
check 'a forgotten invalidation leaves the old translation' stale
sed -n 's/^moved from \(.*\) to /# PAGES \1 /p' /tmp/stale
check 'after the real one the address faults' \
    sh -c "dmesg | grep -q 'DMA Write NO_PASID.*${victim#0000:}. fault addr 0x60000000 '"
check_none 'which is the only fault' "$(dmesg | grep 'DMAR: \[' | grep -v 'fault addr 0x60000000 ')"
tap_done
