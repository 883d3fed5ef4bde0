#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a second run costs after a checkpoint, beside a boot. Wall times of this host, medians.
The last figure is of whole commands: from the start of `pcilab fork` to its end.

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
READY = b"echo REA''DY\n"
TEST = b"cat /sys/bus/pci/devices/*/vendor >/dev/null\npoweroff -f\n"
SUMMARY = re.compile(r"checkpoint after ([0-9.]+) s; ([0-9.]+) s a continuation")


def run(text, *command):
    with tempfile.TemporaryFile() as stdin:
        stdin.write(text)
        stdin.seek(0)
        start = time.monotonic()
        done = subprocess.run([PCILAB, *command], stdin=stdin, capture_output=True, timeout=600)
        wall = time.monotonic() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n"
                 + done.stderr.decode(errors="replace"))
    return wall, done.stdout.decode(errors="replace")


def boot(topology, text, *options):
    return run(text, "boot", topology, "--append", "quiet", *options)


def served(topology, count):
    """Wall times of `pcilab fork`."""
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/socket"
        boot(topology, READY, "--checkpoint-at", "console: READY", "--serve", path)
        walls = [run(TEST, "fork", path)[0] for _ in range(count)]
        run(b"", "fork", path, "--stop")
    return walls


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topology", nargs="?", default="default")
    parser.add_argument("--boots", type=int, default=3)
    parser.add_argument("--continuations", type=int, default=20)
    options = parser.parse_args()
    boots = [boot(options.topology, READY + TEST)[0] for _ in range(options.boots)]
    _, text = boot(options.topology, READY + TEST, "--checkpoint-at", "console: READY", "--jobs",
                   "1", "--times", str(options.continuations))
    found = SUMMARY.search(text)
    if not found:
        sys.exit(text)
    first, again = statistics.median(boots), float(found.group(2))
    walls = served(options.topology, options.continuations)
    print(f"boot and test:                {first:8.3f} s")
    print(f"the test after a checkpoint:  {again:8.3f} s  ({again / first:.1%} of it)")
    again = statistics.median(walls)
    print(f"pcilab fork:                  {again:8.3f} s  ({again / first:.1%}; "
          f"{min(walls):.3f} to {max(walls):.3f})")


main()
