#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pcilab topo --svg: what is in the picture, and what stands in its way.
. "$SOURCE/tests/cli/lib.sh"

if ! command -v dot >/dev/null; then
    echo '1..0 # SKIP no dot: apt-get install graphviz'
    exit 0
fi
# Words of the picture, one a line.
words() { python3 - "$1" <<'END'
import sys, xml.etree.ElementTree as xml
for e in xml.parse(sys.argv[1]).getroot().iter("{http://www.w3.org/2000/svg}text"):
    print(e.text)
END
}
for name in minimal default peer two-bridges deep iommu virtio sriov hotplug; do
    run "$PCILAB" topo "$name" --svg
    words "$work/out" >"$work/words" && [ ! -s "$work/err" ]
    good=$?
    # Every component that a line of the tree begins with, but units and ports.
    while read -r component; do
        grep -qxF "$component" "$work/words" || good=1
    done < <("$PCILAB" topo "$name" | grep -oE '^[^a-z]*[a-z][a-z0-9]*  ' | tr -dc 'a-z0-9\n' |
        grep -vE '^machine|^iommu')
    point $good "$name: well-formed, with every component"
done

# Groups by hand: Linux numbers the root bus first, then what is below each port in turn.
cat >"$work/t.ini" <<'END'
[iommu iommu0]
scope=rp0 rp1
[iommu iommu1]
[root-port rp0]
[root-port rp1]
acs=no
[root-port rp2]
width=8
[exerciser ex0]
at=rp0
functions=2
acs=no
[exerciser ex1]
at=rp1
[nvme nvme0]
at=rp2
width=2
plugged=no
END
run "$PCILAB" topo "$work/t.ini" --svg
words "$work/out" | grep -E '^group' >"$work/groups"
printf 'group %d\n' 0 1 2 3 4 4 2 | diff - "$work/groups" >"$work/err"
point $? 'IOMMU groups, as the lack of ACS makes them'
expect 0 'and the rest of it' out 'iommu0: VT-d' out 'for rp0 rp1' out 'class="u1"' \
    out 'not plugged in' out '16 GT/s ×2' out 'prefers-color-scheme:dark'
cp "$work/out" "$work/first"
run "$PCILAB" topo "$work/t.ini" --svg
cmp -s "$work/out" "$work/first"
point $? 'the same, always'

run "$PCILAB" topo minimal --svg --lspci
error 'one or the other' 'only one of --lspci and --svg'
echo '[root-prot x]' >"$work/bad.ini"
run "$PCILAB" topo "$work/bad.ini" --svg
error 'a wrong topology' 'bad.ini:1:'
mkdir "$work/bin"
run env PATH="$work/bin" "$PCILAB" topo minimal --svg
error 'no graphviz' 'apt-get install graphviz'
# fake TEXT STATUS: a dot that says so.
fake() {
    printf '#!/bin/sh\n/bin/cat >/dev/null\nprintf "%s"\nexit %s\n' "$1" "$2" >"$work/bin/dot"
    chmod +x "$work/bin/dot"
}
for output in '' 'graph 1 1 1\nnode n0 1' 'node n99999 0 0 0 0 0' 'node nx 0 0 0 0 0'; do
    fake "$output" 0
    run env PATH="$work/bin" "$PCILAB" topo minimal --svg
    error "a dot that says \"$output\"" 'graphviz made no picture'
done
fake 'graph' 1
run env PATH="$work/bin" "$PCILAB" topo minimal --svg
error 'a dot that fails' 'graphviz made no picture'
"$PCILAB" topo minimal --svg >/dev/full 2>"$work/err"
status=$?
: >"$work/out"
error 'a full disk' 'the picture is not complete: No space left'
finish
