#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets Address Translation Services and PASIDs of the stock kernel, and who does not
(inside/ats-where.sh): each precondition of docs/ats.md is missing for one function."""
import os
import tempfile
import harness

CONFIG = """
[machine]
memory=512M
[iommu iommu0]
{unit}
[root-port rp0]
[root-port rp1]
prefixes=no
[root-port rp2]
acs=no
[root-port rp3]
[root-port rp4]
[exerciser ex0]
at=rp0
[exerciser ex1]
at=rp1
[exerciser ex2]
at=rp2
[exerciser ex3]
at=rp3
[nvme nvme0]
at=rp4
size=64M
namespaces=1
namespace-size=32M
vfs=1
ats=yes
[exerciser ex5]
at=hb0
device=16
"""
# Function, ATS, PASID. A path without prefixes, or without ACS, takes PASIDs away; what no ATSR
# lists has no ATS; integrated functions need no list; a Virtual Function has its own ATS.
SCALABLE = "01:00.0:+:+,02:00.0:+:-,03:00.0:+:-,04:00.0:-:+,05:00.0:+:.,05:00.1:+:.,00:10.0:+:+"
LEGACY = "01:00.0:+:-,04:00.0:-:-,05:00.0:+:.,05:00.1:+:.,00:10.0:+:-"
NOTHING = "01:00.0:-:+,04:00.0:-:+,05:00.0:-:.,05:00.1:-:.,00:10.0:-:+"
PORTS = "ats-ports=rp0 rp1 rp2 rp4"
RUNS = [("all", PORTS, "", SCALABLE), ("legacy mode", PORTS, "intel_iommu=sm_off ", LEGACY),
        ("a unit without device TLBs", PORTS + "\ndevice-tlb=no", "", NOTHING)]


def start(folder, name, unit, option, expect):
    path = os.path.join(folder, name.replace(" ", "-") + ".ini")
    with open(path, "w", encoding="ascii") as file:
        file.write(CONFIG.format(unit=unit))
    return harness.Boot(path, "--quiet",
                        append=f"quiet {option}ats.expect={expect} pcilab.run=test:ats-where")


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        boots = [start(folder, *run) for run in RUNS[:2]]
        results = [boot.wait() for boot in boots] + [start(folder, *RUNS[2]).wait()]
    for run, (name, *_) in zip(results, RUNS):
        tap.relay(run, "ats-where")
        tap.check(run.status == 0, f"{name}: exit status 0", run)
    tap.done()


main()
