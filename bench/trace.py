#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What tracing costs a boot: processor time of `pcilab boot` up to the same instant without a trace
and with several, in turns; medians beside the first row. Programs named on the command line
(another version's pcilab) are run without a trace as well. Usage: bench/trace [-n REPEATS]
[PROGRAM...]"""
import argparse
import os
import resource
import statistics
import subprocess

PCILAB = "@pcilab@"
UNTIL = "2s"
TRACES = (("off", ()), ("iommu,ats,reset", ("--trace=iommu,ats,reset",)),
          ("all, outside of its time", ("--trace", "--from", "1h")),
          ("tlp of one disk, text", ("--trace=tlp:nvme0",)), ("all, text", ("--trace",)),
          ("all, pcapng", ("--trace", "--trace-format", "pcapng")),
          ("all, json", ("--trace", "--trace-format", "json")))


def seconds(program, options):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = [program, "boot", "--until", UNTIL, *options]
    if options:
        words += ["--trace-file", os.devnull]
    subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5, metavar="REPEATS")
    parser.add_argument("programs", nargs="*")
    args = parser.parse_args()
    rows = [(name, PCILAB, options) for name, options in TRACES]
    rows += [(program, program, ()) for program in args.programs]
    times = {name: [] for name, _, _ in rows}
    for _ in range(args.n):
        for name, program, options in rows:
            times[name].append(seconds(program, options))
    base = statistics.median(times[rows[0][0]])
    for name, _, _ in rows:
        middle = statistics.median(times[name])
        print(f"{middle:7.3f} s {middle / base:6.3f}  (least {min(times[name]):.3f})  {name}")


main()
