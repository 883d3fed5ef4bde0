#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Downstream Port Containment under the stock driver, which recovers: an NVMe controller while it
# works, an exerciser that nobody drives.
. /pcilab/lib.sh
pci=/sys/bus/pci/devices

parent() { basename "$(dirname "$(readlink -f "$pci/$1")")"; }
disk=$(wait_for_nvme)
check 'an NVMe disk appears' test -n "$disk"
nvme=$(basename "$(readlink -f "/sys/block/$disk/device/device")")
rp0=$(parent "$nvme")
exercisers=$(lspci -Dn -d 504c:00ee | cut -d' ' -f1)
# shellcheck disable=SC2086
set -- $exercisers
ex0=$1 ex1=$2 ex2=$3
rp1=$(parent "$ex0")
sw0=$(parent "$ex1")
sw1=$(parent "$ex2")

dpc() { echo "ECAP001D+$1.w"; }
control() { setpci -s "$1" "$(dpc 6)$2"; }
# said PATTERN...: the kernel says each of it, within some seconds.
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

for port in "$rp0" "$rp1" "$sw0" "$sw1"; do
    check "the driver takes $port" sh -c "dmesg | grep -q '$port: DPC: enabled with IRQ'"
done
caps='RPExt+ PoisonedTLP+ SwTrigger+ RP PIO Log 4, DL_ActiveErr+'
check 'its root ports have RP Extensions' sh -c \
    "dmesg | grep -q '$rp0: DPC: error containment capabilities: Int Msg #0, $caps'"
check 'lspci knows all of it' sh -c "lspci -vvv -s $rp0 | grep -A3 'Downstream Port Containment' |
    tr -d '\n' | grep '$caps.*Trigger:1.*INT+'"
dmesg -c >/dev/null

# --- a controller at work -------------------------------------------------------------------------
dd if=/dev/urandom of=/tmp/data bs=64k count=128 2>/dev/null
(dd if=/tmp/data of="/dev/$disk" bs=64k oflag=direct 2>/tmp/dd.err; echo $? >/tmp/dd.status) &
usleep 20000
control "$rp0" =41:41 # software trigger
said 'software trigger: the controller comes back' \
    "$rp0: DPC: containment event, status:0x[0-9a-f]*: software trigger detected" \
    "nvme nvme0: frozen state error detected, reset controller" \
    "nvme nvme0: restart after slot reset" "$rp0: AER: device recovery successful"
wait
check 'the writes that it interrupted went well' test "$(cat /tmp/dd.status)" = 0
check 'and what was written is there' sh -c \
    "dd if=/dev/$disk bs=64k count=128 iflag=direct 2>/dev/null | cmp - /tmp/data"

# --- an error; the root port is busy for a while --------------------------------------------------
setpci -s "$ex0" COMMAND=6:6
base=$(sed -n 's/ .*//p' "$pci/$ex0/resource" | head -n 1)
setpci -s "$ex0" CAP_EXP+8.w=f:f
emit() { # KIND: the exerciser sends a malformed TLP
    devmem $((base + 0x1000)) 64 0x2000
    devmem $((base + 0x1010)) 32 0
    devmem $((base + 0x1014)) 32 0
    devmem $((base + 0x1028)) 32 "$1"
    devmem $((base + 0x101c)) 32 0x20
}
emit 1
said 'an error that the root port finds' \
    "$rp1: DPC: containment event, status:0x[0-9a-f]*: unmasked uncorrectable error detected" \
    "$rp1: PCIe Bus Error: severity=Uncorrect(ed|able) \(Fatal\)" '\[18\] MalfTLP'
# until DEVICE REGISTER VALUE, or two seconds
until_reads() {
    n=0
    while [ "$(setpci -s "$1" "$2")" != "$3" ] && [ $n -lt 100 ]; do
        n=$((n + 1))
        usleep 20000
    done
}
until_reads "$rp1" "$(dpc 8)" 1f00
check 'the link is back' test "$(setpci -s "$ex0" VENDOR_ID)" = 504c
check 'containment is over, no error is first' test "$(setpci -s "$rp1" "$(dpc 8)")" = 1f00

# --- below a switch -------------------------------------------------------------------------------
dmesg -c >/dev/null
control "$sw0" =41:41
said 'a downstream port of a switch' \
    "$sw0: DPC: containment event, status:0x[0-9a-f]*: software trigger detected"
check 'its neighbour goes on' test "$(setpci -s "$ex2" VENDOR_ID)" = 504c
until_reads "$ex1" VENDOR_ID 504c
check 'and it comes back' test "$(setpci -s "$ex1" VENDOR_ID)" = 504c
tap_done
