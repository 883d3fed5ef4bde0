#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pcilab run: results, seeds, sweeps, and scenarios that are wrong.
. "$SOURCE/tests/cli/lib.sh"

# script TEXT...: a scenario in $work/x.lua, after the making of a small machine.
script() {
    printf '%s\n' '-- what it is for' '-- a clause' 'machine "minimal"' "$@" >"$work/x.lua"
}
# bad NAME TEXT: the scenario is wrong, which TEXT says with file and line.
bad() {
    run "$PCILAB" run "$work/x.lua"
    expect 2 "$1" out 'not ok 1 - ' out "$2"
}

run "$PCILAB" run --help
expect 0 '--help' out 'Examples:' out '--sweep' out 'Exit status:'
run "$PCILAB" run
error 'no scenario' 'a scenario is needed'
run "$PCILAB" run x.lua --sweep -1
error 'a negative number' 'is not negative'
mkdir "$work/folder"
run "$PCILAB" run "$work/folder"
error 'a folder without any' 'there is no scenario'
run "$PCILAB" run "$work/none.lua"
expect 2 'a file that is not there' out 'No such file'

script 'expect(true, "good")' 'print("hello", {})'
run "$PCILAB" run "$work/x.lua" -v
expect 0 'a good one' out 'TAP version 13' out '1..1' out '# seed 1' out '# ok: good' \
    out '# hello table' out "ok 1 - $work/x.lua: what it is for"
run "$PCILAB" run "$work/x.lua" --junit "$work/j.xml" --html "$work/h.html"
grep -q 'tests="1" failures="0" errors="0"' "$work/j.xml" && grep -q '1 of 1 passed' "$work/h.html"
point $? 'JUnit and a page'

script 'expect(rid("ex1"), "there")'
run "$PCILAB" run "$work/x.lua" --topology deep
expect 0 'on another topology' out 'ok 1 - '
run "$PCILAB" run "$work/x.lua" --topology none
expect 2 'on one that is not there' out 'there is no topology "none"'

script 'cfg_read("nvme0", 0)' 'expect_eq(2 + 2, 5, "a <sum>")'
run "$PCILAB" run "$work/x.lua" --junit "$work/j.xml" --html "$work/h.html"
expect 1 'a failed expectation' out 'not ok 1 - ' out 'x.lua:5: a <sum>: expected 0x5, seen 0x4' \
    out 'events: |' out 'CfgRd0'
grep -q 'failures="1".*' "$work/j.xml" && grep -q 'a &lt;sum&gt;' "$work/j.xml" &&
    grep -q '0 of 1 passed' "$work/h.html"
point $? 'JUnit and a page of it'
script 'pcall(expect, false, "caught")' 'expect(true, "later")'
run "$PCILAB" run "$work/x.lua"
expect 1 'pcall does not hide one' out 'x.lua:4: expected: caught'

script 'expect('
bad 'not Lua' 'x.lua:5: unexpected symbol'
script 'link("rp9"):down()'
bad 'no such component' 'x.lua:4: there is no component with a link "rp9"; did you mean "rp0"?'
script 'print(reg("rp0", "aer.uncorectable"))'
bad 'no such register' 'x.lua:4: rp0 has no register "aer.uncorectable"'
script 'inject{at = "rp0", action = "drpo"}'
bad 'no such action' 'x.lua:4: there is no action "drpo"; did you mean "drop"?'
script 'on("rp0", "MWrr", print)'
bad 'no such kind' 'x.lua:4: there is no kind of TLP "MWrr"; did you mean "MWr"?'
script 'inject{at = "rp0", kind = "MWr", action = "UR"}'
bad 'a contradiction' 'x.lua:4: this contradicts itself: only completions have a status'
script 'inject{at = "rp0", action = "drop", from = us(5), until_ = us(4)}'
bad 'no such key' 'x.lua:4: a rule: there is no key "until_"'
script 'inject{at = "rp0", action = "drop", from = us(5), ["until"] = us(4)}'
bad 'a wrong instant' 'x.lua:4: this contradicts itself: it ends before it begins'
script 'wait(-1)'
bad 'another one' 'x.lua:4: a time to wait is not negative'
script 'link("nvme0"):fault("corrupt-tlp")'
bad 'a fault that needs link timing' 'timing = "link"'
script 'foo()'
bad 'no such word' 'x.lua:4: there is no word "foo"'
script 'print(io.open("/etc/passwd"))'
bad 'nothing of the host' 'there is no word "io"'
script 'print(load)'
bad 'no other code' 'there is no word "load"'
script 'machine "minimal"'
bad 'two machines' 'x.lua:4: there is a machine already'
script 'local t = {} while true do t[#t + 1] = ("x"):rep(1 << 20) end'
bad 'too much memory' 'x.lua:4: not enough memory'
script 'on("rp0", "any", function() error("in here") end)' 'cfg_read("nvme0", 0)' 'wait(1)'
bad 'an error in a function that was called' 'x.lua:4: in here'
script 'inject{at = "rp0", match = function(tlp) return tlp.x.y end}' 'cfg_read("nvme0", 0)'
bad 'an error in a match' "x.lua:4: attempt to index a nil value (field 'x')"
script 'inject{at = "rp0", match = function() wait(1) end}' 'cfg_read("nvme0", 0)'
bad 'waiting in a match' 'x.lua:4: nothing can wait here'
script ''
bad 'nothing is expected' 'nothing was expected'
echo 'expect(true, "x")' >"$work/x.lua"
bad 'no machine' 'no machine{...} was made'
echo 'machine{topolgy = "x"}' >"$work/x.lua"
bad 'a misspelt key' 'x.lua:1: machine: there is no key "topolgy"; did you mean "topology"?'
echo 'machine "nowhere"' >"$work/x.lua"
bad 'no such topology' 'x.lua:1: there is no topology "nowhere"'
printf 'machine [[\n[root-port rp0]\nspeed=9\n]]\n' >"$work/x.lua"
bad 'a wrong topology' 'topology:2: [root-port rp0] speed'

