#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a second run costs after a checkpoint, beside a boot. Wall times of this host, medians.

The test is small: the guest reads a file of sysfs and powers off.
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path("@source@" if not "@source@".startswith("@") else
                    pathlib.Path(__file__).resolve().parents[1])
PCILAB = "@pcilab@" if not "@pcilab@".startswith("@") else str(ROOT / "build/pcilab")
TEST = b"echo REA''DY\ncat /sys/bus/pci/devices/*/vendor >/dev/null\npoweroff -f\n"
SUMMARY = re.compile(r"checkpoint after ([0-9.]+) s; ([0-9.]+) s a continuation")


def run(topology, *options):
    command = [PCILAB, "boot", topology, "--append", "quiet", *options]
    with tempfile.TemporaryFile() as stdin:
        stdin.write(TEST)
        stdin.seek(0)
        start = time.monotonic()
        done = subprocess.run(command, stdin=stdin, capture_output=True, timeout=600)
        wall = time.monotonic() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n"
                 + done.stderr.decode(errors="replace"))
    return wall, done.stdout.decode(errors="replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topology", nargs="?", default="default")
    parser.add_argument("--boots", type=int, default=3)
    parser.add_argument("--continuations", type=int, default=20)
    options = parser.parse_args()
    boots = [run(options.topology)[0] for _ in range(options.boots)]
    _, text = run(options.topology, "--checkpoint-at", "console: READY", "--jobs", "1", "--times",
                  str(options.continuations))
    found = SUMMARY.search(text)
    if not found:
        sys.exit(text)
    boot, again = statistics.median(boots), float(found.group(2))
    print(f"boot and test:                {boot:8.3f} s")
    print(f"the test after a checkpoint:  {again:8.3f} s  ({again / boot:.1%} of it)")


main()
