#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel starts its successor with kexec: no reset, and the devices work for the next one."""
import os
import shutil
import subprocess
import tempfile
import harness

# kexec_file_load(2), then reboot(2) into it.
SOURCE = r"""
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int kernel = open("/kexec/vmlinuz", O_RDONLY), initrd = open("/kexec/initramfs.img", O_RDONLY);

    if (argc != 2 ||
        syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[1]) + 1, argv[1], 0L)) {
        perror("kexec_file_load");
        return 1;
    }
    sync();
    syscall(SYS_reboot, 0xfee1dead, 672274793, 0x45584543, NULL);
    perror("reboot");
    return 1;
}
"""
NEXT = "console=ttyS0 panic=-1 quiet pcilab.run=test:nvme-short"


def entry(name, mode, data=b""):
    """A file of an initramfs (Linux, driver-api/early-userspace/buffer-format.rst)."""
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def initramfs(folder):
    """The guest's own, and behind it what it starts next."""
    source, program = os.path.join(folder, "run.c"), os.path.join(folder, "run")
    with open(source, "w", encoding="utf-8") as text:
        text.write(SOURCE)
    if not shutil.which("cc") or subprocess.run(
            ["cc", "-O1", "-static", "-o", program, source], check=False).returncode:
        print("1..0 # SKIP no compiler for static programs")
        raise SystemExit
    path = os.path.join(folder, "initramfs.img")
    own = (harness.guest_dir() / "initramfs.img").read_bytes()
    kernel = (harness.guest_dir() / "vmlinuz").read_bytes()
    with open(path, "wb") as image, open(program, "rb") as run:
        image.write(own + b"\0" * (-len(own) % 4))
        image.write(entry("kexec", 0o40755) + entry("kexec/run", 0o100755, run.read()))
        image.write(entry("kexec/vmlinuz", 0o100644, kernel))
        image.write(entry("kexec/initramfs.img", 0o100644, own) + entry("TRAILER!!!", 0))
    return path


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        run = harness.boot("default.ini", "--kernel", str(harness.guest_dir() / "vmlinuz"),
                           "--initrd", initramfs(folder), "--stats", "--memory", "1G",
                           append="quiet", stdin=f"/kexec/run '{NEXT}'\n".encode())
    tap.check(run.console.count("PCILAB: init") == 2, "the next kernel starts its init", run)
    tap.check("resets=0" in run.err, "without a reset of the machine", run)
    tap.relay(run, "nvme-short")
    tap.check(run.status == 0, "and powers off", run)
    tap.done()


main()
