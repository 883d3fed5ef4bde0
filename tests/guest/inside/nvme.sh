#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The stock driver and nvme-cli judge the disk.
. /pcilab/lib.sh
disk=$(wait_for_nvme)
controller=$(nvme_controller "$disk")
check 'an NVMe disk appears' test -n "$disk"
check 'write, read and verify 4 MiB' disk_verify "/dev/$disk" 4
check 'its interrupts arrive as MSI-X' test "$(msix_total nvme)" -gt 10
check 'identify controller' nvme id-ctrl "/dev/$controller"
check 'identify namespace' nvme id-ns "/dev/$disk"
check 'SMART log' nvme smart-log "/dev/$controller"
check 'error log' nvme error-log "/dev/$controller"
check 'firmware log' nvme fw-log "/dev/$controller"
check 'a feature' nvme get-feature "/dev/$controller" -f 7
check 'an invalid namespace is refused' sh -c "! nvme id-ns /dev/$controller -n 0xfffffff0"
check 'an unknown command is refused' sh -c "! nvme admin-passthru /dev/$controller -o 0x7f"
check 'controller reset' nvme reset "/dev/$controller"
disk=$(wait_for_nvme)
check 'write, read and verify after the reset' disk_verify "/dev/$disk" 1
address=$(basename "$(readlink -f "/sys/class/nvme/$controller/device")")
check 'remove the function' sh -c "echo 1 >/sys/bus/pci/devices/$address/remove"
check 'and find it again' sh -c "echo 1 >/sys/bus/pci/rescan; test -d /sys/bus/pci/devices/$address"
disk=$(wait_for_nvme)
check 'write, read and verify once more' disk_verify "/dev/$disk" 1
tap_done
