#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Links with link timing: they carry data, retrain, change speed and come back from a reset.
. /pcilab/lib.sh
disk=$(wait_for_nvme)
check 'an NVMe disk appears' test -n "$disk"
check 'write, read and verify 1 MiB' disk_verify "/dev/$disk" 1
nvme=$(readlink -f "/sys/block/$disk/device/device")
port=${nvme%/*}
below=${port##*/}

reg() { printf '%d' "0x$(setpci -s "$below" "$1")"; }
training() { [ $(($(reg CAP_EXP+12.w) & 0x800)) != 0 ]; }
trained() { for i in 1 2 3 4 5 6 7 8 9 10; do training || return 0; sleep 0.1; done; false; }
retrain() { setpci -s "$below" CAP_EXP+10.w=20:20; }

check 'the link is active' test $(($(reg CAP_EXP+12.w) & 0x2000)) != 0
fast=$(cat "$port/current_link_speed")
setpci -s "$below" CAP_EXP+12.w=4000
setpci -s "$below" CAP_EXP+30.w=1:f
interrupts() {
    awk '/bwctrl/ { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' \
        /proc/interrupts
}
quiet=$(interrupts)
# A training takes some microseconds: an interrupt between the two accesses may miss it.
begins() {
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        status=$(setpci -s "$below" CAP_EXP+10.w=20:20 CAP_EXP+12.w)
        [ $((0x$status & 0x800)) = 0 ] || return 0
    done
    return 1
}
check 'Retrain Link begins a training' begins
check 'which ends' trained
check 'with the target speed' grep -q '^2.5 GT/s' "$port/current_link_speed"
# Newer kernels have a driver for it, which takes the interrupt and clears the bit.
told() {
    [ $(($(reg CAP_EXP+12.w) & 0x4000)) != 0 ] || [ "$(interrupts)" -gt "$quiet" ]
}
check 'and a bandwidth notification' told
check 'the slow link carries data' disk_verify "/dev/$disk" 1
setpci -s "$below" CAP_EXP+30.w=4:f
retrain
check 'retrained' trained
check 'it is fast again' test "$(cat "$port/current_link_speed")" = "$fast"

echo bus >"$nvme/reset_method"
check 'a hot reset takes its time and ends' sh -c "echo 1 >$nvme/reset"
check 'the link is active again' test $(($(reg CAP_EXP+12.w) & 0x2000)) != 0
disk=$(wait_for_nvme)
check 'the disk works after the reset' disk_verify "/dev/$disk" 1
check_none 'no warning, oops or stall' "$(dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace')"
tap_done
