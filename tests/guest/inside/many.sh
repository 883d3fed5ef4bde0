#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What many.py built: 4 switches of 32 ports, an exerciser of 8 functions in each.
. /pcilab/lib.sh

magic=0x58454C50
exercisers=$(grep -l 0x00ee /sys/bus/pci/devices/*/device | sed 's|/device$||')
check '1,024 exercisers' test "$(echo "$exercisers" | wc -l)" = 1024
buses=$(echo "$exercisers" | sed 's|.*/||' | cut -c 1-7 | sort -u)
check 'on 128 buses' test "$(echo "$buses" | wc -l)" = 128
check '136 ports that lead somewhere' \
    test "$(grep -l 0x060400 /sys/bus/pci/devices/*/class | wc -l)" = 136
check_none 'each has its BARs' "$(for d in $exercisers; do
    read -r start rest <"$d/resource"
    [ "$start" != 0x0000000000000000 ] || echo "$d: $start $rest"
done)"
for d in $(echo "$exercisers" | sed -n '1p;512p;1024p'); do
    read -r start rest <"$d/resource"
    setpci -s "${d##*/}" COMMAND=2
    check "${d##*/} answers" test "$(busybox devmem "$start" 32)" = $magic
done
check_none 'kernel log: nothing amiss' \
    "$(dmesg | grep -iE "can't|failed|no space|conflict" | grep -i pci)"
tap_done
