#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The accelerator with VFIO, and with the stock idxd, configured as accel-config does it, by sysfs.
# Linux 6.12 lets no process have a queue (no shared virtual addressing on x86 since 6.12.64), and
# trips when an enabled device without event log is unbound: both only with newer ones.
. /pcilab/lib.sh
bdf=$(lspci -D -d 8086:0b25 | cut -d' ' -f1)
dsa=/sys/bus/dsa
cd $dsa/devices || exit 1
newer=yes
case $(uname -r) in 6.12.*) newer= ;; esac

# queue N MODE TYPE DRIVER: in group 0.
queue() {
    echo 0 >"wq0.$1/group_id" && echo "$2" >"wq0.$1/mode" && echo 16 >"wq0.$1/size" &&
        echo 10 >"wq0.$1/priority" && echo "$3" >"wq0.$1/type" && echo "$3$1" >"wq0.$1/name" &&
        echo "$4" >"wq0.$1/driver_name" || return 1
    [ "$2" != shared ] || echo 8 >"wq0.$1/threshold" || return 1
    [ "$3" != user ] || echo 1 >"wq0.$1/block_on_fault"
}
engines() {
    echo 0 >engine0.0/group_id && echo 0 >engine0.1/group_id
}
to() { echo "$2" >"$1"; }
same() { [ "$1" = "$2" ] || { echo "it is $1"; return 1; }; }
is() { check "$1 is $2" same "$(xargs <"$1")" "$2"; }
drivers=/sys/bus/pci/drivers

check 'idxd binds' test -e "$drivers/idxd/$bdf"
is dsa0/max_work_queues 8
is dsa0/max_engines 4
is dsa0/max_work_queues_size 128
is dsa0/version 0x100
is dsa0/pasid_enabled 1

# VFIO denies accelerators to processes that could disturb others; here is nobody else.
check 'vfio-pci and type 1 load' \
    sh -c 'modprobe vfio-pci disable_denylist=1 && modprobe vfio_iommu_type1'
check 'vfio-pci takes over' sh -c "echo $bdf >$drivers/idxd/unbind &&
    echo vfio-pci >/sys/bus/pci/devices/$bdf/driver_override && echo $bdf >$drivers/vfio-pci/bind"
check 'every operation, by VFIO' /pcilab/dsa vfio "$bdf"
check 'idxd takes over' sh -c "echo $bdf >$drivers/vfio-pci/unbind &&
    echo >/sys/bus/pci/devices/$bdf/driver_override && echo $bdf >$drivers/idxd/bind"
cd $dsa/devices || exit 1

check 'a device that is not configured cannot be enabled' \
    sh -c "! echo dsa0 >$dsa/drivers/idxd/bind"
check 'a dedicated queue of the kernel' queue 2 dedicated kernel dmaengine
check 'a shared queue of the kernel' queue 3 shared kernel dmaengine
check 'a dedicated queue for a process' queue 0 dedicated user user
check 'a shared queue for processes' queue 1 shared user user
check 'two engines' engines
check 'the device is enabled' to $dsa/drivers/idxd/bind dsa0
is dsa0/state enabled
for q in 2 3; do
    check "queue $q is enabled" to $dsa/drivers/dmaengine/bind wq0.$q
    is wq0.$q/state enabled
done
check 'two DMA channels' ls /sys/class/dma/dma0chan0/in_use /sys/class/dma/dma0chan1/in_use
for q in 0 1; do
    check "queue $q is enabled" to $dsa/drivers/user/bind wq0.$q
    is wq0.$q/state enabled
done
if [ "$newer" ]; then
    check 'by the addresses of a process, MOVDIR64B' /pcilab/dsa dedicated /dev/dsa/wq0.0
    check 'by the addresses of a process, ENQCMD' /pcilab/dsa shared /dev/dsa/wq0.1
    check 'once more' /pcilab/dsa shared /dev/dsa/wq0.1
    for q in 0 1; do
        check "queue $q is disabled" to $dsa/drivers/user/unbind wq0.$q
        is wq0.$q/state disabled
    done
    check 'the device is disabled' to $dsa/drivers/idxd/unbind dsa0
    is dsa0/state disabled
else
    check 'no queue for a process' sh -c '! cat </dev/dsa/wq0.0'
fi
is dsa0/cmd_status 0x0
check_none 'no error' "$(cat dsa0/errors | tr -d '0,\n ')"
check_none 'none in the log' "$(dmesg | grep -E 'idxd.*(err\[|halted)|DMAR: \[')"
tap_done
