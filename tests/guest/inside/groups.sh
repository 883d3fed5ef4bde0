#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Tells which function is in which IOMMU group: 'group N PATH', where PATH is the way from the root
# bus to the function in device and function numbers, and of Virtual Function i that of its Physical
# Function and vf<i>. tests/guest/groups.py judges. On the kernel command line: groups.vfs=N, to be
# turned on of each Physical Function.
. /pcilab/lib.sh
vfs=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^groups\.vfs=//p')

modprobe pci-pf-stub
echo 504c 00ee >/sys/bus/pci/drivers/pci-pf-stub/new_id
for total in /sys/bus/pci/devices/*/sriov_totalvfs; do
    [ -e "$total" ] || continue
    echo "${total%/*}" | sed 's|.*/||' >/tmp/name
    check "$(cat /tmp/name): $vfs VFs" sh -c "echo $vfs >${total%/*}/sriov_numvfs"
done
path_of() { # .../pci0000:00/0000:00:01.0/0000:01:00.0 is 01.0/00.0
    readlink -f "/sys/bus/pci/devices/$1" | sed 's|.*/pci[^/]*/||; s|[0-9a-f]*:[0-9a-f]*:||g'
}
for dev in /sys/bus/pci/devices/*; do
    bdf=${dev##*/}
    group=$(readlink "$dev/iommu_group")
    if [ -e "$dev/physfn" ]; then
        pf=$(readlink -f "$dev/physfn")
        for link in "$pf"/virtfn*; do
            [ "$(readlink -f "$link")" = "$(readlink -f "$dev")" ] || continue
            echo "group ${group##*/} $(path_of "${pf##*/}")/vf${link##*virtfn}"
        done
    else
        echo "group ${group##*/} $(path_of "$bdf")"
    fi
done
check 'there are groups' test -d /sys/kernel/iommu_groups/0
tap_done
