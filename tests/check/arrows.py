#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which folder may include which: every #include of every source file is looked at.

The rule is docs/architecture.md's picture: a folder includes its own headers and those of the
rows below it, never a sibling's in the same row, with the exceptions named in LESS.
"""
import re
import common

# From the top to the bottom; what stands in one row are siblings.
ROWS = [
    ["cli"],
    ["scenario", "conform", "control", "gdb"],
    ["config"],
    ["platform"],
    ["root", "switch", "endpoint", "iommu/regs", "cpu", "io"],
    ["fabric", "iommu/core"],
    ["pci"],
    ["reg"],
    ["sim"],
    ["trace"],
    ["base"],
]
# Folders that may see less than what lies below them.
LESS = {
    "cpu": {"sim", "trace", "base"},                    # only a bus and an interrupt line
    "io": {"sim", "trace", "base"},
    "root": {"fabric", "pci", "reg", "sim", "trace", "base"},  # an abstract translator
    "switch": {"fabric", "pci", "reg", "sim", "trace", "base"},
    "endpoint": {"fabric", "pci", "reg", "sim", "trace", "base"},  # never an IOMMU
    "iommu/pt": {"base"},
    "iommu/core": {"iommu/pt", "pci", "reg", "sim", "trace", "base"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]', re.M)


def allowed():
    below, table = set(), {}
    for row in reversed(ROWS):
        for folder in row:
            table[folder] = set(LESS.get(folder, below))
        below |= set(row)
    table["iommu/pt"] = LESS["iommu/pt"]
    table["iommu/regs"].add("iommu/pt")
    table["platform"].add("iommu/pt")
    return table


def folder_of(path):
    """The house's folder of a source file, or None: tests and benchmarks may include anything."""
    for prefix in ("include/pcilab/", "src/", "hw/"):
        if path.startswith(prefix):
            parts = path[len(prefix):].split("/")[:-1]
            return "/".join(parts[:2] if parts[:1] == ["iommu"] else parts[:1])
    return None


def problems_of(path, text, table):
    folder = folder_of(path)
    seen = 0
    problems = []
    for match in INCLUDE.finditer(text):
        target = match.group(1)
        where = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        if target.startswith("pcilab/"):
            seen += 1
            other = folder_of("include/" + target)
            if not (common.ROOT / "include" / target).is_file():
                problems.append(f"{where}: {target} does not exist")
            elif folder and other not in table.get(folder, set()) | {folder}:
                problems.append(f"{where}: {folder} must not include {target}")
        elif folder and ".." in target.split("/"):
            problems.append(f"{where}: {target} reaches into another folder")
        elif re.match(r"(hw|src|include)/", target) and folder:
            problems.append(f"{where}: {target} is another folder's private header")
    if folder is not None and folder not in table:
        problems.append(f"{path}: the folder {folder} is not in the picture")
    return seen, problems


def test_of_the_test(table):
    """The check itself must find what is forbidden."""
    bad = [("hw/endpoint/x.c", '#include "pcilab/iommu/core/core.h"'),
           ("hw/endpoint/x.c", '#include "../switch/y.h"'),
           ("include/pcilab/trace/x.h", '#include "pcilab/sim/sim.h"'),
           ("hw/nowhere/x.c", "")]
    return [f"not found in {path}: {text}" for path, text in bad
            if not problems_of(path, text, table)[1]]


def main():
    tap, table = common.Tap(), allowed()
    tap.result("the check finds forbidden includes", test_of_the_test(table), 4)
    total, problems = 0, []
    for path in common.files(".c", ".h"):
        seen, found = problems_of(path, common.read(path), table)
        total += seen
        problems += found
    tap.result("includes follow the arrows", problems, total)
    tap.done()


main()
