#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What functions cost: time of a boot that only enumerates and powers off, and memory of the
machine alone, from few functions to a thousand. Medians; time is processor time of this host.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path("@source@" if not "@source@".startswith("@") else
                    pathlib.Path(__file__).resolve().parents[1])
PCILAB = "@pcilab@" if not "@pcilab@".startswith("@") else str(ROOT / "build/pcilab")
sys.path.insert(0, str(ROOT / "tests/guest"))
from many import topology  # noqa: E402 (the path first)

SHAPES = [(1, 8, 1), (1, 8, 8), (2, 16, 8), (4, 16, 8), (4, 32, 8)]


def processor_s(*command):
    before = os.times()
    done = subprocess.run([PCILAB, *command], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=600)
    after = os.times()
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n"
                 + done.stderr.decode(errors="replace"))
    return sum(after[2:4]) - sum(before[2:4])


def resident_kib(*command):
    """The most that was resident until the first output came."""
    with subprocess.Popen([PCILAB, *command], stdout=subprocess.PIPE) as child:
        child.stdout.read(1)
        status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
        child.stdout.read()
    return int(re.search(r"^VmHWM:\s*(\d+) kB", status, re.M).group(1))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    first = None
    print(f"{'functions':>9} {'ports':>6} {'boot':>8} {'a function':>11} {'machine':>9} "
          f"{'a function':>11}")
    with tempfile.TemporaryDirectory() as folder:
        for switches, ports, functions in SHAPES:
            path = os.path.join(folder, "many.ini")
            pathlib.Path(path).write_text(topology(switches, ports, functions))
            boot = statistics.median(processor_s("boot", path, "--append",
                                                 "quiet pcilab.run=off")
                                     for _ in range(options.runs))
            kib = resident_kib("topo", path, "--lspci")
            count = switches * ports * functions
            line = f"{count:9} {switches * (ports + 2):6} {boot:6.2f} s"
            if first:
                more = count - first[0]
                line += (f" {(boot - first[1]) / more * 1e3:8.2f} ms {kib / 1024:5.1f} MiB "
                         f"{(kib - first[2]) / more:7.1f} KiB")
            first = first or (count, boot, kib)
            print(line, flush=True)
    print("A function: what each costs more than those of the first line, its share of the ports "
          "included.")


main()
