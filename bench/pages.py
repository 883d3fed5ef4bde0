#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Page requests from end to end: the accelerator fills pages of a process that are not there.

Each is a Translation Request that finds nothing, a Page Request, the kernel's fault handler, a Page
Group Response and the write: by the clock of the guest, and of our processor between two marks. It
takes a kernel with shared virtual addressing: scripts/guest --suite trixie-backports.
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path("@source@" if not "@source@".startswith("@") else
                    pathlib.Path(__file__).resolve().parents[1])
sys.path.insert(0, str(ROOT / "bench"))
import guest  # noqa: E402

PCILAB = "@pcilab@" if not "@pcilab@".startswith("@") else str(ROOT / "build/pcilab")
DSA = "@dsa@" if not "@dsa@".startswith("@") else str(ROOT / "build/bench/dsa-guest")
SCRIPT = r"""
cd /sys/bus/dsa/devices || exit
echo 0 >dsa0/engine0.0/group_id
cd dsa0/wq0.0 || exit
echo 0 >group_id; echo shared >mode; echo 16 >size; echo 8 >threshold; echo 10 >priority
echo 1 >block_on_fault; echo user >type; echo user >driver_name; echo bench >name
echo dsa0 >/sys/bus/dsa/drivers/idxd/bind
echo wq0.0 >/sys/bus/dsa/drivers/user/bind
exec "$@"
"""


def run(args):
    """Guest seconds and processor seconds."""
    command = [args.pcilab, "boot", str(ROOT / "configs/dsa.ini"), "--guest", args.guest, "--",
               "sh",
               "-c", SCRIPT, "sh", DSA, "pages", "/dev/dsa/wq0.0", str(args.pages + 1)]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    begin, found = 0.0, None
    for line in child.stdout:
        if line.startswith("pages: begin"):
            begin = guest.cpu_seconds(child.pid)
        elif mark := re.match(r"pages: (\d+) in (\d+) ns", line):
            found = int(mark[2]) / 1e9, guest.cpu_seconds(child.pid) - begin
    if child.wait() != 0 or not found:
        raise SystemExit(f"pages: exit status {child.returncode} of {' '.join(command[:6])}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--pages", type=int, default=4000, help="in each boot (4000)")
    parser.add_argument("--runs", type=int, default=3, help="boots (3)")
    parser.add_argument("--guest", default="trixie-backports", help="whose kernel")
    parser.add_argument("--pcilab", default=PCILAB)
    args = parser.parse_args()
    runs = [run(args) for _ in range(args.runs)]
    virtual, cpu = (statistics.median(column) for column in zip(*runs))
    print(f"{args.pages} page requests of {args.guest}'s kernel, medians of {args.runs}:\n"
          f"{virtual / args.pages * 1e6:8.2f} us each by the guest's clock, "
          f"{args.pages / virtual:.0f} a second\n"
          f"{cpu / args.pages * 1e6:8.2f} us each of our processor, "
          f"{args.pages / cpu:.0f} a second")


main()
