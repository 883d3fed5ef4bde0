#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pcilab conform: the model, dumps, a made-up sysfs; filters, reports, mistakes.
. "$SOURCE/tests/cli/lib.sh"

run "$PCILAB" conform --help
expect 0 'conform --help' out 'Examples:' out '--backend' out 'Exit status:'
run "$PCILAB" conform
expect 0 'the model: nothing fails' out 'TAP version 13' out '(model)'
! grep -q '^not ok' "$work/out"
point $? 'no line says that something failed'
for name in default dpc hotplug ats sriov virtio dsa two-bridges readiness peer iommu-slow \
    virtio-iommu iommu firmware-first; do
    run "$PCILAB" conform "$name"
    expect 0 "topology $name: nothing fails" out 'TAP version 13'
done

# VT-d units that lack this and that: what they lack is reserved.
{
    printf '[machine]\nmemory=64M\n[root-port rp0]\n[exerciser ex0]\nat=rp0\n[iommu iommu0]\n'
    echo width=48
} >"$work/unit.ini"
for keys in \
    'scalable pass-through interrupt-remapping snoop large-pages protected-memory device-tlb' \
    'x2apic posted nested large-pages page-requests coherent' 'first-stage' 'second-stage'; do
    { cat "$work/unit.ini" && printf '%s=no\n' $keys; } >"$work/less.ini"
    run "$PCILAB" conform "$work/less.ini" --group=vtd
    expect 0 "a unit without $keys: nothing fails" out 'ok 400 - vtd.'
done

{ grep -v width "$work/unit.ini" && printf 'face=virtio\nbypass-config=no\nwidth=39\n'; } \
    >"$work/less.ini"
run "$PCILAB" conform "$work/less.ini" --group=virtio-iommu
expect 0 'a virtio-iommu without bypass-config: nothing fails' out 'ok 50 - viommu.'

# Names are stable and each stands for one thing.
run "$PCILAB" conform --list
expect 0 'conform --list' out 'pcie.devctl.mps' out 'PCI Express Base 6.0'
[ "$(wc -l <"$work/out")" -ge 400 ]
point $? 'there are 400 assertions'
[ -z "$(cut -d' ' -f1 "$work/out" | sort | uniq -d)" ]
point $? 'no two have one name'
run "$PCILAB" conform --list --markdown
sed '1,/^<!-- `pcilab conform/d' "$SOURCE/docs/conformance.md" | diff - "$work/out" >"$work/diff"
status=$?
point $status 'docs/conformance.md ends as conform --list --markdown prints'

run "$PCILAB" conform --group=aer --component=ex0 --section=7.8.4.3
expect 0 'filters' out 'ok 1 - aer.uncor_mask.' out 'ex0 (0000:'
! grep '^ok' "$work/out" | grep -qv 'aer.uncor_mask.* ex0'
point $? 'filters: nothing else'
run "$PCILAB" conform --id=header.command --tap="$work/tap" --junit="$work/junit" \
    --json="$work/json" --html="$work/html"
expect 0 'four reports'
[ ! -s "$work/out" ] && [ -s "$work/tap" ] && python3 - "$work" <<'PY'
import json, re, sys, xml.etree.ElementTree as xml
work = sys.argv[1]
tap = open(work + "/tap").read()
cases = json.load(open(work + "/json"))
suites = xml.parse(work + "/junit").getroot()
plan = int(re.search(r"^1\.\.(\d+)$", tap, re.M)[1])
assert plan == len(cases["results"]) == len(list(suites.iter("testcase"))) > 100
assert cases["pass"] == sum(c["outcome"] == "pass" for c in cases["results"])
assert open(work + "/html").read().count("<tr class=") == plan
assert all(c["requirement"].endswith(".") and c["section"] for c in cases["results"])
assert all("reason" in c for c in cases["results"] if c["outcome"] != "pass")
PY
point $? 'they agree with each other'
echo earlier >"$work/kept"
run "$PCILAB" conform --id=header.command --json=/dev/full/x
error_status=2
expect 2 'a report that cannot be written' err 'cannot be written'
run bash -c '"$0" conform --id=header.command >/dev/full' "$PCILAB"
expect 2 'standard output is full' err 'cannot be written'

# A dump of a topology of ours is as good as the machine.
"$PCILAB" topo default --lspci >"$work/dump"
run "$PCILAB" conform --backend=dump "$work/dump"
expect 0 'a dump: nothing fails' out '(dump)' out 'nothing can be written here'
cp "$work/out" "$work/good"
# Bit 15 of Device Status is reserved.
python3 - "$work/dump" "$work/wrong" <<'PY'
import re, sys
lines = open(sys.argv[1]).read().split("\n")
space, place = {}, {}
for n, line in enumerate(lines):
    if re.match(r"^\S+:\S+ ", line) and not re.match(r"^[0-9a-f]+: ..( |$)", line):
        if 0x34 in space and space[0x06] & 0x10:
            break
        space, place = {}, {}
    elif m := re.match(r"^([0-9a-f]+): (.*)$", line):
        for i, b in enumerate(m[2].split()):
            space[int(m[1], 16) + i] = int(b, 16)
            place[int(m[1], 16) + i] = (n, i)
