#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Errors by traffic: what the exercisers provoke, the stock AER driver has to name.
. /pcilab/lib.sh

# --- exercisers -----------------------------------------------------------------------------------
functions=$(lspci -Dn -d 504c:00ee | cut -d' ' -f1)
# shellcheck disable=SC2086
set -- $functions # the integrated one is on bus 0
ex4=$1 ex0=$2 ex1=$3 ex2=$4 ex3=$6
parent() { basename "$(dirname "$(readlink -f "/sys/bus/pci/devices/$1")")"; }
bar() { sed -n "$(($2 + 1))s/ .*//p" "/sys/bus/pci/devices/$1/resource"; }
rid() { echo "0x$(echo "$1" | sed 's/.*:\(..\):\(..\)\.\(.\)/\1 \2 \3/' |
    { read -r b d f; printf '%02x%02x' $((0x$b)) $((0x$d << 3 | f)); })"; }
for f in $functions; do setpci -s "$f" COMMAND=6:6; done

reg() { devmem $(($(bar "$1" 0) + $2)) 32; }
# go DEVICE COMMAND ADDRESS [LENGTH [ATTR [PATTERN [STEP]]]]: channel 0 does it; prints the result.
go() {
    base=$(($(bar "$1" 0) + 0x1000))
    devmem $((base)) 64 "$3"
    devmem $((base + 0x10)) 32 "${4:-4}"
    devmem $((base + 0x14)) 32 "${5:-0}"
    devmem $((base + 0x28)) 32 "${6:-0}"
    devmem $((base + 0x2c)) 32 "${7:-0}"
    devmem $((base + 0x1c)) 32 "$2"
    while status=$(devmem $((base + 0x20)) 32) && [ $((status & 3)) = 1 ]; do :; done
    echo $((status >> 8))
}
# fault DEVICE KIND [COUNT]: what becomes of its next accesses to memory.
fault() {
    devmem $(($(bar "$1" 0) + 0x64)) 32 "$2"
    devmem $(($(bar "$1" 0) + 0x68)) 32 "${3:-1}"
}
READ=1 WRITE=2 EMIT=0x20
POISON=0x1000 BAD_ECRC=0x2000
NOWHERE=0x7000000000

