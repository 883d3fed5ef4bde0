#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Link timing under Linux: narrow, noisy, faulty links carry everything, always the same way."""
import os
import tempfile
import harness

TOPOLOGY = """
[machine]
timing=link
[root-port rp0]
speed=8
width=2
buffers=2/64 1/4 0/0
[switch sw0]
at=rp0
downstream=2
speed=8
bit-error-rate=1e-6
buffers=4/64 2/8 8/64
propagation-ns=100
[nvme nvme0]
at=sw0.0
size=64M
faults=up:corrupt-tlp@200*3 up:drop-tlp@300 up:duplicate-tlp@400*5 down:drop-dllp@50*4
[root-port rp1]
[exerciser ex0]
at=rp1
timing=functional
"""


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "link.ini")
        trace = os.path.join(folder, "trace")
        with open(path, "w", encoding="ascii") as file:
            file.write(TOPOLOGY)
        more = {"append": "quiet pcilab.run=test:link"}
        common = (path, "--digest", "--seed", "3")
        traced = (*common, "--trace=rule", "--trace-file", trace)
        one, two = harness.boot_both((traced, more), (common, more))
        tap.relay(one, "link")
        tap.check(one.status == 0, "powered off: exit status 0", one)
        tap.check(one.digest and one.digest == two.digest, "the same digest twice", two)
        with open(trace, encoding="utf-8", errors="replace") as file:
            lines = file.read()
        for error in ("bad TLP", "receiver error"):
            tap.check(error in lines, f"the trace tells of a {error}", lines[-2000:])
        tap.check("surprise down" not in lines, "no link gave up", lines[-2000:])
    tap.done()


main()
