#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Exercisers copy to each other's BARs on configs/default.ini, below one switch and through the root
# complex, and count in each other's memory with AtomicOps.
#
# Not with the integrated one: Linux gives it the largest payload that it can, whatever the ports
# on the way take, unless it is told pci=pcie_bus_peer2peer; its completions are malformed there.
. /pcilab/lib.sh

region() { # BDF NUMBER: where a BAR is
    awk -v n="$2" 'NR == n + 1 { print $1 }' "/sys/bus/pci/devices/$1/resource"
}
peek() { busybox devmem "$1" 32; }
poke() { busybox devmem "$1" 32 "$2"; }
# reg BDF OFFSET VALUE: a register of channel 0; 64-bit ones in two halves.
reg() { poke $(($(region "$1" 0) + 0x1000 + $2)) "$3"; }
reg64() {
    reg "$1" "$2" $(($3 & 0xffffffff))
    reg "$1" $(($2 + 4)) $((($3 >> 32) & 0xffffffff))
}
# command BDF NUMBER ADDRESS LOCAL LENGTH: its result
command() {
    reg64 "$1" 0x00 "$3"
    reg64 "$1" 0x08 "$4"
    reg "$1" 0x10 "$5"
    reg "$1" 0x1c "$2"
    for _ in 1 2 3 4 5 6 7 8 9; do
        status=$(peek $(($(region "$1" 0) + 0x1020)))
        [ $((status & 2)) = 0 ] || break
    done
    reg "$1" 0x20 2
    [ $((status & 2)) != 0 ] && [ $((status >> 8 & 0xff)) = 0 ] || {
        echo "command $2 of $1: status $status"
        return 1
    }
}
crc() { peek $(($(region "$1" 0) + 0x1024)); }
# copy FROM TO: fills, writes into the other's memory, lets it say what is there; reads it back.
copy() {
    seed=$((seed + 1))
    reg "$1" 0x28 $((seed * 0x01010101))
    reg "$1" 0x2c $seed
    command "$1" 3 0 0 16384 || return 1
    want=$(crc "$1")
    command "$1" 2 "$(region "$2" 4)" 0 16384 && command "$2" 4 0 0 16384 || return 1
    [ "$(crc "$2")" = "$want" ] || {
        echo "written: $want, arrived: $(crc "$2")"
        return 1
    }
    command "$1" 1 "$(region "$2" 4)" 32768 16384 && [ "$(crc "$1")" = "$want" ]
}
# count FROM TO: three times FetchAdd 5
count() {
    poke "$(region "$2" 4)" 100
    reg64 "$1" 0x50 5
    for _ in 1 2 3; do
        command "$1" 0x10 "$(region "$2" 4)" 0 4 || return 1
    done
    [ $(($(peek "$(region "$2" 4)"))) = 115 ] && [ $(($(peek "$(region "$1" 4)"))) = 110 ]
}

seed=0
exercisers=$(grep -l 0x00ee /sys/bus/pci/devices/*/device | sed 's|/device$||; s|.*/||' |
    grep -v '^0000:00:')
for d in $exercisers; do
    setpci -s "$d" COMMAND=6
    # Device Control 2: AtomicOp Requester Enable
    setpci -s "$d" CAP_EXP+28.w=0040:0040
done
first=$(echo "$exercisers" | head -n 1)
check 'several exercisers' test "$(echo "$exercisers" | wc -l)" -ge 5
for other in $exercisers; do
    [ "$other" != "$first" ] || continue
    way=$(readlink -f "/sys/bus/pci/devices/$other" | sed 's|.*/pci0000:00/||')
    check "$first copies to $other and back ($way)" copy "$first" "$other"
    check "$other to $first" copy "$other" "$first"
    check "$first counts in $other" count "$first" "$other"
done
check_none 'no error anywhere' "$(for d in /sys/bus/pci/devices/*; do
    cat "$d"/aer_dev_fatal "$d"/aer_dev_nonfatal "$d"/aer_dev_correctable 2>/dev/null
done | grep TOTAL | grep -v ' 0$')"
tap_done
