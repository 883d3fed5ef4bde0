#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A server at a checkpoint: `pcilab fork` continues with an input of its own, several at once, and
does what an uninterrupted run does."""
import hashlib
import os
import signal
import subprocess
import tempfile
import harness

INPUT = b"""dd if=/dev/zero of=/dev/nvme0n1 bs=4k count=64 oflag=direct
dd if=/dev/nvme0n1 bs=4k count=128 iflag=direct 2>/dev/null | md5sum
poweroff -f
"""
LIMIT = ("--limit", "wall:200s")


class Fork(harness.Boot):
    """A started `pcilab fork`."""

    def __init__(self, path, *options, stdin=b""):
        self.command = [harness.PCILAB, "fork", path, *options]
        self.stdin = tempfile.TemporaryFile()
        self.stdin.write(stdin)
        self.stdin.seek(0)
        self.process = subprocess.Popen(self.command, stdin=self.stdin, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)


def sum_of(path):
    with open(path, "rb") as image:
        return hashlib.md5(image.read()).hexdigest()


def late(tap, folder, disk):
    """Continuations of a shell."""
    path, log = os.path.join(folder, "late"), os.path.join(folder, "log")
    before = sum_of(disk)
    boot = harness.boot("default.ini", "--disk", "nvme0=" + disk, "--checkpoint-at",
                        "console: READY", "--serve", path, append="quiet",
                        stdin=b"echo REA''DY\necho left''over\n")
    tap.check(boot.status == 0 and boot.console.endswith("READY"), "a boot leaves a server", boot)
    tap.check(os.stat(path).st_mode & 0o777 == 0o600, "for its owner only")
    panic = Fork(path, stdin=b"echo c >/proc/sysrq-trigger\n")
    limit = Fork(path, "--limit", "3s", stdin=b"sleep 100\n")
    good = Fork(path, "--digest", "--log", log, stdin=INPUT)
    killed = Fork(path, stdin=b"while :; do :; done\n")
    panic, limit, good = panic.wait(), limit.wait(), good.wait()
    tap.check(good.status == 0 and "leftover" in good.console and "echo left" in good.console
              and "READY" not in good.console and good.digest,
              "one goes on where the boot stopped, and powers off", good)
    with open(log, encoding="utf-8") as text:
        tap.check("Power down" in text.read(), "its log is written")
    tap.check(panic.status == 1 and "Kernel panic" in panic.console and "panicked" in panic.err,
              "one panics, says so on its own stderr, and has its own status", panic)
    tap.check(limit.status == 3, "one comes to its limit", limit)
    killed.process.send_signal(signal.SIGTERM)
    killed = killed.wait()
    tap.check(killed.status == 128 + signal.SIGTERM and "SIGTERM" not in killed.console,
              "one is told to end", killed)
    again = Fork(path, "--digest", stdin=INPUT).wait()
    tap.check(again.status == 0 and again.digest == good.digest, "the same again: the same digest",
              good, again)
    many = Fork(path, "--times", "2", "--seeds", "0..1", stdin=INPUT).wait()
    tap.check(many.status == 0 and many.console.count("\nok ") == 4
              and many.console.count(good.digest) >= 2, "many: TAP, the same digest again", many)
    tap.check(sum_of(disk) == before, "the disk is as it was")
    stop = Fork(path, "--stop").wait()
    tap.check(stop.status == 0 and not os.path.exists(path), "--stop ends the server", stop)
    gone = Fork(path).wait()
    tap.check(gone.status == 2 and "No such file" in gone.err, "and then there is none", gone)


def early(tap, folder, disks):
    """All of a guest's input comes after the checkpoint, as if it had been there from the start."""
    path = os.path.join(folder, "early")
    common = ("default.ini", "--seed", "7")
    alone = harness.Boot(*common, "--digest", "--disk", "nvme0=" + disks[0], append="quiet",
                         stdin=INPUT)
    boot = harness.boot(*common, "--disk", "nvme0=" + disks[1], "--checkpoint-at", "time: 100ms",
                        "--serve", path, append="quiet")
    tap.check(boot.status == 0, "a boot leaves a server at an instant", boot)
    fork = Fork(path, "--digest", stdin=INPUT).wait()
    alone = alone.wait()
    tap.check(fork.status == 0 and alone.status == 0 and fork.digest == alone.digest,
              "the digest is that of an uninterrupted run with this input", fork, alone)
    os.unlink(path)


def commands(tap, folder):
    """Commands of their own in continuations of one boot."""
    path, out = os.path.join(folder, "commands"), os.path.join(folder, "rw")
    os.mkdir(out)
    boot = harness.boot("default.ini", "--rw", out, "--checkpoint-at", "command", "--serve", path)
    tap.check(boot.status == 0 and boot.console == "", "a boot leaves a server for commands", boot)
    data = bytes(range(256)) * 1024
    first = Fork(path, "--", "sh", "-c", "echo apart >&2; cat; exit 3", stdin=data)
    other = Fork(path, "--", "sh", "-c", f'pwd; echo "$1"; echo $$ >{out}/file', "sh", "a  b\nc")
    result, _ = first.process.communicate(timeout=harness.TIMEOUT_S)
    tap.check(first.process.returncode == 3 and result == data,
              "a command has its own input, output and exit status")
    other = other.wait()
    tap.check(other.status == 0 and other.console == os.getcwd() + "\na  b\nc\n"
              and os.path.exists(out + "/file"), "another one its arguments and directory", other)
    for words, status in ((["/nowhere/x"], 127), (["sh", "-c", "kill -9 $$"], 137), (["true"], 0)):
        done = Fork(path, "--", *words).wait()
        tap.check(done.status == status, f"{words}: {status}", done)
    slow = Fork(path, "--limit", "2s", "--", "sleep", "100").wait()
    tap.check(slow.status == 124, "a command at its limit: 124", slow)
    many = Fork(path, "--times", "2", "--", "sh", "-c", "echo out; exit 5").wait()
    tap.check(many.status == 5 and many.console.count("the command failed (5)") == 2
              and many.console.count("#   out") == 2, "many: TAP", many)
    Fork(path, "--stop").wait()
    gone = Fork(path, "--", "true").wait()
    tap.check(gone.status == 126, "no server: 126", gone)


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        disks = [os.path.join(folder, name) for name in ("one.img", "other.img")]
        for disk in disks:
            with open(disk, "wb") as image:
                image.write(b"\xa5" * (8 << 20))
        late(tap, folder, disks[1])
        early(tap, folder, disks)
        if (harness.guest_dir() / "lib/modules").is_dir():
            commands(tap, folder)
    tap.done()


main()
