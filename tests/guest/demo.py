#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts/demo shows (guest/demo.sh): data through Virtual Functions of both devices behind an
IOMMU, and what crossed which link."""
import re
import harness


def main():
    harness.need_guest()
    tap = harness.Tap()
    run = harness.boot("demo.ini", "--quiet", "--at", "end:inspect:links",
                       append="quiet loglevel=1 pcilab.run=demo")
    tap.check(run.status == 0 and "PCILAB: demo complete" in run.console, "the demo completes", run)
    tap.check(len(re.findall("^verified", run.console, re.M)) == 2,
              "the disk and its Virtual Function keep what is written", run)
    sums = re.findall(r"^(?:sent by the VF|received) +sha256 (\w+)", run.console, re.M)
    tap.check(len(sums) == 2 and sums[0] == sums[1], "the network's Virtual Function sends", run)
    tap.check(re.search(r"^group \d+ +0000:03:00.1 $", run.console, re.M),
              "a Virtual Function is alone in its group", run)
    sent = {row[0]: [int(n) for n in row[1:]] for row in
            re.findall(r"^ +(\w+) .* (\d+) +(\d+) +(\d+) +(\d+)$", run.err, re.M)}
    # 12 MiB written, read by the device, and 12 MiB read back; 4 MiB out of memory and into it.
    tap.check(min(sent.get("nvme0", [0] * 4)[1::2]) > 12 << 20,
              "12 MiB crossed the disk's link both ways", sent)
    tap.check(min(sent.get("eth0", [0] * 4)[1::2]) > 4 << 20,
              "4 MiB crossed the card's link both ways", sent)
    tap.done()


main()
