#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The NVMe controller under nvme-cli, fio and ext4 (nvme_commands.sh); the image afterwards."""
import os
import re
import shutil
import subprocess
import tempfile
import harness

MIB = 1 << 20
TOOLS = ["nvme", "fio", "mkfs.ext4", "e2fsck", "debugfs"]
CONFIG = """
[machine]
memory=512M
cpus=1
[root-port rp0]
[nvme nvme0]
at=rp0
namespaces=2
namespace-size=24M
vfs=2
"""


def tool(name):
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def check_file_system(tap, image, console):
    """The first namespace is the image's beginning."""
    done = subprocess.run([tool("e2fsck"), "-fn", image], capture_output=True, text=True)
    tap.check(done.returncode == 0, "e2fsck finds the file system clean", done.stdout[-500:])
    sums = re.findall(r"^# sum ([0-9a-f]{64})  \./(\d)$", console, re.M)
    good = len(sums) == 3
    for expected, name in sums:
        data = subprocess.run([tool("debugfs"), "-R", f"cat {name}", image],
                              capture_output=True).stdout
        found = subprocess.run(["sha256sum"], input=data, capture_output=True).stdout.decode()
        good = good and found.startswith(expected)
    tap.check(good, "its files have what the guest wrote")


def main():
    harness.need_guest()
    missing = [name for name in TOOLS if not tool(name)]
    if missing or not list(harness.guest_dir().glob("lib/modules/*/modules.dep")):
        print(f"1..0 # SKIP not here: {' '.join(missing) or 'modules (run scripts/guest)'}")
        return
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        topology, image = os.path.join(folder, "t.ini"), os.path.join(folder, "disk.img")
        with open(topology, "w", encoding="ascii") as file:
            file.write(CONFIG)
        with open(image, "wb") as file:
            file.truncate(64 * MIB)
        script = str(harness.ROOT / "tests/guest/nvme_commands.sh")
        command = [os.path.abspath(harness.PCILAB), "boot", topology, "--disk", f"nvme0={image}",
                   "--", "sh", script]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=560)
        run = harness.Result(command, done.returncode, done.stdout, done.stderr)
        run.console = "PCILAB: begin nvme\n" + run.console + "PCILAB: end nvme 0\n"
        tap.relay(run, "nvme")
        tap.check(run.status == 0, "exit status 0", run)
        with open(image, "r+b") as file:
            file.truncate(24 * MIB)
        check_file_system(tap, image, run.console)
    tap.done()


main()
