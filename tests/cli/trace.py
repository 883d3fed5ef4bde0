#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces of a scenario in every form: what stands in them, pcilab trace show and diff, and what
Wireshark makes of them where tshark is installed (compared with tests/golden/wireshark; --write
makes that anew). PCILAB names the program, SOURCE the source folder."""
import collections
import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

PCILAB = os.environ["PCILAB"]
SOURCE = pathlib.Path(os.environ["SOURCE"])
SCENARIO = SOURCE / "tests/cli/trace.lua"
DISSECTOR = SOURCE / "share/wireshark/pcilab.lua"
GOLDEN = SOURCE / "tests/golden/wireshark"
KINDS = "--trace=tlp:ex0,tlp:ex1,dllp:ex0,dllp:sw0.0,link,rule"
count = failed = 0


def point(good, name, *why):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good:
        for text in why:
            print("\n".join("# " + line for line in str(text).splitlines()[-40:]))


def run(*words, **more):
    return subprocess.run([PCILAB, *map(str, words)], capture_output=True, text=True, timeout=60,
                          check=False, **more)


def write(path, *words):
    return run("run", SCENARIO, "--trace-file", path, *(words or (KINDS,)))


def text_and_pcapng(folder):
    text, pcapng, again = folder / "a.txt", folder / "a.pcapng", folder / "b.txt"
    done = write(text)
    point(done.returncode == 0, "a trace as text", done.stdout, done.stderr)
    write(pcapng)
    write(again)
    lines = text.read_text().splitlines()
    point(lines[0] == "# pcilab trace 1" and len(lines) > 200, "its first line", lines[:3])
    point(any(" ex0: dllp " in x for x in lines) and not any(" rp0: tlp " in x for x in lines),
          "what was asked for, and nothing else")
    shown = run("trace", "show", pcapng)
    point(shown.returncode == 0 and shown.stdout == text.read_text(), "pcapng holds the same",
          shown.stderr)
    same = run("trace", "diff", text, again)
    point(same.returncode == 0 and "No difference in" in same.stdout, "the same run twice",
          same.stdout)
    window = write(folder / "w.txt", KINDS, "--from", "7us", "--to", "8us")
    times = [float(x[1:19]) for x in (folder / "w.txt").read_text().splitlines()[1:]]
    point(window.returncode == 0 and times and all(7e-6 <= t < 8e-6 for t in times),
          "--from and --to", times[:3], times[-3:])
    part = run("trace", "show", text, "--from", "7us", "--to", "8us")
    point(part.stdout == (folder / "w.txt").read_text(), "the same window out of the whole")
    rules = run("trace", "show", pcapng, "--trace=rule:ex1").stdout.splitlines()[1:]
    point(rules == [x for x in lines if " ex1: rule " in x], "one component's", rules)


def differences(folder):
    text, other = folder / "a.txt", folder / "c.txt"
    lines = text.read_text().splitlines(keepends=True)
    place = next(i for i, x in enumerate(lines) if " CA " in x)
    other.write_text("".join(lines[:place] + [lines[place].replace(" CA ", " UR ")] +
                             lines[place + 1:]))
    done = run("trace", "diff", "-C", "1", text, other)
    point(done.returncode == 1 and done.stdout.splitlines()[:6] == [
        f"The first difference is event {place}:", f"--- {text}", f"+++ {other}",
        "  " + lines[place - 1].rstrip(), "- " + lines[place].rstrip(),
        "- " + lines[place + 1].rstrip()], "the first difference, both sides", done.stdout)
    late = [lines[0]] + [x.replace("[    0.", "[    1.") for x in lines[1:]]
    other.write_text("".join(late))
    point(run("trace", "diff", text, other).returncode == 1 and
          run("trace", "diff", "--no-times", text, other).returncode == 0, "--no-times")
    other.write_text("".join(lines[:-3]))
    done = run("trace", "diff", text, other)
    point(done.returncode == 1 and "+ (it ends here)" in done.stdout, "one is shorter",
          done.stdout)


def bad_files(folder):
    pcapng = (folder / "a.pcapng").read_bytes()
    text = (folder / "a.txt").read_text()
    cases = {
        "empty": (b"", "it is empty"),
        "no trace": (b"hello\n", "no trace of pcilab"),
        "another version": (text.replace("trace 1", "trace 2", 1).encode(),
                            "of version 2, of another pcilab; this one reads version 1"),
        "another version, pcapng": (pcapng.replace(b"pcilab trace 1", b"pcilab trace 3", 1),
                                    "of version 3"),
        "another program's pcapng": (pcapng.replace(b"pcilab trace 1", b"anybody else's", 1),
                                     "not of pcilab"),
        "JSON": (b'{"traceEvents":[]}', "JSON is for Perfetto"),
        "a text cut short": (text[:-5].encode(), "cut short: line"),
        "a line that is none": (text.encode() + b"x\n", "is no event"),
        "a pcapng file cut short": (pcapng[:-5], "cut short: in the block at byte"),
        "a broken pcapng file": (pcapng[:4000] + bytes(400) + pcapng[4400:], "at byte"),
    }
    for name, (data, error) in cases.items():
        path = folder / "bad"
        path.write_bytes(data)
        done = run("trace", "show", path)
        point(done.returncode == 2 and error in done.stderr and str(path) in done.stderr, name,
              done.stderr, done.stdout[-300:])
    done = run("trace", "show", folder / "bad")
    point(len(done.stdout.splitlines()) > 10, "what comes before is shown", done.stdout)
    for name in ("/dev/full", "/dev/full.json"):
        done = run("run", SCENARIO, "--trace-file", "/dev/full", "--trace-format",
                   "json" if "json" in name else "pcapng")
        point(done.returncode == 1 and "not complete: /dev/full: No space left" in done.stderr and
              "7 expectations" in done.stdout, "a full disk: the run goes on", done.stdout,
              done.stderr)


def perfetto(folder):
    path = folder / "a.json"
    write(path, "--trace")
    events = json.loads(path.read_text())["traceEvents"]
    names = {(e["pid"], e.get("tid")): e["args"]["name"] for e in events if e["ph"] == "M"}
    tracks = {names[key] for key in names if key[1] is None}
    point(tracks == {"Links", "Devices", "IOMMUs", "Processors", "Platform"}, "tracks", tracks)
    links = {name for key, name in names.items() if key[1] and names[key[0], None] == "Links"}
    point({"rp0", "sw0.0", "ex0"} <= links, "links are tracks", links)
    spans = collections.Counter()
    order = True
    for e in events:
        if e["ph"] in "be":
            spans[e["id"]] += 1 if e["ph"] == "b" else -1
            order &= spans[e["id"]] in (0, 1) and e["cat"] == "tlp"
    point(len(spans) > 10 and order, "requests are spans", spans.most_common(3))
    point(sum(spans.values()) == 0, "that all end", +spans)
    point({e["ph"] for e in events} == set("Mbei") and
          all(e["ph"] == "M" or (e["pid"], e["tid"]) in names for e in events), "well formed")


def tshark(path, *words):
    command = ["tshark", "-X", f"lua_script:{DISSECTOR}", "-n", "-r", str(path), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def golden(name, text):
    path = GOLDEN / name
    if "--write" in sys.argv:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    expected = path.read_text()
    lines = [f"{a}\n# {b}" for a, b in zip(expected.splitlines(), text.splitlines()) if a != b]
    point(text == expected, f"tshark: {name}", "\n".join(lines[:10]), len(text.splitlines()))


def broken_packets(folder):
    """One of another version, one cut short, a TLP that is shorter than it says."""
    read = struct.pack(">IIQ", 0x20000001, 0x0100000f, 0x100000000)
    write_ = struct.pack(">III", 0x40000002, 0x0100000f, 0x1000) + b"abcd"

    def event(head, body=b"", version=1):
        fixed = struct.pack("<BBBBBBHQ", version, 0, 0, 0, 2, 2, len(head), 0)
        return fixed + b"aabb" + head + body

    packets = [event(read), event(read, version=2), event(read)[:-1],
               event(write_[:12], write_[12:]), event(struct.pack(">III", 0xff000000, 0, 0)), b"x"]
    path = folder / "broken.pcapng"
    data = (folder / "a.pcapng").read_bytes()
    section = struct.unpack_from("<I", data, 4)[0]
    interface = struct.unpack_from("<I", data, section + 4)[0]
    out = data[:section + interface]
    for packet in packets:
        size = 32 + (len(packet) + 3) // 4 * 4
        out += struct.pack("<IIIIIII", 6, size, 0, 0, 0, len(packet), len(packet)) + packet
        out += bytes(-len(packet) % 4) + struct.pack("<I", size)
    path.write_bytes(out)
    done = tshark(path, "-T", "fields", "-e", "_ws.expert.message", "-e", "_ws.col.Info")
    golden("broken.txt", done.stdout)


def wireshark(folder):
    if not shutil.which("tshark"):
        point(True, "Wireshark # SKIP tshark is not installed")
        return
    path = folder / "a.pcapng"
    done = tshark(path, "-2", "-Y", "pcilab.kind==0 && frame.number>=600", "-T", "fields",
                  *(x for name in ("frame.number", "pcilab.from", "pcilab.to", "_ws.col.Info",
                                   "pcilab.tlp.length", "pcilab.tlp.request_in",
                                   "pcilab.tlp.completed_in", "pcilab.tlp.latency_ns")
                    for x in ("-e", name)))
    golden("tlps.txt", done.stdout)
    done = tshark(path, "-Y", "_ws.expert.severity>=0x00400000 && frame.number>=600", "-T",
                  "fields", *(x for name in ("frame.number", "pcilab.from", "_ws.expert.message",
                                             "_ws.col.Info") for x in ("-e", name)))
    golden("experts.txt", done.stdout)
    done = tshark(path, "-Y", "pcilab.dllp.retried || pcilab.tlp.poisoned", "-O", "pcilab")
    golden("details.txt", "\n".join(x for x in done.stdout.splitlines()
                                    if x[:5] != "Frame" and "time" not in x) + "\n")
    broken_packets(folder)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        text_and_pcapng(folder)
        differences(folder)
        bad_files(folder)
        perfetto(folder)
        wireshark(folder)
    print(f"1..{count}")
    sys.exit(failed != 0)


main()
