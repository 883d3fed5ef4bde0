#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Links that sleep under Linux: ASPM, L1 PM Substates, LTR; the same way every time."""
import os
import re
import tempfile
import harness

TOPOLOGY = """
[machine]
timing=link
[root-port rp0]
speed=32
[switch sw0]
at=rp0
speed=32
downstream=2
downstream-speed=32
[exerciser ex0]
at=sw0.0
speed=32
[root-port rp1]
[nvme nvme0]
at=rp1
size=64M
l1-exit-us=8
"""


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "power.ini")
        trace = os.path.join(folder, "trace")
        with open(path, "w", encoding="ascii") as file:
            file.write(TOPOLOGY)
        more = {"append": "quiet pcie_aspm.policy=powersupersave pcilab.run=test:power"}
        common = (path, "--digest", "--seed", "3")
        traced = (*common, "--trace=state", "--trace-file", trace)
        one, two = harness.boot_both((traced, more), (common, more))
        tap.relay(one, "power")
        tap.check(one.status == 0, "powered off: exit status 0", one)
        tap.check(one.digest and one.digest == two.digest, "the same digest twice", two)
        with open(trace, encoding="utf-8", errors="replace") as file:
            lines = file.read()
        states = {}
        for where, state in re.findall(r"(\S+): link link in (L\S+)", lines):
            states.setdefault(where, []).append(state)
        tap.check("L1.2" in states.get("rp1", []), "the disk's link was in L1.2", states)
        exerciser = [s for s in states.get("sw0.0", []) if s != "L0"]
        # First any latency is tolerated, then little; by D3hot without substates.
        order = re.fullmatch(r"(L1\.2 )+(L1\.1 )+(L1 )+", " ".join(exerciser) + " ")
        tap.check(order, "the exerciser's link went from L1.2 to L1.1, then L1", exerciser)
    tap.done()


main()
