#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An invalidation that a driver has forgotten (inside/stale.sh): the device goes on with the old
page, and iotlb=strict tells of each such access which mapping it was and what memory says."""
import os
import re
import tempfile
import harness

TOPOLOGY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stale.ini")
LINE = re.compile(r"iommu0: rule stale: requester (\w+), address (0x\w+): cached (0x\w+), "
                  r"memory says (.*)")


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        lax = os.path.join(folder, "lax.ini")
        with open(TOPOLOGY, encoding="ascii") as strict, open(lax, "w", encoding="ascii") as out:
            out.write(strict.read().replace("iotlb=strict\n", ""))
        runs = harness.boot_both(*((
            (path, "--allow-splat", "dmar", "--trace=rule"),
            {"append": "quiet iommu=pt iomem=relaxed pcilab.run=test:stale"})
            for path in (TOPOLOGY, lax)))
    for run, name in zip(runs, ("strict", "lax")):
        tap.relay(run, "stale")
        tap.check(run.status == 0, f"{name}: exit status 0", run)
    pages = re.search(r"^# PAGES (0x\w+) (0x\w+)$", runs[0].console, re.M)
    old, new = pages.groups() if pages else ("?", "?")
    told = LINE.findall(runs[0].err)
    tap.check(told and all(line[:3] == ("0100", "0x60000000", old) for line in told),
              "each stale line names requester, address and the cached page", told, runs[0])
    says = [line[3] for line in told]
    tap.check(any(new in text for text in says) and any("not mapped" in text for text in says),
              "and what memory says: the new page, then that it is not mapped", says)
    tap.check("stale:" not in runs[1].err, "without iotlb=strict nobody looks", runs[1])
    tap.done()


main()
