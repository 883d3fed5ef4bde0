#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Virtual Functions by the stock kernel on configs/sriov.ini: pci-pf-stub turns them on and off.
. /pcilab/lib.sh

magic=0x58454C50
total_of() { cat "/sys/bus/pci/devices/$1/sriov_totalvfs"; }
many=$(for d in /sys/bus/pci/devices/*; do
    [ "$(cat "$d/sriov_totalvfs" 2>/dev/null)" != 256 ] || echo "${d##*/}"
done)
pair=$(for d in /sys/bus/pci/devices/*; do
    [ "$(cat "$d/sriov_totalvfs" 2>/dev/null)" != 64 ] || echo "${d##*/}"
done)
pair0=${pair%%[!0-9a-f:.]*}
count_vfs() { ls -d "/sys/bus/pci/devices/$1"/virtfn* 2>/dev/null | wc -l; }
set_vfs() { echo "$2" >"/sys/bus/pci/devices/$1/sriov_numvfs" && [ "$(count_vfs "$1")" = "$2" ]; }
vf_of() { basename "$(readlink -f "/sys/bus/pci/devices/$1/virtfn$2")"; }
# The address of a region: 0 registers, 4 memory.
region() { awk -v n="$2" 'NR == n + 1 { print $1 }' "/sys/bus/pci/devices/$1/resource"; }
# Registers through the VF's own BAR 0.
enable_vf() { setpci -s "$1" COMMAND=6; }
is_exerciser() { [ "$(busybox devmem "$(region "$1" 0)" 32)" = $magic ]; }
function_number() { busybox devmem $(($(region "$1" 0) + 0x14)) 32; }

check 'one device with 256 VFs, one with two times 64' \
    test "$(echo "$many" | wc -w)$(echo "$pair" | wc -w)" = 12
check 'pci-pf-stub loads' modprobe pci-pf-stub
echo 504c 00ee >/sys/bus/pci/drivers/pci-pf-stub/new_id
for pf in $many $pair; do
    check "$pf: pci-pf-stub drives it" test -e "/sys/bus/pci/drivers/pci-pf-stub/$pf"
done

for n in 1 7 0 256 0 256; do
    [ $n = 0 ] || [ "$(count_vfs "$many")" = 0 ] || set_vfs "$many" 0
    check "$many: $n VFs" set_vfs "$many" $n
done
check 'lspci lists 256' test "$(lspci -d 504c:00ef | wc -l)" = 256
last=$(vf_of "$many" 255)
check "the last is on another bus than the first ($last)" \
    test "$(echo "$last" | cut -c 6-7)" != "$(vf_of "$many" 0 | cut -c 6-7)"
for i in 0 1 128 255; do
    vf=$(vf_of "$many" $i)
    enable_vf "$vf"
    check "VF $i ($vf) answers" is_exerciser "$vf"
    check "VF $i knows its number" test "$(($(function_number "$vf") >> 16))" = $((i + 1))
done
check 'lspci shows a VF in full' sh -c "lspci -vvv -s $last | grep -q 'Capabilities:.*Express'"
# Of these two lspci 3.9 has but the names.
check_none 'lspci knows every word of it' \
    "$(lspci -vvv -s "$many" | grep '<?>' | grep -v 'Data Link Feature <?>\|Physical Layer .* <?>')"
check_none 'and of a VF' "$(lspci -vvv -s "$last" | grep '<?>')"
check 'a VF has its reset' grep -q flr "/sys/bus/pci/devices/$last/reset_method"
check 'reset of one VF' sh -c "echo 1 >/sys/bus/pci/devices/$last/reset"
check 'it is there again' is_exerciser "$last"

for f in $pair; do
    check "$f: all of its VFs" set_vfs "$f" 64
done
ids=$(for f in $pair; do
    for i in $(seq 0 63); do vf_of "$f" "$i"; done
done | sort -u | wc -l)
check '128 different numbers' test "$ids" = 128
check 'with ARI on, next to their functions' test "$(vf_of "$pair0" 0 | cut -c 1-8)" = \
    "$(echo "$pair0" | cut -c 1-8)"
# (The driver does not take its VFs away when it goes.)
check 'take the VFs of the first away' set_vfs "$many" 0
check 'remove the device' sh -c "echo 1 >/sys/bus/pci/devices/$many/remove"
check 'scan for it' sh -c 'echo 1 >/sys/bus/pci/rescan'
check 'it is back' test "$(total_of "$many"):$(count_vfs "$many")" = 256:0
check 'and turns them on' set_vfs "$many" 3
check_none 'kernel log: nothing amiss' \
    "$(dmesg | grep -iE "not enough|can't|failed|BAR .*no space|invalid" | grep -iE 'pci|iov' |
        grep -v 'bus 00-00')"
tap_done
