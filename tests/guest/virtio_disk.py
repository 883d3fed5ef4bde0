#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Image files behind virtio-blk, with split and with packed rings; the same run twice gives the
same digest."""
import hashlib
import os
import random
import re
import tempfile
import harness

MIB = 1 << 20
SIZE = 8 * MIB


def sha(data):
    return hashlib.sha256(data).hexdigest()


def main():
    harness.need_guest()
    tap = harness.Tap()
    before = random.Random(5).randbytes(SIZE)
    with tempfile.TemporaryDirectory() as folder:
        def run(name):
            images = []
            for disk in ("vd0", "vd1"):
                images.append(os.path.join(folder, f"{name}-{disk}.img"))
                with open(images[-1], "wb") as image:
                    image.write(before)
            options = [o for d, i in zip(("vd0", "vd1"), images) for o in ("--disk", f"{d}={i}")]
            return images, (("virtio.ini", *options, "--digest"),
                            {"append": "quiet pcilab.run=test:virtio-disk"})

        (images, first), (_, second) = run("a"), run("b")
        runs = harness.boot_both(first, second)
        tap.relay(runs[0], "virtio-disk")
        tap.check(runs[0].status == 0, "powered off: exit status 0", runs[0])
        tap.check(runs[0].digest and runs[0].digest == runs[1].digest, "equal digests", *runs)
        read = dict(re.findall(r"^read (\w+) ([0-9a-f]{64})$", runs[0].console, re.M))
        wrote = dict(re.findall(r"^wrote (\w+) ([0-9a-f]{64})$", runs[0].console, re.M))
        for name, path in zip(("vd0", "vd1"), images):
            with open(path, "rb") as image:
                after = image.read()
            tap.check(read.get(name) == sha(before), f"{name}: the guest read what it held",
                      runs[0])
            tap.check(wrote.get(name) == sha(after[4 * MIB:5 * MIB]),
                      f"{name}: it holds what the guest wrote", runs[0])
            tap.check(len(after) == SIZE and after[:4 * MIB] == before[:4 * MIB] and
                      after[5 * MIB:] == before[5 * MIB:], f"{name}: nothing else changed")
    tap.done()


main()
