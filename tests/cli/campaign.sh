#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pcilab campaign: plans, shards, reports, and what stands in their way.
. "$SOURCE/tests/cli/lib.sh"

cd "$work" || exit 1
# scenario FILE TEXT...: on a small machine.
scenario() {
    local file=$1
    shift
    printf '%s\n' '-- what it is for' '-- a clause' 'machine "minimal"' "$@" >"$file"
}
# plan TEXT...: a campaign file.
plan() { printf '%s\n' "$@" >c.ini; }
# bad NAME TEXT: c.ini is wrong, which TEXT says.
bad() {
    run "$PCILAB" campaign c.ini --out bad
    error "$1" "$2"
}
campaign() { run "$PCILAB" campaign "$@"; }

mkdir good
scenario good/a.lua 'expect(true, "good")'
scenario good/b.lua 'expect(rid("nvme0"), "there")'
# Of seeds 1 to 6 some fail, always the same.
scenario luck.lua 'expect(math.random(1, 2) == 1, "luck")'

campaign --help
expect 0 '--help' out 'Examples:' out '--resume' out 'Exit status:'
campaign
error 'no campaign' 'one campaign is needed'
plan '[matrix m]' 'scenarios=good'
campaign c.ini
error 'no folder' '--out DIR is needed'
campaign c.ini --out o --local=0
error 'no jobs' '--local=0 is not allowed'
campaign c.ini --report --local
error 'contradictory options' '--local goes with'
campaign none.ini --out o
error 'a file that is not there' 'none.ini: cannot be read: No such file'

plan 'scenarios=good'
bad 'a key before the first group' 'c.ini:1: scenarios: stands before the first group'
plan '[matrix m]' 'scenarios=good' 'seedz=1'
bad 'an unknown key' 'c.ini:3: [matrix m] seedz: unknown key; did you mean "seeds"?'
plan '[matrix m]' 'seeds=1'
bad 'no scenarios' 'c.ini:1: [matrix m]: needs scenarios'
plan '[matrix m]' 'scenarios=good' '' 'seeds=5-1'
bad 'a range backwards' 'c.ini:4: [matrix m] seeds: is not allowed; seeds are numbers and ranges'
plan '[matrix m]' 'scenarios=good' 'seeds=1-5 5'
bad 'a seed twice' 'c.ini:3: [matrix m] seeds: a seed stands twice'
plan '[matrix m]' 'scenarios=good none.lua'
bad 'a scenario that is not there' 'c.ini:2: [matrix m] scenarios: there is no'
plan '[matrix m]' 'scenarios=good' 'topologies=none'
bad 'an unknown topology' 'c.ini:3: [matrix m] topologies: there is no topology "none"'
echo '[root-prot x]' >t.ini
plan '[matrix m]' 'scenarios=good' 'topologies=minimal t.ini'
bad 'a wrong topology' "c.ini:3: [matrix m] topologies: $work/t.ini:1: [root-prot x]"
plan '[matrix m]' 'scenarios=good' 'kernels=none'
bad 'a kernel that is not there' 'c.ini:3: [matrix m] kernels: there is no'
plan '[matrix m]' "scenarios='good"
bad 'a quote without an end' 'c.ini:2: [matrix m] scenarios: '
plan '[matrix m]' 'scenarios=good' 'seeds=1-900000'
bad 'too many cases' 'c.ini:1: [matrix m]: more than 1000000 cases'
plan '[campaign]' 'shard-size=1' '[matrix m]' 'scenarios=good' 'seeds=1-2000'
bad 'too many shards' 'c.ini: 4000 cases in shards of 1 are more than 1000 shards'
plan '[campaign]' 'limit=10' 'shard-size=0' '[matrix m]' 'scenarios=good'
bad 'a shard of nothing' 'c.ini:3: [campaign] shard-size: is not allowed'
plan '[matrix m]' 'scenarios=good' '[matrices x]'
bad 'an unknown group' 'c.ini:3: [matrices x]: there is no such group'
point "$([ ! -e bad ]; echo $?)" 'nothing was made of them'

plan '[campaign]' 'name=night' 'shard-size=4' '[matrix one]' 'scenarios=good' 'seeds=1-3' \
    '[matrix two]' 'scenarios=good/a.lua luck.lua' 'seeds=2-6'
campaign c.ini --out o
expect 0 'a plan: a case of two matrices is one' out 'night: 14 cases in 4 shards of up to 4'
grep -q '^#SBATCH --array=1-4$' o/job.slurm && bash -n o/job.slurm && bash -n o/parallel.sh &&
    grep -q '::: 1 2 3 4$' o/parallel.sh
point $? 'scripts for batch systems'
campaign c.ini --out o
error 'the folder has a campaign' 'there is a campaign already; to go on with it'
campaign --report o
expect 3 'nothing yet' out '0 of 14 cases' out '4 of 4 shards have no result: 1-4'
campaign --shard 5 o
error 'a shard that is not there' 'the campaign has shards 1 to 4'
campaign --shard 2 o
expect 0 'a shard' out '1..4' out 'ok 1 - ' out 'seed'
campaign --resume o
expect 3 'three are lost' out '4 of 14 cases' out '3 of 4 shards have no result: 1,3-4'
grep -q '^#SBATCH --array=1,3-4$' o/job.slurm && grep -q '::: 1 3 4$' o/parallel.sh
point $? 'scripts for the lost ones alone'
cp o/results/0002.json second.json
campaign --resume --local 2 o
expect 1 'the rest, here' out '14 of 14 cases' out 'luck.lua:4: expected: luck' out \
    "pcilab run $work/luck.lua --seed "
