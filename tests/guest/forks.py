#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot once, continue many times: what a continuation does is what an uninterrupted run does."""
import hashlib
import os
import re
import tempfile
import harness

INPUT = b"""echo REA''DY
dd if=/dev/zero of=/dev/nvme0n1 bs=4k count=64 oflag=direct
dd if=/dev/nvme0n1 bs=4k count=128 iflag=direct 2>/dev/null | md5sum
poweroff -f
"""
LINE = re.compile(r"^(not )?ok \d+ - seed (\d+): .*\((\d+)\), .*digest ([0-9a-f]{64})$", re.M)


def lines(result):
    """(seed, status, digest) of each continuation."""
    return [(int(seed), int(status), digest)
            for _, seed, status, digest in LINE.findall(result.console)]


def sum_of(path):
    with open(path, "rb") as image:
        return hashlib.md5(image.read()).hexdigest()


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        disks = [os.path.join(folder, name) for name in ("forked.img", "alone.img")]
        for disk in disks:
            with open(disk, "wb") as image:
                image.write(b"\xa5" * (8 << 20))
        before, logs = sum_of(disks[0]), os.path.join(folder, "logs")

        def run(disk, *options):
            return (("default.ini", "--digest", "--seed", "7", "--disk", "nvme0=" + disk,
                     *options), {"append": "quiet", "stdin": INPUT})

        forked, alone = harness.boot_both(
            run(disks[0], "--checkpoint-at", "console: READY", "--times", "2", "--seeds", "7..8",
                "--logs", logs), run(disks[1]))
        found = lines(forked)
        tap.check(forked.status == 0 and [f[:2] for f in found] == [(7, 0)] * 2 + [(8, 0)] * 2,
                  "two continuations with each of two seeds power off", forked)
        tap.check(alone.status == 0 and all(f[2] == alone.digest for f in found[:2]),
                  "the parent's seed: the digest of an uninterrupted run", forked, alone)
        tap.check(sum_of(disks[0]) == before, "the image is as it was")
        tap.check(sum_of(disks[1]) != before, "an uninterrupted run writes it")
        sums = re.findall(r"^[0-9a-f]{32}  -$", alone.console, re.M)
        texts = []
        for name in ("seed-7-1.log", "seed-7-2.log", "seed-8-1.log", "seed-8-2.log"):
            with open(os.path.join(logs, name), encoding="utf-8") as log:
                texts.append(log.read())
        tap.check(len(sums) == 1 and all(sums[0] in text for text in texts),
                  "each reads from its disk what it wrote, and the rest as it was", *texts)
        with open(os.path.join(logs, "boot.log"), encoding="utf-8") as log:
            text = log.read()
        tap.check(text.endswith("READY") and "md5sum" not in texts[0].split("\n", maxsplit=1)[0],
                  "the console is cut behind the text", text[-200:])

    def early(*options):
        return (("minimal.ini", "--digest", "--seed", "7", "--limit", "600ms", "--checkpoint-at",
                 "time: 100ms", *options), {"append": "quiet pcilab.run=off"})

    many, one = harness.boot_both(early("--seeds", "7..8"), early("--reseed", "8"))
    found = lines(many)
    tap.check([f[:2] for f in found] == [(7, 3), (8, 3)] and many.status == 3
              and many.console.count("not ok") == 2 and "seeds 7 8" in many.console,
              "continuations that fail are told, with their status", many)
    tap.check(len(found) == 2 and found[0][2] != found[1][2], "another seed: another digest", many)
    tap.check(len(found) == 2 and found[1][2] == one.digest,
              "--reseed does alone what the continuation did", many, one)
    never = harness.boot("minimal.ini", "--limit", "100ms", "--checkpoint-at", "console: never",
                         "--times", "2", append="quiet")
    tap.check(never.status == 3 and "Bail out!" in never.console and "not reached" in never.err,
              "a checkpoint that does not come", never)
    tap.done()


main()
