#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in the image is what the guest reads, and what the guest writes is in the image."""
import hashlib
import os
import random
import re
import tempfile
import harness

MIB = 1 << 20
SIZE = 32 * MIB


def main():
    harness.need_guest()
    tap = harness.Tap()
    before = random.Random(20).randbytes(SIZE)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "disk.img")
        with open(path, "wb") as image:
            image.write(before)
        run = harness.boot("default.ini", "--disk", f"nvme0={path}",
                           append="quiet pcilab.run=test:disk")
        tap.relay(run, "disk")
        tap.check(run.status == 0, "powered off: exit status 0", run)
        with open(path, "rb") as image:
            after = image.read()

    sums = dict(re.findall(r"^(read|wrote) ([0-9a-f]{64})$", run.console, re.M))
    tap.check(sums.get("read") == hashlib.sha256(before).hexdigest(),
              "the guest read what the image held", run)
    tap.check(len(after) == SIZE, "the image kept its size", f"now {len(after)} bytes")
    # inside/disk.sh writes 4 MiB at 8 MiB, and 512 bytes in the last block.
    written = after[8 * MIB:12 * MIB]
    tap.check(sums.get("wrote") == hashlib.sha256(written).hexdigest(),
              "the image holds what the guest wrote", run)
    tap.check(after[-512:] == b"last block of the disk".ljust(512, b"\0"),
              "the last block was written", after[-512:])
    untouched = (before[:8 * MIB] == after[:8 * MIB] and
                 before[12 * MIB:-512] == after[12 * MIB:-512])
    tap.check(untouched and before[8 * MIB:12 * MIB] != written, "nothing else changed")
    tap.done()


main()
