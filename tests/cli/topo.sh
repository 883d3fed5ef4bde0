#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pcilab and pcilab topo: help, trees, mistakes.
. "$SOURCE/tests/cli/lib.sh"

run "$PCILAB" --help
expect 0 '--help' out 'Usage: pcilab COMMAND' out 'Start here:' out 'topo' out 'Exit status:'
run "$PCILAB" --version
expect 0 '--version' out 'pcilab '
run "$PCILAB"
expect 2 'no command: help on stderr' err 'Usage: pcilab COMMAND'
run "$PCILAB" tpoo
error 'an unknown command' 'did you mean "topo"?'
run "$PCILAB" my.ini
error 'a topology without a command' 'pcilab boot my.ini'

run "$PCILAB" topo --help
expect 0 'topo --help' out 'Examples:' out '--keys' out '[root-port rp0]'
for name in minimal default peer two-bridges deep; do
    run "$PCILAB" topo "$name"
    expect 0 "topo $name" out 'machine  ' out 'NVMe'
    cp "$work/out" "$work/by-name"
    run "$PCILAB" topo "$SOURCE/configs/$name.ini"
    cmp -s "$work/out" "$work/by-name"
    point $? "topo $name.ini: the same by its path"
done
# What firmware would make of them, read back by the real lspci: every function once, each field
# known to it and none contradictory.
count_of() { grep -c "^[0-9a-f:]*[0-9a-f][0-9a-f]\.[0-7] $1" "$work/out"; }
for name in minimal:1:1 default:13:14 peer:8:1 two-bridges:6:4 deep:19:6; do
    IFS=: read -r name bridges endpoints <<<"$name"
    run "$PCILAB" topo "$name" --lspci
    expect 0 "topo $name --lspci" out '0000:00:01.0 0604'
    cp "$work/out" "$work/dump"
    run lspci -D -F "$work/dump" -vvv
    expect 0 "lspci -F reads the dump of $name" out 'PCI bridge' out 'Capabilities'
    [ "$(count_of 'PCI bridge')" = "$bridges" ] &&
        [ "$(grep -cE '^[0-9a-f:.]+ (Non-Volatile|Unassigned class)' "$work/out")" = "$endpoints" ]
    point $? "$name: $bridges bridges and $endpoints functions of endpoints"
    # A granularity that software has not told is unknown (PCIe Base 6.0, 7.9.15.3).
    ! grep -nE '!!!|<unknown|[Uu]nknown|rev ff|\[virtual\]|<access denied>|<chain' "$work/out" |
        grep -v 'PTMEffectiveGranularity: Unknown'
    point $? "$name: lspci -vvv knows every field"
done

# lspci knows Readiness Notifications; the queue of FRS messages by name only.
run "$PCILAB" topo readiness --lspci
cp "$work/out" "$work/dump"
run lspci -D -F "$work/dump" -vvv
expect 0 'lspci: readiness' out 'FRS Queueing' out 'FRS+' out 'DRS+' \
    out 'DownstreamComp: Link Up - Present and DRS Received'

LC_ALL=C.UTF-8 run "$PCILAB" topo deep
grep -q '[^ -~]' "$work/out"
point $((1 - $?)) 'plain characters where stdout is no terminal'
LC_ALL=C.UTF-8 script -qc "'$PCILAB' topo deep" "$work/typescript" >/dev/null </dev/null
grep -q '└─ ' "$work/typescript"
point $? 'box drawing on a UTF-8 terminal'

# The example of the manual is what the program prints.
block() { awk -v n="$1" '/^```/ { if (!open) k++; open = !open; next } open && k == n' "$doc"; }
doc=$SOURCE/docs/topology.md
block 1 >"$work/example.ini"
run "$PCILAB" topo "$work/example.ini"
block 2 | sed 1d | diff - "$work/out" >"$work/err"
point $? 'docs/topology.md: its example'
sed -i 's/sw0\.1/sw0.4/' "$work/example.ini"
run "$PCILAB" topo "$work/example.ini"
sed "s,$work/,," "$work/err" | diff - <(block 3 | sed 1d)
point $? 'docs/topology.md: its mistake'

run "$PCILAB" topo --list
expect 0 'topo --list' out 'minimal        The least there is to see'
cut -d' ' -f1 "$work/out" | sort >"$work/names"
basename -s .ini "$SOURCE"/configs/*.ini | sort | diff - "$work/names"
point $? 'topo --list: each file of configs/'
run "$PCILAB" topo --keys
expect 0 'topo --keys' out '[switch NAME]' out 'downstream-width'
run "$PCILAB" topo --keys --markdown
expect 0 'topo --keys --markdown' out '### `[exerciser NAME]`'

run "$PCILAB" topo
error 'no file' 'one topology file is needed'
run "$PCILAB" topo a b
error 'two files' 'one topology file is needed'
run "$PCILAB" topo --kyes
error 'an unknown option' 'pcilab topo --help'
run "$PCILAB" topo "$work/absent.ini"
error 'a file that is not there' "$work/absent.ini: cannot be read: No such file or directory"
run "$PCILAB" topo absent
error 'a name that is not there' 'there is no topology "absent"'
run "$PCILAB" topo "$work"
error 'a directory' 'cannot be read: Is a directory'
run "$PCILAB" topo /dev/zero
error 'a file without an end' '/dev/zero: larger than 1048576 bytes'
run "$PCILAB" topo "$PCILAB"
error 'a program instead of a topology' 'not'

cat >"$work/t.ini" <<'END'
[root-port rp0]
[switch sw0]
at=rp0
downstream=4
[nvme nvme0]
at=sw0.4
END
run "$PCILAB" topo "$work/t.ini"
error 'a mistake: file, line and key' "$work/t.ini:6: [nvme nvme0] at: sw0 has no port"
mkfifo "$work/fifo"
cat "$SOURCE/configs/minimal.ini" >"$work/fifo" &
run "$PCILAB" topo "$work/fifo"
expect 0 'a pipe' out 'nvme0'
finish
