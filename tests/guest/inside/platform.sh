#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What the kernel and lspci say of the machine itself.
. /pcilab/lib.sh

kernel_says() { dmesg | grep -iE "$1" | grep -vE "${2:-^$}"; }

check_none 'no firmware bug' \
    "$(kernel_says 'firmware bug|\[firmware (warn|info)|ACPI( BIOS)? (error|warning)|ACPI: .*invalid')"
check_none 'no resource conflict' \
    "$(kernel_says "conflict|can't (assign|claim)|failed to assign|no compatible bridge window")"
check_none 'no timer calibration' "$(kernel_says 'calibration|unable to calibrate|unstable')"
check_none 'no warning, oops or stall' \
    "$(kernel_says 'WARNING:|BUG:|Oops|Call Trace|rcu.*stall|soft lockup|hung task|irq .*nobody cared')"
check_none 'no PCI device complains' \
    "$(kernel_says 'pci.*(invalid|ignoring|broken|bogus|overlap|disabled due to|fail)')"

lspci -vvv >/tmp/lspci 2>/tmp/lspci.err
check 'lspci lists functions' test -s /tmp/lspci
check_none 'lspci has no complaint' "$(cat /tmp/lspci.err)"
check_none 'lspci decodes every field' \
    "$(grep -nE 'nknown|\?\?|<chain|<access|\] #[0-9a-f]|!!!|<invalid|[Rr]eserved|<unassigned>' /tmp/lspci)"
check_none 'every BAR has an address' "$(grep -nE 'ignored|unassigned|disabled\]' /tmp/lspci |
    grep -vE '\[disabled\] \[size=(256|4K)\]')"

all=$(ls /sys/bus/pci/devices | wc -l)
check 'functions are there' test "$all" -gt 1
bridges=$(grep -l '^0x0604' /sys/bus/pci/devices/*/class | wc -l)
ports=$(ls /sys/bus/pci_express/devices 2>/dev/null | wc -l)
check 'port services are bound where there are ports' test "$bridges" = 0 -o "$ports" -gt 0
check_none 'every link trained' "$(for d in /sys/bus/pci/devices/*; do
    [ "$(cat "$d/current_link_speed" 2>/dev/null)" = Unknown ] && echo "$d"
done)"
check 'as many processors as there should be' \
    test "$(nproc)" = "$(sed -n 's/.*pcilab\.cpus=\([0-9]*\).*/\1/p; t; s/.*/1/p' /proc/cmdline)"
tap_done