script 'wait(s(100))'
run "$PCILAB" run "$work/x.lua"
expect 1 'it never ends: virtual time' out 'x.lua:4: the scenario does not end: the limit of 60 s'
run "$PCILAB" run "$work/x.lua" --limit 2s
expect 1 'a limit of its own' out 'the limit of 2 s'
script 'while true do pcall(function() while true do end end) end'
run "$PCILAB" run "$work/x.lua"
expect 1 'it never ends: Lua' out 'x.lua:4: the scenario computes without end'
script 'while true do cfg_read("nvme0", 0) wait(1) end'
run "$PCILAB" run "$work/x.lua" --limit wall:1s
expect 1 'it never ends: wall clock' out 'wall clock time is reached' out 'CfgRd0'
script 'wait_tlp("rp0", "any")'
run "$PCILAB" run "$work/x.lua"
expect 1 'it waits for nothing' out 'x.lua:4: what is waited for never comes'

# Seeds.
script 'expect(math.random(1000000) == math.tointeger(seed()) or seed() > 0, "x")' \
    'print(math.random(1000000))' 'vary{completions = us(1)}' \
    'for i = 1, 20 do cfg_read("nvme0", 0) end' \
    'local t = {} for i = 1, 100 do t["k" .. i] = i end' \
    'local out = {} for k in pairs(t) do out[#out + 1] = k end print(table.concat(out))'
run "$PCILAB" run "$work/x.lua" --seed 7 --digest
expect 0 'a seed' out '# seed 7' out 'k1k10k100k11'
grep -v ' s$' "$work/out" >"$work/first"
tail -n 1 "$work/out" | grep -qE '^[0-9a-f]{64}$'
point $? 'the digest is the last line'
run "$PCILAB" run "$work/x.lua" --seed 7 --digest
grep -v ' s$' "$work/out" | cmp -s - "$work/first"
point $? 'the same seed does the same'
run "$PCILAB" run "$work/x.lua" --seed 8 --digest
! grep -v ' s$' "$work/out" | tail -n 1 | cmp -s - <(tail -n 1 "$work/first")
point $? 'another seed does something else'

script 'expect(seed() % 3 ~= 0, "a seed that 3 does not divide")'
run "$PCILAB" run "$work/x.lua" --sweep 7 -j 3
expect 1 'a sweep' out '# 5 of 7 seeds passed' out 'seed 3: ' \
    out "pcilab run $work/x.lua --seed 3" out "pcilab run $work/x.lua --seed 6"
run "$PCILAB" run "$work/x.lua" --seed 3
expect 1 'what it says to repeat fails' out 'a seed that 3 does not divide'
script 'expect(true, "x")'
run "$PCILAB" run "$work/x.lua" --sweep 5
expect 0 'a sweep that passes' out '# 5 of 5 seeds passed'
script 'if seed() == 2 then foo() end' 'expect(true, "x")'
run "$PCILAB" run "$work/x.lua" --sweep 3
expect 2 'a sweep of a scenario that is wrong' out '# 2 of 3 seeds passed' out 'no word "foo"'
finish