at = space[0x34]
while space[at] != 0x10:
    at = space[at + 1]
n, i = place[at + 0x0b]
head, rest = lines[n].split(": ")
rest = rest.split()
rest[i] = "%02x" % (int(rest[i], 16) | 0x80)
lines[n] = head + ": " + " ".join(rest)
open(sys.argv[2], "w").write("\n".join(lines))
PY
run "$PCILAB" conform --backend=dump "$work/wrong"
expect 1 'one reserved bit is set' out 'pcie.devsta.reserved' out 'reads as 0x8000'
[ "$(grep -c '^not ok' "$work/out")" = 1 ]
point $? 'one assertion notices'
head -n 30 "$work/dump" >"$work/short"
run "$PCILAB" conform --backend=dump "$work/short"
error 'a dump cut short' 'cut short'

# The program without the model says the same.
if [ -x "${PCILAB%/*}/pcilab-conform" ]; then
    run "${PCILAB%/*}/pcilab-conform" --backend=dump "$work/dump"
    expect 0 'pcilab-conform: a dump' out '(dump)'
    grep -c '^ok.*pcie\.' "$work/good" >"$work/ours"
    grep -c '^ok.*pcie\.' "$work/out" | cmp -s - "$work/ours"
    point $? 'as many points as the other'
fi

# Files in the place of a host's devices.
python3 - "$work/dump" "$work/sys" <<'PY'
import os, re, sys
name, data = None, bytearray()
def out():
    if name:
        folder = f"{sys.argv[2]}/bus/pci/devices/{name}"
        os.makedirs(folder)
        open(folder + "/config", "wb").write(data)
for line in open(sys.argv[1]):
    if m := re.match(r"^([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) ", line):
        out()
        name, data = m[1], bytearray()
    elif m := re.match(r"^[0-9a-f]+: (.*)$", line):
        data += bytes.fromhex(m[1])
out()
PY
run "$PCILAB" conform --backend=sysfs --sysfs-root="$work/sys"
expect 0 'sysfs: only reads' out '(sysfs)' out 'it writes: --destructive allows that'
run "$PCILAB" conform --backend=sysfs --sysfs-root="$work/sys" 00:01.0 --id=header
expect 0 'sysfs: one function' out '0000:00:01.0'
! grep -q '0000:00:02' "$work/out"
point $? 'and no other'
# A file keeps whatever is written: no device does.
run "$PCILAB" conform --backend=sysfs --sysfs-root="$work/sys" 00:01.0 --destructive --id=header
expect 1 'sysfs: what is no device fails' out 'not ok'
run "$PCILAB" conform --backend=sysfs --sysfs-root="$work/sys" 00:1f.7
error 'sysfs: no such function' 'no PCI function 00:1f.7'
run "$PCILAB" conform --backend=sysfs --sysfs-root="$work/none"
error 'sysfs: no devices' 'bus/pci/devices'

# The suite can fail: broken models are noticed. All of them take minutes: suite full.
if [ "${MUTANTS:-}" = all ]; then
    run "$PCILAB" conform --mutate=all --markdown
    expect 0 'mutants: 95 % are noticed' out '| all |'
    missed() { sed -n 's/^- //p' "$1" | sort; }
    diff <(missed "$SOURCE/docs/conformance-mutants.md") <(missed "$work/out") >"$work/diff"
    status=$?
    point $status 'docs/conformance-mutants.md names those that nothing notices'
else
    # By the fingers of one hand: a check, a message, a priority, a value, a bit.
    run "$PCILAB" conform --mutate=40
    expect 0 'mutants: of 40, 95 % are noticed' out 'mutants are noticed'
    grep -q '^ok .* - aer: .* # error\.' "$work/out" &&
        grep -q '^ok .* bit [0-9]* .* # ' "$work/out"
    point $? 'mutants: flaws and bits, with the assertions that notice'
fi
run "$PCILAB" conform --mutate=none
error 'no number of mutants' '--mutate is all, flaws or a number'

run "$PCILAB" conform --backend=qemu
error 'no such backend' 'model, sysfs or dump'
run "$PCILAB" conform --backend=dump
error 'a dump is needed' 'lspci -xxxx'
run "$PCILAB" conform --group=nothing
error 'no such group' '--list'
run "$PCILAB" conform --component=nothing
error 'no such component' 'nothing'
run "$PCILAB" conform nowhere.ini
error 'no such topology' 'nowhere.ini'
finish
