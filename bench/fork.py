#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a second run costs after a checkpoint, beside a boot. Wall times of this host, medians.
`pcilab fork` is measured as whole commands, from start to end.

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


def served(topology, count, where, text, *command):
    """Wall times of `pcilab fork`."""
    with tempfile.TemporaryDirectory() as folder:
        path = folder + "/socket"
        run(READY, "boot", topology, "--append", "quiet", "--checkpoint-at", where, "--serve", path)
        walls = [run(text, "fork", path, *command)[0] for _ in range(count)]
        run(b"", "fork", path, "--stop")
    return walls


def tell(name, walls, first):
    again = statistics.median(walls)
    print(f"{name:<28}{again:8.3f} s  ({again / first:.1%} of it; {min(walls):.3f} to "
          f"{max(walls):.3f})")


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
    print(f"{'boot and test:':<28}{first:8.3f} s")
    print(f"{'the test after a checkpoint:':<28}{again:8.3f} s  ({again / first:.1%} of it)")
    count = options.continuations
    tell("pcilab fork:", served(options.topology, count, "console: READY", TEST), first)
    command = ("--", "sh", "-c", "cat /sys/bus/pci/devices/*/vendor")
    boots = [run(b"", "boot", options.topology, *command)[0] for _ in range(options.boots)]
    first = statistics.median(boots)
    print(f"{'boot -- the same:':<28}{first:8.3f} s")
    tell("fork -- the same:", served(options.topology, count, "command", b"", *command), first)


main()
