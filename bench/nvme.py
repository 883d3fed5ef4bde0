#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the NVMe controller costs: fio in the guest, beside QEMU's TCG, in processor time of the
host, which on an idle one is wall time, and which other processes do not blur.

Both boot the same kernel and agent, and run the host's fio over 9P on an NVMe disk with the same
image behind it. A run of fio that reads one block is subtracted from each.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path("@source@" if not "@source@".startswith("@") else
                                    pathlib.Path(__file__).resolve().parents[1]) / "bench"))
import guest  # noqa: E402
import loop  # noqa: E402

IMAGE_MIB = 512
SEQUENTIAL_MIB = 2400
FIO = "fio --name=b --filename=/dev/nvme0n1 --direct=1 --thread --minimal"
# What is done, fio's words, and how much that is.
WORK = [
    ("nothing", "--rw=read --bs=4k --size=4k", 1, ""),
    ("read, 1 MiB blocks", "--rw=read --bs=1M --size=400M --loops=6", SEQUENTIAL_MIB, "MiB/s"),
    ("write, 1 MiB blocks", "--rw=write --bs=1M --size=400M --loops=6", SEQUENTIAL_MIB,
     "MiB/s"),
    ("random 4 KiB reads, depth 1", "--rw=randread --bs=4k --number_ios=5000", 5000, "/s"),
    ("random 4 KiB reads, depth 32",
     "--rw=randread --bs=4k --ioengine=libaio --iodepth=32 --number_ios=10000", 10000, "/s"),
]
SCRIPT = ("modprobe nvme; while [ ! -b /dev/nvme0n1 ]; do sleep 0.1; done\n" + "".join(
    f"echo start\n{FIO} {words} >/dev/null || exit 1\necho end\n"
    for words in [WORK[0][1]] + [work[1] for work in WORK]))  # the first time fills caches
TOPOLOGY = "[machine]\nmemory=1G\n[root-port rp0]\n[nvme nvme0]\nat=rp0\n"


def durations(read, pid):
    """Seconds between each start and end, as they arrive."""
    found, begun, text = [], 0.0, b""
    while True:
        data = read()
        now = guest.cpu_seconds(pid) if data else 0
        if not data:
            return found
        text += data
        while b"\n" in text:
            line, text = text.split(b"\n", 1)
            if line.strip() == b"start":
                begun = now
            elif line.strip() == b"end":
                found.append(now - begun)


def run_pcilab(args, image):
    with tempfile.TemporaryDirectory() as folder:
        topology = os.path.join(folder, "t.ini")
        pathlib.Path(topology).write_text(TOPOLOGY, encoding="ascii")
        child = subprocess.Popen([args.pcilab, "boot", topology, "--disk", f"nvme0={image}", "--",
                                  "sh", "-c", SCRIPT], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE)
        found = durations(lambda: os.read(child.stdout.fileno(), 4096), child.pid)
        if child.wait() != 0:
            raise RuntimeError(f"pcilab: exit status {child.returncode}")
        return found


def run_qemu(args, image):
    return guest.run_qemu(args, image, ["sh", "-c", SCRIPT],
                          lambda port, pid: durations(lambda: port.recv(4096), pid))


def measure(name, run, args, image):
    """Medians per kind of work, without what starting fio takes."""
    samples = []
    for _ in range(args.runs):
        found = run(args, image)[1:]
        if len(found) != len(WORK):
            raise RuntimeError(f"{name}: {len(found)} of {len(WORK)} runs of fio ended")
        samples.append([max(seconds - found[0], 1e-3) for seconds in found[1:]])
    return [statistics.median(column) for column in zip(*samples)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--pcilab", default=loop.PCILAB)
    parser.add_argument("--qemu", default=shutil.which("qemu-system-x86_64"))
    args = parser.parse_args()
    if not shutil.which("fio"):
        sys.exit("fio is not installed")
    with tempfile.TemporaryDirectory() as folder:
        image = os.path.join(folder, "disk.img")
        with open(image, "wb") as file:
            for _ in range(IMAGE_MIB):
                file.write(os.urandom(1 << 20))
        ours = measure("pcilab", run_pcilab, args, image)
        theirs = None
        if args.qemu:
            guest.prepare_qemu(args, folder)
            theirs = measure("QEMU TCG", run_qemu, args, image)
    print(f"{'median of ' + str(args.runs):32}{'pcilab':>16}{'QEMU TCG':>16}{'ratio':>8}")
    for i, (name, _, amount, unit) in enumerate(WORK[1:]):
        line = f"{name:32}{amount / ours[i]:10.0f} {unit:5}"
        if theirs:
            line += f"{amount / theirs[i]:10.0f} {unit:5}{theirs[i] / ours[i]:8.2f}"
        print(line)


main()