# --- AER registers --------------------------------------------------------------------------------
STATUS=4 MASK=8 SEVERITY=c COR_STATUS=10 COR_MASK=14 CONTROL=18
aer_set() { setpci -s "$1" "ECAP_AER+$2.l=$3"; }
advisory() { aer_set "$1" $COR_MASK "$2:2000"; } # 0: told, 2000: masked
forget() {
    dmesg -c >/dev/null
    set --
    for f in $ports $functions; do
        set -- "$@" -s "$f" "ECAP_AER+$STATUS.l=ffffffff" "ECAP_AER+$COR_STATUS.l=ffffffff"
    done
    setpci "$@"
}
# provoked NAME PATTERN...: the kernel says each of it about what was just done.
provoked() {
    what=$1
    shift
    n=0
    while [ $n -lt 40 ]; do
        # Newer kernels write 0x before each doubleword of a header.
        dmesg | sed '/TLP Header/s/ 0x/ /g' >/tmp/said
        missing=
        for pattern; do grep -qE "$pattern" /tmp/said || missing="$missing [$pattern]"; done
        [ -n "$missing" ] || break
        n=$((n + 1))
        usleep 10000
    done
    check_none "$what" "${missing:+missing:$missing; said: $(cat /tmp/said)}"
    forget
}
root0=$(parent "$ex0")
switch0=$(parent "$ex1") # the downstream port
up=$(parent "$switch0")
root1=$(parent "$up")
root2=$(parent "$ex3")
collector=$(lspci -Dn -d ::0807 | cut -d' ' -f1)
ports="$root2 $root0 $root1 $up $switch0 $(parent "$ex2") $collector"
r0=$(rid "$ex0")
non_fatal='severity=Uncorrect(ed|able) \(Non-Fatal\)'
fatal='severity=Uncorrect(ed|able) \(Fatal\)'
correctable='severity=Correct(ed|able)'
header() { printf 'TLP Header: %08x %08x %08x' "$1" "$2" "$3"; }
# Newer kernels leave messages out when there are many: not now.
for limit in /sys/bus/pci/devices/*/aer/*_ratelimit_interval_ms; do
    [ ! -e "$limit" ] || echo 0 >"$limit"
done
check 'root ports and the event collector report errors' \
    sh -c "dmesg | grep -c 'AER: enabled' | grep -x 4"
forget

# --- at the root port -----------------------------------------------------------------------------
go "$ex0" $WRITE $NOWHERE >/dev/null
provoked 'UR: a write to nowhere is the root port'\''s error' \
    "$root0: PCIe Bus Error: $non_fatal" 'Transaction Layer' '\[20\] UnsupReq' \
    "$(header 0x60000001 $((r0 << 16 | 0xf)) 0x70)"
advisory "$root0" 0
check 'UR: a read from nowhere fails' test "$(go "$ex0" $READ $NOWHERE)" = 1
provoked 'UR: and is an advisory error' "$root0: PCIe Bus Error: $correctable" '\[13\] NonFatalErr'
advisory "$root0" 2000
go "$ex0" $WRITE 0x1000 4 $POISON >/dev/null
provoked 'poisoned: a write to memory' "$root0: PCIe Bus Error: $non_fatal" '\[12\] TLP' \
    "$(header 0x40004001 $((r0 << 16 | 0xf)) 0x1000)"
aer_set "$root0" $CONTROL 100:100
go "$ex0" $WRITE 0x1000 4 $BAD_ECRC >/dev/null
provoked 'ECRC: a write with a wrong digest' "$root0: PCIe Bus Error: $non_fatal" '\[19\] ECRC' \
    "$(header 0x40008001 $((r0 << 16 | 0xf)) 0x1000)"
for f in "$root0" "$ex0"; do aer_set "$f" $CONTROL 140:140; done
check 'ECRC: where all have one nothing is wrong' test "$(go "$ex0" $READ 0x1000 4096)" = 0
check_none 'ECRC: and nothing is said' "$(dmesg)"
fault "$ex0" 5
devmem "$(bar "$ex0" 4)" 32 >/dev/null
provoked 'ECRC: of a completion, which then is missing' "$root0.*$non_fatal" '\[19\] ECRC' \
    '\[14\] CmpltTO'
for f in "$root0" "$ex0"; do aer_set "$f" $CONTROL 0:140; done
fault "$ex0" 3
check 'timeout: the processor reads all ones' \
    test "$(devmem "$(bar "$ex0" 4)" 32)" = 0xFFFFFFFF
provoked 'timeout: at the root port' "$root0: PCIe Bus Error: $non_fatal" '\[14\] CmpltTO'
aer_set "$root0" $SEVERITY 0:40000
for kind in 1 2 3 4 5; do
    go "$ex0" $EMIT 0x2000 0 0 $kind >/dev/null
    provoked "malformed: kind $kind" "$root0: PCIe Bus Error: $non_fatal" '\[18\] MalfTLP' \
        'TLP Header: [0-9a-f]{8} [0-9a-f]{8}'
done
aer_set "$root0" $SEVERITY 40000:40000
go "$ex0" $EMIT 0 0 0 6 >/dev/null
provoked 'UR: a message of no known code' "$root0: PCIe Bus Error: $non_fatal" '\[20\] UnsupReq'
advisory "$root0" 0
go "$ex0" $EMIT 0 0 0 7 0 >/dev/null
provoked 'unexpected completion: advisory' "$root0: PCIe Bus Error: $correctable" 'NonFatalErr'
advisory "$root0" 2000

# --- at the endpoint ------------------------------------------------------------------------------
fault "$ex0" 2
devmem $(($(bar "$ex0" 4))) 32 0x1234
provoked 'CA: a write that the endpoint aborts' "$ex0: PCIe Bus Error: $non_fatal" \
    '\[15\] CmpltAbrt' "TLP Header: [46]0000001"
advisory "$ex0" 0
fault "$ex0" 2
check 'CA: a read of all ones' test "$(devmem "$(bar "$ex0" 4)" 32)" = 0xFFFFFFFF
provoked 'CA: of a read is advisory' "$ex0: PCIe Bus Error: $correctable" 'NonFatalErr'
advisory "$ex0" 2000
address=$(bar "$ex0" 0)
setpci -s "$ex0" COMMAND=0:2
devmem $((address)) 32 5
setpci -s "$ex0" COMMAND=2:2
provoked 'UR: a write to a BAR that is off' "$ex0: PCIe Bus Error: $non_fatal" '\[20\] UnsupReq' \
    "TLP Header: 40000001 [0-9a-f]{8} $(printf '%08x' $((address)))"
check 'Status: aborts and parity' sh -c "setpci -s $ex0 STATUS | grep -E '^[89abcdef]|^.[89ab]'"

# --- through a switch, and between endpoints ------------------------------------------------------
advisory "$switch0" 0
go "$ex1" $WRITE 0x1000 4 $POISON >/dev/null
provoked 'poisoned: on its way a switch only notes it' "$switch0: PCIe Bus Error: $correctable" \
    'NonFatalErr' "$root1: PCIe Bus Error: $non_fatal" '\[12\] TLP'
advisory "$switch0" 2000
fault "$ex2" 4
check 'poisoned: a read between endpoints' test "$(go "$ex1" $READ "$(bar "$ex2" 4)")" = 4
fault "$ex2" 3
check 'timeout: a read between endpoints' test "$(go "$ex1" $READ "$(bar "$ex2" 4)")" = 3
provoked 'timeout: at the endpoint that asked' "$ex1: PCIe Bus Error: $non_fatal" '\[14\] CmpltTO'
go "$ex1" $WRITE "$(bar "$ex2" 2)" 4 $BAD_ECRC >/dev/null
check_none 'ECRC: who does not check says nothing' "$(dmesg)"
aer_set "$ex2" $CONTROL 100:100
go "$ex1" $WRITE "$(bar "$ex2" 2)" 4 $BAD_ECRC >/dev/null
provoked 'ECRC: who checks does' "$ex2: PCIe Bus Error: $non_fatal" '\[19\] ECRC'
aer_set "$ex2" $CONTROL 0:100

# --- at an integrated endpoint, by the event collector --------------------------------------------
fault "$ex4" 2
devmem $(($(bar "$ex4" 4))) 32 0x1234
provoked 'integrated: CA of a write' "$collector: AER:.*$ex4" \
    "$ex4: PCIe Bus Error: $non_fatal" '\[15\] CmpltAbrt' "TLP Header: [46]0000001"
advisory "$ex4" 0
fault "$ex4" 1
check 'integrated: UR of a read' test "$(devmem "$(bar "$ex4" 4)" 32)" = 0xFFFFFFFF
provoked 'integrated: which is advisory' "$collector: AER:.*$ex4" \
    "$ex4: PCIe Bus Error: $correctable" 'NonFatalErr'
advisory "$ex4" 2000
fault "$ex0" 3
check 'integrated: a read of an endpoint that does not answer' \
    test "$(go "$ex4" $READ "$(bar "$ex0" 4)")" = 3
provoked 'integrated: completion timeout' "$collector: AER:.*$ex4" \
    "$ex4: PCIe Bus Error: $non_fatal" '\[14\] CmpltTO'

# --- AtomicOps and Deferrable Memory Writes that a port keeps in ---------------------------------
switch1=$(parent "$ex2")
# logged DEVICE BIT COMMAND: what an advisory error leaves in the log. The kernel is not told of it,
# as newer ones clear what they have read.
logged() {
    setpci -s "$1" CAP_EXP+8.w=0:1
    go "$ex1" "$3" "$(bar "$ex2" 4)" >/dev/null
    left="$(setpci -s "$1" "ECAP_AER+$STATUS.l" "ECAP_AER+$CONTROL.l" | tr '\n' ' ')"
    forget
    setpci -s "$1" CAP_EXP+8.w=1:1
    [ $((0x${left%% *})) = $((1 << $2)) ] && left=${left#* } && [ $((0x$left & 0x1f)) = "$2" ]
}
FETCHADD=0x10 DMWR=0x13
setpci -s "$ex1" CAP_EXP+28.w=40:40 ECAP2f+8.l=1:1
check 'AtomicOp: passes the switch' test "$(go "$ex1" $FETCHADD "$(bar "$ex2" 4)")" = 0
check 'DMWr: passes the switch' test "$(go "$ex1" $DMWR "$(bar "$ex2" 4)")" = 0
setpci -s "$switch1" CAP_EXP+28.w=80:80 ECAP2f+8.l=2:2
advisory "$switch1" 0
check 'AtomicOp: blocked' test "$(go "$ex1" $FETCHADD "$(bar "$ex2" 4)")" = 1
provoked 'AtomicOp: and tells' "$switch1: PCIe Bus Error: $correctable" 'NonFatalErr'
check 'AtomicOp: the port of the way out logs it' logged "$switch1" 24 $FETCHADD
check 'DMWr: blocked' test "$(go "$ex1" $DMWR "$(bar "$ex2" 4)")" = 1
provoked 'DMWr: and tells' "$switch1: PCIe Bus Error: $correctable" 'NonFatalErr'
check 'DMWr: the port of the way out logs it' logged "$switch1" 27 $DMWR
aer_set "$switch1" $MASK 9000000:9000000
go "$ex1" $FETCHADD "$(bar "$ex2" 4)" >/dev/null
check 'AtomicOp: masked, only the bit is set' test \
    "$(setpci -s "$switch1" "ECAP_AER+$STATUS.l" "ECAP_AER+$CONTROL.b" | tr '\n' ' ')" = \
    '01000000 00 '
aer_set "$switch1" $MASK 0:9000000
advisory "$switch1" 2000
setpci -s "$switch1" CAP_EXP+28.w=0:80 ECAP2f+8.l=0:2
forget

# --- TLP prefixes: kept in, and of a kind that nobody takes ---------------------------------------
check 'prefixes: pass the switch' test "$(go "$ex1" $READ "$(bar "$ex2" 4)" 4 0x30000)" = 0
setpci -s "$switch1" CAP_EXP+28.w=8000:8000
go "$ex1" $WRITE "$(bar "$ex2" 4)" 4 0x20000 >/dev/null
check 'prefixes: blocked ones are in the log' \
    test "$(setpci -s "$switch1" ECAP_AER+38.l ECAP_AER+3c.l ECAP_AER+40.l | tr '\n' ' ')" = \
    '9e000000 9e000001 00000000 '
provoked 'prefixes: blocked' "$switch1: PCIe Bus Error: $non_fatal" '\[25\] TLPBlockedErr'
setpci -s "$switch1" CAP_EXP+28.w=0:8000
aer_set "$switch0" $SEVERITY 0:40000
go "$ex1" $EMIT "$(bar "$ex2" 4)" 0 0 9 >/dev/null
provoked 'prefixes: a local one is malformed' "$switch0: PCIe Bus Error: $non_fatal" \
    '\[18\] MalfTLP'
aer_set "$switch0" $SEVERITY 40000:40000
go "$ex1" $EMIT "$(bar "$ex2" 4)" 0 0 10 77 >/dev/null
provoked 'prefixes: a PASID that the endpoint has no use for' \
    "$ex2: PCIe Bus Error: $non_fatal" '\[20\] UnsupReq'

# --- Access Control Services ----------------------------------------------------------------------
acs() { setpci -s "$1" "ECAP_ACS+6.w=$2"; }
acs "$switch0" 1
go "$ex1" $EMIT 0x3000 0 0 8 0x0042 >/dev/null
provoked 'ACS: a source that is not below the port' "$switch0: PCIe Bus Error: $non_fatal" \
    '\[21\] ACSViol'
acs "$switch0" 2
go "$ex1" $WRITE 0x3000 4 0x200 >/dev/null
provoked 'ACS: a translated address' "$switch0: PCIe Bus Error: $non_fatal" '\[21\] ACSViol'
acs "$switch0" 0x20
setpci -s "$switch0" ECAP_ACS+8.l=ffffffff
check 'ACS: egress control aborts a read' test "$(go "$ex1" $READ "$(bar "$ex2" 4)")" = 2
go "$ex1" $WRITE "$(bar "$ex2" 4)" >/dev/null
provoked 'ACS: egress control' "$switch0: PCIe Bus Error: $non_fatal" '\[21\] ACSViol'
acs "$switch0" 0x4
check 'ACS: redirected, the root port refuses' test "$(go "$ex1" $READ "$(bar "$ex2" 4)")" = 1
acs "$root1" 0x10
acs "$switch0" 0x1d
acs "$(parent "$ex2")" 0x1d
check 'ACS: redirected, the root port sends it back' test "$(go "$ex1" $READ "$(bar "$ex2" 4)")" = 0
for f in "$root1" "$switch0" "$(parent "$ex2")"; do acs "$f" 0; done
forget

# --- Request Retry Status -------------------------------------------------------------------------
devmem $(($(bar "$ex0" 0) + 0x6c)) 32 150000
check 'RRS: visible to software' sh -c "lspci -vvs $root0 | grep -q 'RootCap: CRSVisible+'"
check 'RRS: a reset takes its time' sh -c "echo 1 >/sys/bus/pci/devices/$ex0/reset"
check 'RRS: and the device is back' test "$(setpci -s "$ex0" VENDOR_ID)" = 504c
setpci -s "$ex0" COMMAND=6:6
check 'RRS: with its registers' test "$(reg "$ex0" 0)" = 0x58454C50
forget

# --- the link: faults come after so many TLPs (tests/guest/aer.py) --------------------------------
for f in "$root2" "$ex3"; do aer_set "$f" $COR_MASK ffffffff; done
for f in "$root2" "$ex3"; do aer_set "$f" $SEVERITY 0:2010; done
setpci -s "$ex3" CAP_EXP+8.w=0000:7000 # requests of 128 bytes
for mib in 1 2 3 4; do go "$ex3" $READ 0x1000000 0x100000 >/dev/null; done
has() { [ $((0x$(setpci -s "$1" "ECAP_AER+$COR_STATUS.l") & $2)) = $(($2)) ]; }
check 'link: bad TLP, bad DLLP, receiver error at the root port' has "$root2" 0xc1
check 'link: replay rollover and replay timeout at the endpoint' has "$ex3" 0x1100
echo "# $(setpci -s "$root2" "ECAP_AER+$COR_STATUS.l") $(setpci -s "$ex3" "ECAP_AER+$COR_STATUS.l")"
provoked 'link: acknowledged what was never sent, and more credits than can be' \
    "$root2: PCIe Bus Error: $non_fatal" 'Data Link Layer' '\[ 4\] DLP' \
    "$ex3: PCIe Bus Error: $non_fatal" 'Transaction Layer' '\[13\] FCP'
for f in "$root2" "$ex3"; do aer_set "$f" $SEVERITY 2010:2010; done
forget
for f in "$root2" "$ex3"; do aer_set "$f" $COR_MASK e000; done
for mib in 1 2 3; do go "$ex3" $READ 0x1000000 0x100000 >/dev/null; done
provoked 'link: receiver overflow' "$root2: PCIe Bus Error: $fatal" '\[17\] RxOF' \
    "$root2: PCIe Bus Error: $correctable" 'Data Link Layer' '\[ 6\] BadTLP'

# --- fatal: the kernel resets the link ------------------------------------------------------------
aer_set "$root0" $SEVERITY 10000:10000
go "$ex0" $EMIT 0 0 0 7 0 >/dev/null
provoked 'unexpected completion: fatal' "$root0: PCIe Bus Error: $fatal" '\[16\] UnxCmplt' \
    'TLP Header: 0a00000. '
aer_set "$root0" $SEVERITY 0:10000
echo "# $(cat /proc/uptime)"
while [ $((0x$(setpci -s "$switch1" CAP_EXP+12.w) & 0x2000)) != 0 ]; do sleep 1; done
provoked 'surprise down' "$switch1: PCIe Bus Error: $fatal" '\[ 5\] SDES'
tap_done
