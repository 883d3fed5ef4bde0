#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The model keeps no state outside its structures: no object file of it has writable data.

Usage: globals.py ARCHIVE...
"""
import re
import subprocess
import sys
import common

# objdump -t: value, 7 flag characters, section, size, name. Relocated constants (.data.rel.ro) are
# read-only once the program runs.
SYMBOL = re.compile(r"^[0-9a-f]+ .{7} (\.data|\.bss|\.tdata|\.tbss|\*COM\*)(\.\S+)?\s+"
                    r"([0-9a-f]+)\s+(?:\.hidden )?(\S+)$")


# Objects are named after their folders; the host's side and the front end may have state.
MODEL = ("hw_", "src_base_", "src_sim_", "src_trace_")


def mutable(listing):
    """(object files, names of writable variables) in what objdump -t printed."""
    objects, found, current = 0, [], None
    for line in listing.splitlines():
        if line.endswith("file format elf64-x86-64"):
            current = line.split(":")[0].rsplit("/", 1)[-1]
            current = current if current.startswith(MODEL) else None
            objects += current is not None
        match = SYMBOL.match(line)
        if not current or not match or int(match.group(3), 16) == 0:
            continue
        section = match.group(1) + (match.group(2) or "")
        if not section.startswith(".data.rel.ro"):
            found.append(f"{current}: {match.group(4)} in {section}")
    return objects, found


PROBE = """lib.a.p/hw_x.c.o:     file format elf64-x86-64
0000000000000000 l     O .bss\t0000000000000004 counter
0000000000000000 g     O .data.rel.ro.local\t0000000000000010 table
0000000000000000 l     O .rodata\t0000000000000010 names
"""


def main():
    tap = common.Tap()
    probe = mutable(PROBE)[1]
    tap.result("the check finds a counter", [] if len(probe) == 1 else [f"found {probe}"], 1)
    for archive in sys.argv[1:]:
        listing = subprocess.run(["objdump", "-t", archive], check=True, capture_output=True,
                                 text=True).stdout
        objects, found = mutable(listing)
        tap.result(f"no writable variable in {archive.rsplit('/', 1)[-1]}", found, objects)
    tap.done()


main()
