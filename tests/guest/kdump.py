#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel crashes on its second processor, the crash kernel dumps it through the devices and the
IOMMU as the dead one left them; and a kernel that panics restarts and finds them again, as the
firmware has assigned them."""
import os
import re
import shutil
import subprocess
import tempfile
import harness
import kexec_image
from core import Core

TOPOLOGY = """[machine]
memory=512M
cpus=2
[iommu iommu0]
[root-port rp0]
[switch sw0]
at=rp0
downstream=3
[nvme nvme0]
at=sw0.0
size=512M
[exerciser ex0]
at=sw0.1
functions=2
[virtio-blk vd0]
at=sw0.2
size=16M
[virtio-rng rng0]
[root-port rp1]
[exerciser ex1]
at=rp1
"""
CRASH = ("console=ttyS0 quiet panic=-1 nr_cpus=1 reset_devices pcilab.run=test:kdump "
         "pcilab.functions=")
# The first one works for a while, so that the devices are in use, and dies on processor 1.
SCRIPT = """/kexec/run "{crash}$(ls /sys/bus/pci/devices | wc -l)" on-crash
dd if=/dev/nvme0n1 of=/dev/null bs=1M count=4; dd if=/dev/vda of=/dev/null bs=1M count=4
cat /sys/kernel/kexec_crash_loaded
taskset 2 sh -c 'echo c >/proc/sysrq-trigger'
"""


def judge(tap, path, run):
    core = Core(path)
    info = core.info()
    tap.check((core.type, core.machine) == (4, 62), "an x86-64 core file", core.segments)
    names = core.virtual(int(info["SYMBOL(init_uts_ns)"], 16), 390)
    tap.check(names[:6] == b"Linux\0" and names[130:195].rstrip(b"\0").decode()
              == info["OSRELEASE"], "the dead kernel's names are where VMCOREINFO says", names)
    tap.check(len(core.registers()) == 2 and all(rip >= 0xFFFFFFFF80000000
                                                 for rip, _ in core.registers()),
              "both processors were in the kernel", core.registers())
    tap.check(b"Kernel panic - not syncing: sysrq triggered crash" in core.data,
              "its last words", run)
    tool = shutil.which("vmcore-dmesg", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if not tool:
        tap.check(True, "vmcore-dmesg reads its log # SKIP no vmcore-dmesg (kexec-tools)")
        return
    log = subprocess.run([tool, path], capture_output=True, text=True, check=False).stdout
    tap.check(f"Linux version {info['OSRELEASE']}" in log and "sysrq triggered crash" in log,
              "vmcore-dmesg reads its log", log[-800:])


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        config, disk, flag = (os.path.join(folder, name) for name in ("t.ini", "disk", "flag"))
        with open(config, "w", encoding="utf-8") as text:
            text.write(TOPOLOGY)
        with open(config + "2", "w", encoding="utf-8") as text:
            text.write(TOPOLOGY.replace("[machine]", "[machine]\nfirmware-assigns=yes")
                       .replace("[iommu iommu0]\n", ""))
        for path, size in ((disk, 512 << 20), (flag, 16 << 20)):
            with open(path, "wb") as image:
                image.truncate(size)
        dump = harness.Boot(config, "--kernel", str(harness.guest_dir() / "vmlinuz"), "--initrd",
                            kexec_image.initramfs(folder), "--disk", f"nvme0={disk}",
                            "--allow-splat", "panic", "--stats",
                            append="quiet crashkernel=208M",
                            stdin=SCRIPT.format(crash=CRASH).encode())
        again = harness.Boot(config + "2", "--disk", f"vd0={flag}", "--allow-splat", "panic",
                             "--stats", "--limit", "60s",
                             append="quiet panic=1 pcilab.run=test:panic-once")
        dump, again = dump.wait(), again.wait()
        tap.check("sysrq triggered crash" in dump.console and
                  dump.console.count("PCILAB: init") == 2, "the crash kernel starts its init", dump)
        tap.check("resets=0" in dump.err, "without a reset of the machine", dump)
        tap.relay(dump, "kdump")
        tap.check(dump.status == 0, "and powers off", dump)
        size = re.search(r"^vmcore bytes (\d+)$", dump.console, re.M)
        if tap.check(size and int(size.group(1)) > 250 << 20, "most of the memory is in it", dump):
            os.truncate(disk, int(size.group(1)))
            judge(tap, disk, dump)
        tap.check("resets=1" in again.err and again.console.count("PCILAB: init") == 2,
                  "panic=1: the kernel boots again", again)
        again.console = again.console[again.console.rindex("PCILAB: init"):]
        tap.relay(again, "panic-once")
        tap.check(again.status == 0, "and powers off", again)
    tap.done()


main()
