#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What an IOMMU costs a disk: NVMe reads in the guest with the unit off, pt, lazy and strict.

1 MiB reads one after another and 4 KiB reads anywhere, past the page cache. Processor time of the
whole process between the guest's marks, medians of several rounds in several boots, which take
turns. Where QEMU is installed, the same program, kernel and modules under its TCG with its
intel-iommu.
"""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path("@source@" if not "@source@".startswith("@") else
                    pathlib.Path(__file__).resolve().parents[1])
sys.path.insert(0, str(ROOT / "bench"))
import guest  # noqa: E402
import loop  # noqa: E402

READER = "@reader@" if not "@reader@".startswith("@") else str(ROOT / "build/bench/dma-guest")
MODES = {"off": "intel_iommu=off", "pt": "intel_iommu=on iommu=pt",
         "lazy": "intel_iommu=on iommu.strict=0", "strict": "intel_iommu=on iommu.strict=1"}
MARK = re.compile(rb"dma: (begin|large|small)\s*$")
DISK_BYTES = 64 << 20
# An IOMMU and an NVMe controller at a root port, as bench/loop gives QEMU.
TOPOLOGY = "[machine]\nmemory=1G\n[iommu iommu0]\n[root-port rp0]\n[nvme nvme0]\nat=rp0\n"
KINDS = ("large", "small")


def follow(stream, pid):
    """Processor seconds: {"large": [...], "small": [...]}"""
    result, begin = {kind: [] for kind in KINDS}, 0.0
    for line in stream:
        if mark := MARK.search(line):
            now = guest.cpu_seconds(pid)
            if mark[1] == b"begin":
                begin = now
            else:
                result[mark[1].decode()].append(now - begin)
    return result


def reader(args):
    return [READER, "/dev/nvme0n1", str(args.large), str(args.small), str(args.rounds)]


def run_pcilab(args, mode, folder):
    topology = pathlib.Path(folder, "t.ini")
    topology.write_text(TOPOLOGY, encoding="ascii")
    command = [args.pcilab, "boot", str(topology), f"--disk=nvme0={folder}/disk", "--append",
               MODES[mode], "--", *reader(args)]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    result = follow(child.stdout, child.pid)
    if child.wait() != 0:
        raise RuntimeError(f"pcilab: exit status {child.returncode}")
    return result


def run_qemu(args, mode, folder):
    script = "while [ ! -b /dev/nvme0n1 ]; do sleep 0.1; done; exec " + " ".join(reader(args))
    return guest.run_qemu(args, f"{folder}/disk", ["sh", "-c", script],
                          lambda port, pid: follow(port.makefile("rb"), pid),
                          ["-device", "intel-iommu,intremap=on"], " " + MODES[mode])


def measure(name, run, args, folder):
    """Rows by mode: microseconds of a large and of a small read."""
    samples = {mode: {kind: [] for kind in KINDS} for mode in MODES}
    for _ in range(args.runs):
        for mode in MODES:
            found = run(args, mode, folder)
            for kind in KINDS:
                if len(found[kind]) != args.rounds:
                    raise RuntimeError(f"{name}, {mode}: {len(found[kind])} rounds")
                samples[mode][kind] += found[kind]
    counts = {"large": args.large, "small": args.small}
    rows = {mode: [statistics.median(samples[mode][kind]) / counts[kind] * 1e6 for kind in KINDS]
            for mode in MODES}
    for mode, row in rows.items():
        print(f"{name:10}{mode:8}" + "".join(
            f"{value:12.1f}{value / base:8.2f}" for value, base in zip(row, rows["off"])),
              flush=True)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--large", type=int, default=128, help="reads of 1 MiB a round (128)")
    parser.add_argument("--small", type=int, default=3000, help="reads of 4 KiB a round (3000)")
    parser.add_argument("--rounds", type=int, default=3, help="in each boot (3)")
    parser.add_argument("--runs", type=int, default=3, help="boots in each mode (3)")
    parser.add_argument("--pcilab", default=loop.PCILAB)
    parser.add_argument("--qemu", default=shutil.which("qemu-system-x86_64"))
    args = parser.parse_args()
    print("Processor microseconds a read, and times what it takes with the unit off; medians of "
          f"{args.rounds * args.runs}\n{'':18}{'1 MiB':>20}{'4 KiB':>20}")
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "disk").write_bytes(os.urandom(1 << 20) * (DISK_BYTES >> 20))
        measure("pcilab", run_pcilab, args, folder)
        if args.qemu:
            guest.prepare_qemu(args, folder)
            measure("QEMU TCG", run_qemu, args, folder)


main()
