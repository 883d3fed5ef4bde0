#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pcilab run --out and pcilab report: what a run leaves, the page, and what stands in its way.
. "$SOURCE/tests/cli/lib.sh"

cd "$work" || exit 1
mkdir all
cat >all/a.lua <<'END'
-- A poisoned <read> is "told"
-- a clause
machine {timing = "link", topology = [[
[root-port rp0]
[exerciser ex0]
at=rp0
[root-port rp1]
[exerciser ex1]
at=rp1
plugged=no
]]}
report_errors("rp0", "ex0")
inject {at = "rp0", kind = "CplD", action = "poison", count = 1}
expect_eq(dma {dev = "ex0", op = "read", addr = alloc(4096), len = 4}, "poisoned", "the DMA")
expect_eq(2 + 2, 5, "arithmetic & more")
END
printf '%s\n' '-- what it is for' '-- a clause' 'machine "minimal"' 'expect(true, "x")' >all/b.lua
# As HTML and XML want it: parsed, and nothing in it that would be fetched.
check_page() { python3 - "$1" <<'END'
import html.parser, re, sys
text = open(sys.argv[1], encoding="utf-8").read()
void = {"meta", "br", "link"}
class Check(html.parser.HTMLParser):
    stack = []
    def handle_starttag(self, tag, attrs):
        assert tag not in ("script", "link", "img", "iframe"), tag
        for name, value in attrs:
            assert not name.startswith("on") and name != "src", (tag, name)
            assert name != "href" or value.startswith("#"), value
        if tag not in void:
            self.stack.append(tag)
    def handle_endtag(self, tag):
        assert self.stack and self.stack.pop() == tag, tag
check = Check()
check.feed(text)
check.close()
assert not check.stack, check.stack
assert not re.search(r"url\(|@import", text)
END
}

run "$PCILAB" report --help
expect 0 '--help' out 'Examples:' out 'Exit status:'
run "$PCILAB" report
error 'no folder' 'the folder of a run is needed'
run "$PCILAB" report none
error 'a folder that is not there' 'none/run.json'
run "$PCILAB" run all --out o --sweep 2
error 'more than one seed' '--out is for one seed'

run "$PCILAB" run all --out o
expect 1 'two scenarios, one fails' out 'not ok 1' out 'ok 2'
run "$PCILAB" report o
expect 0 'their page' out 'o/report.html: 2 runs'
check_page o/report.html 2>err
point $? 'it is well-formed and has nothing to fetch'
# page NAME TEXT...: the page has each.
page() {
    local name=$1 good=0
    shift
    for text; do
        grep -qF -- "$text" o/report.html || good=1
    done
    point $good "$name"
}
page 'what was run and how it ended' 'A poisoned &lt;read&gt; is &quot;told&quot;' 'a clause' \
    '>failed<' '>passed<' '--seed 1'
page 'the failed expectation and the TLPs before' 'arithmetic &amp; more: expected 0x5, seen 0x4' \
    'CplD' 'poisoned'
page 'timeline, errors, links, latencies' 'aria-label="timeline"' 'class="kind error"' \
    'ex0</b> below rp0' 'memory reads'
page 'light and dark' 'prefers-color-scheme:dark' 'name="color-scheme"'
if command -v dot >/dev/null; then
    page 'the picture, with what the links are' 'class="pl"' '!' 'empty' '16 GT/s ×4'
fi
cp o/0001-a/run.json first.json
rm -r o && run "$PCILAB" run all --out o
sed '/"wall-us"/d' first.json >first && sed '/"wall-us"/d' o/0001-a/run.json | cmp -s first -
point $? 'the same run leaves the same'
plain=$("$PCILAB" run all/a.lua --digest | tail -n 1)
run "$PCILAB" run all/a.lua --digest --out o2
grep -qxF -- "$plain" out
point $? 'to watch changes nothing'
run "$PCILAB" run all --out o
expect 2 'a folder in use' err 'there is a run already'

# Files that are none. What can be read is still shown.
size=$(stat -c %s first.json)
good=0
for part in 0 1 3 9 20 40; do
    head -c $((size * part / 41)) first.json >o/0001-a/run.json
    run "$PCILAB" report o
    [ "$status" = 2 ] && grep -q '0001-a/run.json: cut short' err && grep -q '1 run$' out || good=1
done
point $good 'cut short anywhere: named, and the other one shown'
# wrong NAME EXPRESSION: first.json changed by sed.
wrong() {
    sed "$2" first.json >o/0001-a/run.json
    run "$PCILAB" report o
    expect 2 "$1" err '0001-a/run.json: cut short, damaged or of another version' out '1 run'
}
wrong 'another format' 's/"format" : 1/"format" : 99/'
wrong 'no title' 's/"title" : /"titel" : /'
wrong 'a text for a number' 's/"bucket-ps" : [0-9]*/"bucket-ps" : "x"/'
wrong 'an event without words' 's/"text" : /"texte" : /'
wrong 'a latency without bars' 's/"log2-ps" : \[/"log2-ps" : [ "x",/'
cp first.json o/0001-a/run.json
echo '<svg onload="x"><script>x</script></svg>' >o/0001-a/topology.svg
run "$PCILAB" report o
check_page o/report.html 2>err
point $? 'a picture that is not ours does not get into the page'

cp o/report.html before
(ulimit -f 1 && exec "$PCILAB" report o) </dev/null 2>&1 >/dev/null | cat >err
status=${PIPESTATUS[0]}
cmp -s o/report.html before && grep -q 'report.html' err
point $(($? || status != 2)) 'a full disk: said, and the page before is kept'
(ulimit -f 1 && exec "$PCILAB" run all/a.lua --out o3) </dev/null 2>err | cat >out
status=${PIPESTATUS[0]}
expect 2 'a full disk while it runs' out 'not ok 1' err '--out: '
finish
