#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pcilab-conform on devices that are not ours: a guest of QEMU judges QEMU's, by sysfs. What fails
there is known and stands in tests/golden/conform-qemu.txt; DISAGREE=1 prints it anew."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import harness

ALONE = os.environ.get("PCILAB_CONFORM", "")
GOLDEN = harness.ROOT / "tests/golden/conform-qemu.txt"
# A root port, a switch with an NVMe controller, and a network card with Virtual Functions.
MACHINE = """-M q35 -accel tcg -m 512 -nographic -no-reboot -nodefaults -serial stdio
-device pcie-root-port,id=rp0,chassis=1,slot=1,addr=4
-device pcie-root-port,id=rp1,chassis=1,slot=2,addr=5
-device x3130-upstream,id=up,bus=rp0 -device xio3130-downstream,id=d0,bus=up,chassis=1,slot=3
-drive if=none,id=disk,driver=null-co,size=64M -device nvme,drive=disk,serial=1,bus=d0
-device e1000e,bus=rp1,romfile=""".split()
JUDGED = "00:04.0 00:05.0 01:00.0 02:00.0 03:00.0 04:00.0"
INIT = f"""#!/bin/sh
/bin/busybox mkdir -p /proc /sys
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
for place in {JUDGED}; do
    echo "judge $place"
    /pcilab-conform --destructive $place
    echo "judged $place: $?"
done
/bin/busybox poweroff -f
"""


def pack(folder, out):
    names = subprocess.run(["find", ".", "-print"], cwd=folder, check=True, capture_output=True)
    with open(out, "wb") as file:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=folder, check=True,
                       input=names.stdout, stdout=file)


def boot(folder):
    root = pathlib.Path(folder) / "root"
    root.mkdir()
    shutil.copy(ALONE, root / "pcilab-conform")
    (root / "init").write_text(INIT)
    (root / "init").chmod(0o755)
    pack(root, f"{folder}/extra")
    guest = harness.guest_dir()
    with open(f"{folder}/initrd", "wb") as file:
        file.write((guest / "initramfs.img").read_bytes())
        file.write((pathlib.Path(folder) / "extra").read_bytes())
    done = subprocess.run(
        ["qemu-system-x86_64", *MACHINE, "-kernel", str(guest / "vmlinuz"), "-initrd",
         f"{folder}/initrd", "-append", "console=ttyS0 quiet panic=-1 no_timer_check tsc=reliable"],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=500, check=False)
    return done.stdout.decode("utf-8", "replace").replace("\r", "")


def qemu_version():
    done = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, check=True)
    return done.stdout.decode().split("\n")[0]


def failures(console):
    """(function, assertion, what was seen), and how many of each function were judged."""
    found, judged = [], {}
    place = "?"
    lines = console.split("\n")
    for i, line in enumerate(lines):
        if match := re.search(r"judge (\S+)$", line):
            place = match[1]
        elif match := re.match(r"1\.\.(\d+)$", line):
            judged[place] = int(match[1])
        elif match := re.match(r"not ok \d+ - (\S+) ", line):
            found.append(f"{place} {match[1]}: {lines[i + 1].lstrip('# ')}")
    return found, judged


def main():
    for need, what in ((shutil.which("qemu-system-x86_64"), "QEMU is not installed"),
                       (shutil.which("cpio"), "cpio is not installed"),
                       (os.path.exists(ALONE), "pcilab-conform is not built (static glib)")):
        if not need:
            print(f"1..0 # SKIP {what}")
            return
    harness.need_guest()
    with tempfile.TemporaryDirectory() as folder:
        console = boot(folder)
    found, judged = failures(console)
    if os.environ.get("DISAGREE"):
        print("\n".join([qemu_version(), *found]))
        return
    places = JUDGED.split()
    version, *known = GOLDEN.read_text().split("\n")[:-1]
    if version != qemu_version():
        known = found  # what another one does is not known
    points = [(f"{place}: judged to the end",
               judged.get(place, 0) > 400 and f"judged {place}: " in console) for place in places]
    points.append(("what fails is what is known", found == known))
    print(f"1..{len(points)}")
    for i, (name, good) in enumerate(points, 1):
        print(f"{'ok' if good else 'not ok'} {i} - {name}")
    for line in sorted(set(found) ^ set(known)):
        print(f"# {'new' if line in found else 'gone'}: {line}")
    if not all(good for _, good in points):
        print("\n".join("# " + line for line in console.split("\n")[-12:]))
        sys.exit(1)


main()
