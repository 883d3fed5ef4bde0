#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the kernel and lspci say of the machine itself.
. /pcilab/lib.sh

kernel_says() { dmesg | grep -iE "$1"; }

bugs='firmware bug|\[firmware (warn|info)|ACPI( BIOS)? (error|warning)|ACPI: .*invalid'
conflicts="conflict|can't (assign|claim)|failed to assign|no compatible bridge window"
timers='calibration|unable to calibrate|unstable'
oopses='WARNING:|BUG:|Oops|Call Trace|rcu.*stall|soft lockup|hung task|nobody cared'
processors='mce: unable|unchecked MSR'
complaints='pci.*(invalid|ignoring|broken|bogus|overlap|disabled due to|fail)'
undecoded='nknown|\?\?|<chain|<access|\] #[0-9a-f]|!!!|<invalid|[Rr]eserved'

check 'the kernel log is whole' sh -c 'dmesg | head -n 3 | grep "Linux version"'
check_none 'no firmware bug' "$(kernel_says "$bugs")"
check_none 'no resource conflict' "$(kernel_says "$conflicts")"
check_none 'no timer calibration' "$(kernel_says "$timers")"
check_none 'no warning, oops or stall' "$(kernel_says "$oopses")"
check_none 'no complaint about the processor' "$(kernel_says "$processors")"
# No firmware has numbered the buses, and the kernel says of every bridge that it does so.
check_none 'no PCI device complains' "$(kernel_says "$complaints" |
    grep -vE 'Ignoring E820|bridge configuration invalid \(\[bus 00-00\]\), reconfiguring')"

lspci -vvv >/tmp/lspci 2>/tmp/lspci.err
check 'lspci lists functions' test -s /tmp/lspci
check_none 'lspci has no complaint' "$(cat /tmp/lspci.err)"
# lspci 3.9 does not know the PCI configuration access capability of virtio (VIRTIO 1.3, 4.1.4.9);
# a granularity of time that software has not told is unknown (PCIe Base 6.0, 7.9.15.3).
check_none 'lspci decodes every field' "$(grep -nE "$undecoded" /tmp/lspci |
    grep -v 'VirtIO: <unknown>\|PTMEffectiveGranularity: Unknown')"
check_none 'every BAR has an address' "$(grep -nE 'ignored|unassigned' /tmp/lspci)"

all=$(ls /sys/bus/pci/devices | wc -l)
check 'functions are there' test "$all" -gt 1
bridges=$(grep -l '^0x0604' /sys/bus/pci/devices/*/class | wc -l)
ports=$(ls /sys/bus/pci_express/devices 2>/dev/null | wc -l)
check 'port services are bound where there are ports' test "$bridges" = 0 -o "$ports" -gt 0
check_none 'every link trained' "$(for d in /sys/bus/pci/devices/*; do
    [ "$(cat "$d/current_link_width" 2>/dev/null || echo 0)" != 0 ] || continue
    [ "$(cat "$d/current_link_speed")" != Unknown ] || echo "$d"
done)"
cpus=$(sed -n 's/.*pcilab\.cpus=\([0-9]*\).*/\1/p' /proc/cmdline)
check 'as many processors as there should be' test "$(nproc)" = "${cpus:-$(nproc)}"
tap_done