cmp -s second.json o/results/0002.json
point $? 'the shard that was there did not run again'
fails=$(grep -c '^failed:' out)
grep -q "tests=\"14\" failures=\"$fails\" errors=\"0\"" o/report.xml &&
    grep -q "$((14 - fails)) of 14 passed" o/report.html &&
    [ "$(grep -c '^ok ' o/report.tap)" = $((14 - fails)) ] &&
    [ "$(grep -oE '[a-z]*.lua, seed [0-9]+' o/report.xml | sort -u | wc -l)" = 14 ]
point $? 'TAP, JUnit and a page say the same, each case once'
again=$(sed -n 's/^  pcilab \(run .*\)/\1/p' out | head -n 1)
# shellcheck disable=SC2086
run "$PCILAB" $again
expect 1 'the command of a failure repeats it' out 'luck.lua:4: expected: luck'

# Results that are none. A shard's file is JSON with one case a few lines long.
size=$(stat -c %s second.json)
good=0
for part in 0 1 2 5 10 20 40; do
    head -c $((size * part / 41)) second.json >o/results/0002.json
    run "$PCILAB" campaign --report o
    [ "$status" = 1 ] && grep -q "0002.json: cut short" err &&
        grep -q '10 of 14 cases' out || good=1
done
point $good 'cut short anywhere: named, and the others are kept'
# wrong NAME EXPRESSION TEXT: second.json changed by sed.
wrong() {
    sed "$2" second.json >o/results/0002.json
    run "$PCILAB" campaign --report o
    expect 1 "$1" err "0002.json: $3" err 'the shard counts as lost' out '10 of 14 cases'
}
wrong 'of another version' 's/"pcilab" : "[^"]*"/"pcilab" : "0.0.9"/' 'of pcilab 0.0.9'
wrong 'of another campaign' 's/"campaign" : "./"campaign" : "x/' 'of another campaign'
wrong 'of another shard' 's/"shard" : 2/"shard" : 3/' \
    'of shard 3, and this is the place of shard 2'
wrong 'a case twice' 's/"case" : 6/"case" : 5/' 'has case 5 where case 6 should be'
wrong 'a number that is none' 's/"checks" : [0-9]*/"checks" : "x"/' \
    '"checks" is not a number'
campaign --resume --local o
expect 1 'a lost shard runs again' out '14 of 14 cases'
grep -q '"checks" : "x"' o/results/0002.json.other
point $? 'what was in its place is kept'

rm o/results/0001.json
(ulimit -f 0 && exec "$PCILAB" campaign --shard 1 o) </dev/null 2>&1 >/dev/null | cat >err
status=${PIPESTATUS[0]}
expect 2 'a full disk' err 'shard 1 has no result: '
point "$([ ! -e o/results/0001.json ] && [ -e o/results/0002.json ]; echo $?)" \
    'leaves no half of a result, and the others'
campaign --shard 1 o
rm -rf o/report.tap && mkdir o/report.tap
campaign --report o
expect 2 'a report that cannot be written' err 'report.tap' out '14 of 14 cases'
point "$([ -e o/results/0004.json ]; echo $?)" 'the results are kept'

echo 'expect(1, "more")' >>good/a.lua
rm o/results/0001.json
campaign --shard 1 o
expect 2 'a scenario that has changed' err "good/a.lua: changed since the campaign was planned"
sed -i 's/"seed" : 2/"seed" : 3/' o/plan.json
campaign --report o
error 'a plan changed by hand' 'plan.json: changed by hand'
head -c 100 o/plan.json >plan && cp plan o/plan.json
campaign --report o
error 'a plan cut short' 'plan.json: '
campaign --report good
error 'no campaign at all' 'good/plan.json'

scenario bad.lua 'nonsense('
plan '[matrix m]' 'scenarios=bad.lua good/b.lua' 'seeds=1-2' 'topologies=minimal default'
campaign c.ini --out o2 --local
expect 2 'a scenario that is wrong' out 'bad.lua:' out '8 of 8 cases: 4 passed, 4 failed' \
    out '--topology '

# A case whose process dies fails, and the others of the shard go on.
scenario loop.lua 'for i = 1, 1e18 do local x = i end'
plan '[campaign]' 'shard-size=3' 'limit=wall:60s' '[matrix m]' 'scenarios=loop.lua good/b.lua'
campaign c.ini --out o3
"$PCILAB" campaign --shard 1 o3 >out 2>err &
shard=$!
until child=$(pgrep -P $shard); do sleep 0.02; done
kill -KILL "$child"
wait $shard
status=$?
expect 0 'a case whose process dies' out 'not ok 1 - ' out 'ended by Killed' \
    out 'ok 2 - '

if command -v parallel >/dev/null; then
    plan '[campaign]' 'shard-size=2' '[matrix m]' 'scenarios=good' 'seeds=1-4'
    campaign c.ini --out 'o 4'
    run "$work/o 4/parallel.sh" --jobs 2
    campaign --report 'o 4'
    expect 0 'GNU parallel, in a folder with a blank' out '8 of 8 cases: 8 passed, 0 failed'
    rm 'o 4/results/0003.json' && ls -i 'o 4/results' >kept
    campaign --resume 'o 4'
    run "$work/o 4/parallel.sh" --jobs 2
    grep -v '0003.json' <(ls -i 'o 4/results') | cmp -s - kept
    point $? 'a lost shard alone runs again'
    campaign --report 'o 4'
    expect 0 'and is counted once' out '8 of 8 cases: 8 passed, 0 failed'
else
    count=$((count + 1))
    echo "ok $count - GNU parallel # SKIP not installed: apt-get install parallel"
fi
finish
