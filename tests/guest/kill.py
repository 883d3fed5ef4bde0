#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pcilab is killed at random instants while the guest writes (inside/durable.sh): whatever the
guest has called durable is in the image.

Usage: kill.py [BOOTS], of five instants each
"""
import concurrent.futures
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import time
import harness

SLOTS, SLOT_BYTES = 64, 4096
INSTANTS = 5  # of one boot; in the last it is killed
CONFIG = "[machine]\nmemory=256M\n[root-port rp0]\n[nvme nvme0]\nat=rp0\n"


def content(number):
    """What is in block `number`; 0: nobody has written it."""
    line = f"{number}\n".encode()
    return (line * (SLOT_BYTES // len(line) + 1))[:SLOT_BYTES] if number else bytes(SLOT_BYTES)


class Writer:
    """A boot that writes. `told` is the highest number that it has called durable."""

    def __init__(self, topology, image, mode):
        command = [harness.PCILAB, "boot", topology, "--quiet", "--disk", f"nvme0={image}{mode}",
                   "--append", "quiet pcilab.run=test:durable"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.told, self.line = 0, b""

    def read(self, enough):
        """Reads what there is, and waits for more until `enough` is told; False: it has ended."""
        pipe = self.process.stdout.fileno()
        while select.select([pipe], [], [], harness.TIMEOUT_S if self.told < enough else 0)[0]:
            data = os.read(pipe, 65536)
            *lines, self.line = (self.line + data).split(b"\n")
            for line in lines:
                if line.startswith(b"DURABLE "):
                    self.told = int(line.split()[1])
            if not data:
                return False
        return self.told >= enough

    def stop(self, number):
        """It does nothing more; all that it had told by then is read."""
        self.process.send_signal(number)
        if number == signal.SIGSTOP:
            os.waitpid(self.process.pid, os.WUNTRACED)
        else:
            self.process.wait()
        self.read(0)


def check_image(image, told):
    """A slot holds the last block that was told of, or a later one that was not told any more."""
    with open(image, "rb") as file:
        for slot in range(SLOTS):
            data = file.read(SLOT_BYTES)
            least = max(told - (told - slot) % SLOTS, 0)
            if data == content(least):
                continue
            # At most the one after the last that was told of was under way; it may be torn.
            if (told + 1) % SLOTS != slot:
                return f"slot {slot}: not block {least}, but {data[:16]!r}; told of {told}"
    return None


def one_boot(topology, folder, index, mode):
    """What the file holds at some instants (a process that is stopped leaves it as one that is
    killed does) and after the kill: for each instant what was told, and an error or None."""
    rng = random.Random(index)
    image = os.path.join(folder, f"{index}.img")
    with open(image, "wb") as file:
        file.truncate(1 << 20)
    writer = Writer(topology, image, mode)
    results = []
    try:
        for instant in range(INSTANTS):
            if not writer.read(writer.told + rng.randrange(1, 40)):
                return results + [(writer.told, f"it ended, or hangs")]
            time.sleep(rng.random() / 100)
            last = instant == INSTANTS - 1
            writer.stop(signal.SIGKILL if last else signal.SIGSTOP)
            results.append((writer.told, check_image(image, writer.told)))
            if not last:
                writer.process.send_signal(signal.SIGCONT)
    finally:
        writer.process.kill()
        writer.process.wait()
        os.unlink(image)
    return results


def direct_mode(folder):
    """Half of the runs go past the page cache, where the host can."""
    try:
        path = os.path.join(folder, "probe")
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_DIRECT, 0o600))
        return ",direct"
    except OSError:
        return ""


def main():
    harness.need_guest()
    boots = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        topology = os.path.join(folder, "t.ini")
        with open(topology, "w", encoding="ascii") as file:
            file.write(CONFIG)
        modes = ("", direct_mode(folder))
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for results in pool.map(lambda i: one_boot(topology, folder, i, modes[i % 2]),
                                    range(boots)):
                for told, error in results:
                    tap.check(error is None, f"ended after block {told}", error)
    tap.check(tap.count == boots * INSTANTS, "every instant was looked at")
    tap.done()


main()
