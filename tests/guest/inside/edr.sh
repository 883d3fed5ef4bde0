#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Containment that the firmware has, told of by Error Disconnect Recover: at a root port with an
# NVMe controller at work, and at a switch port, which the firmware locates.
. /pcilab/lib.sh
disk=$(wait_for_nvme)
nvme=$(basename "$(readlink -f "/sys/block/$disk/device/device")")
parent() { basename "$(dirname "$(readlink -f "/sys/bus/pci/devices/$1")")"; }
rp0=$(parent "$nvme")
ex2=$(lspci -Dn -d 504c:00ee | tail -n 1 | cut -d' ' -f1)
sw1=$(parent "$ex2")
rp2=$(parent "$(parent "$sw1")")
said() {
    what=$1
    shift
    n=0
    while [ $n -lt 300 ]; do
        dmesg >/tmp/said
        missing=
        for pattern; do grep -qE "$pattern" /tmp/said || missing="$missing [$pattern]"; done
        [ -n "$missing" ] || break
        n=$((n + 1))
        usleep 20000
    done
    check_none "$what" "${missing:+missing:$missing; said: $(tail -n 30 /tmp/said)}"
    dmesg -c >/dev/null
}

check 'the kernel can EDR, and gets neither AER nor DPC' sh -c \
    "dmesg | grep -q '_OSC: OS supports .*EDR' &&
     dmesg | grep -q '_OSC: platform does not support \[AER DPC\]'"
check 'the kernel had the firmware switch containment on' test \
    "$(setpci -s "$rp0" ECAP001D+6.w) $(setpci -s "$sw1" ECAP001D+6.w)" = '0011 0011'
dmesg -c >/dev/null
dd if=/dev/urandom of=/tmp/data bs=64k count=64 2>/dev/null
(dd if=/tmp/data of="/dev/$disk" bs=64k oflag=direct 2>/dev/null; echo $? >/tmp/dd.status) &
usleep 10000
setpci -s "$rp0" ECAP001D+6.w=40:40
said 'at a root port: the driver recovers' "$rp0: EDR: EDR event received" \
    "$rp0: DPC: containment event, status:0x[0-9a-f]*: software trigger detected" \
    'frozen state error detected, reset controller' 'restart after slot reset' \
    "$rp0: AER: device recovery successful"
wait
check 'the writes that it interrupted went well' test "$(cat /tmp/dd.status)" = 0
check 'and are there' sh -c "[ \"\$(dd if=/dev/$disk bs=64k count=64 iflag=direct 2>/dev/null |
    sha256sum)\" = \"\$(sha256sum </tmp/data)\" ]"
setpci -s "$sw1" ECAP001D+6.w=40:40
said 'at a switch port: told to the root port' "$rp2: EDR: EDR event received" \
    "$sw1: DPC: containment event, status:0x[0-9a-f]*: software trigger detected" \
    "can't recover"
check 'the function is back' test "$(setpci -s "$ex2" VENDOR_ID)" = 504c
setpci -s "$rp0" ECAP001D+6.w=40:40
said 'and once more' "$rp0: EDR: EDR event received" "$rp0: AER: device recovery successful"
tap_done
