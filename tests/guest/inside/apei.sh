#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Errors that the firmware tells of, injected by the stock einj: the error record, and what the
# kernel makes of it. The last one is fatal; the boot after it finds it in the boot error record.
. /pcilab/lib.sh
einj=/sys/kernel/debug/apei/einj
trace=/sys/kernel/tracing

mount -t debugfs debug /sys/kernel/debug
mount -t tracefs trace $trace 2>/dev/null
disk=$(wait_for_nvme)
nvme=$(basename "$(readlink -f "/sys/block/$disk/device/device")")

# said PATTERN...: the kernel says each of it, within some seconds; then it is forgotten.
said() {
    what=$1
    shift
    n=0
    while [ $n -lt 200 ]; do
        dmesg >/tmp/said
        missing=
        for pattern; do grep -qE "$pattern" /tmp/said || missing="$missing [$pattern]"; done
        [ -n "$missing" ] || break
        n=$((n + 1))
        usleep 20000
    done
    check_none "$what" "${missing:+missing:$missing; said: $(tail -n 40 /tmp/said)}"
    dmesg -c >/dev/null
}
# traced NAME PATTERN: an aer_event.
traced() {
    check "$1: aer_event" grep -E "$2" $trace/trace
    echo >$trace/trace
}

# --- after the fatal error ------------------------------------------------------------------------
if dmesg | grep -q 'BERT: Error records from previous boot'; then
    tap_count=$(dd if="/dev/$disk" bs=512 count=1 2>/dev/null | tr -d '\0')
    if grep -q pcilab.fatal=pcie /proc/cmdline; then
        said 'the boot error record has the error of PCI Express' 'event severity: fatal' \
            'section_type: PCIe error' 'fru_text: ex0'
        tap_done
        exit
    fi
    said 'the boot error record has what ended the last boot' \
        'BERT: Total records found: 1' 'event severity: fatal' 'section_type: memory error' \
        'physical_address: 0x0*10000000' 'error_type: 3, multi-bit ECC'
    tap_done
    exit
fi

# --- tables ---------------------------------------------------------------------------------------
check 'the kernel has firmware-first mode' sh -c \
    "dmesg | grep -q 'GHES: APEI firmware first mode is enabled by APEI bit and WHEA _OSC'"
check 'the kernel does not get Advanced Error Reporting' sh -c \
    "dmesg | grep '_OSC: platform does not support' | grep -q AER"
check 'no boot error record yet' sh -c "! dmesg | grep -q 'BERT: Error records'"
modprobe einj || exit
check 'the types of errors' test "$(cut -c1-10 $einj/available_error_type | tr '\n' ' ')" = \
    '0x00000008 0x00000010 0x00000020 0x00000040 0x00000080 0x00000100 '
check 'no complaints' sh -c "! dmesg | grep -E 'Firmware Bug|ACPI (BIOS )?(Error|Warning)'"
echo 1 >$trace/events/ras/aer_event/enable
dmesg -c >/dev/null

# --- PCI Express ----------------------------------------------------------------------------------
# pcie TYPE FUNCTION: 4 is the flag for a function's number. The kernel shows two records in 5 s.
pcie() {
    sleep 3
    sbdf=$(echo "$2" | {
        IFS=:. read -r s b d f
        echo $((0x$s << 24 | 0x$b << 16 | 0x$d << 11 | 0x$f << 8))
    })
    echo 4 >$einj/flags
    echo "$sbdf" >$einj/param4
    echo "$1" >$einj/error_type
    echo 1 >$einj/error_inject
}
# shellcheck disable=SC2046
set -- $(lspci -Dn -d 504c:00ee | cut -d' ' -f1)
ex0=$1 ex1=$2
if grep -q pcilab.fatal=pcie /proc/cmdline; then
    pcie 0x100 "$ex0"
    sleep 60
fi
port=$(basename "$(dirname "$(readlink -f "/sys/bus/pci/devices/$ex1")")")

pcie 0x40 "$ex1"
said 'correctable, polled' 'Hardware error from APEI Generic Hardware Error Source: 0' \
    'event severity: corrected' 'section_type: PCIe error' 'fru_text: ex1' "device_id: $ex1" \
    "$ex1:.* RxErr"
traced 'correctable' "$ex1 PCIe Bus Error: severity=Corrected, Receiver Error"
pcie 0x80 "$nvme"
said 'non-fatal: the driver is asked' 'Hardware error from APEI Generic Hardware Error Source: 1' \
    'event severity: recoverable' 'Error 0, type: recoverable' "device_id: $nvme" \
    "$nvme: .*CmpltTO" 'device recovery successful'
traced 'non-fatal' "$nvme PCIe Bus Error: severity=Uncorrected, non-fatal, Completion Timeout"
pcie 0x100 "$nvme"
said 'fatal: the driver recovers' 'Error 0, type: fatal' "device_id: $nvme" "$nvme: .*MalfTLP" \
    'frozen state error detected, reset controller' 'Root Port link has been reset' \
    'restart after slot reset' 'device recovery successful'
traced 'fatal' "$nvme PCIe Bus Error: severity=Fatal, Malformed TLP"
check 'and works' dd if="/dev/$disk" of=/dev/null bs=64k count=16 iflag=direct
pcie 0x80 "$port"
said 'at a switch port' 'port_type: 6, downstream switch port' "device_id: $port" \
    'secondary_bus: 0x0[1-9]'
pcie 0x80 "$(lspci -Dn -d ::0807 | cut -d' ' -f1)"
said 'at the event collector' 'port_type: 10, root complex event collector'
check 'nothing is left in status registers' test \
    "$(setpci -s "$nvme" ECAP_AER+4.l ECAP_AER+10.l | tr '\n' ' ')" = '00000000 00000000 '
echo 0x00ff0000 >$einj/param4
check 'who does not exist: refused' sh -c "! echo 1 >$einj/error_inject"
# The kernel's own counters are of native errors only: firmware has these.
pcie 0x100 "$ex0"
said 'fatal without a driver' "device_id: $ex0" "can't recover"

# --- memory ---------------------------------------------------------------------------------------
memory() {
    sleep 3
    echo 2 >$einj/flags
    echo "$2" >$einj/param1
    echo 0xfffffffffffff000 >$einj/param2
    echo "$1" >$einj/error_type
    echo 1 >$einj/error_inject
}
memory 0x8 0x12340000
said 'memory, correctable' 'Error Source: 0' 'section_type: memory error' \
    'physical_address: 0x0*12340000' 'error_type: 2, single-bit ECC'
memory 0x10 0x12345000
said 'memory, not correctable: the page is gone' 'Memory failure: 0x12345: '

# --- the end --------------------------------------------------------------------------------------
echo "$tap_count" | dd of="/dev/$disk" conv=sync bs=512 oflag=direct 2>/dev/null
memory 0x20 0x10000000
sleep 60
