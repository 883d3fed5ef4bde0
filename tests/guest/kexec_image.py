# SPDX-License-Identifier: GPL-2.0-or-later
"""An initramfs whose /kexec holds a kernel, its initramfs, and a program that starts them."""
import os
import shutil
import subprocess
import harness

# kexec_file_load(2), then reboot(2) into it; or only load it, for a panic.
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

    int on_crash = argc == 3 && !strcmp(argv[2], "on-crash");

    if (argc < 2 || syscall(SYS_kexec_file_load, kernel, initrd, strlen(argv[1]) + 1, argv[1],
                            on_crash ? 2L /* KEXEC_FILE_ON_CRASH */ : 0L)) {
        perror("kexec_file_load");
        return 1;
    }
    if (on_crash)
        return 0;
    sync();
    syscall(SYS_reboot, 0xfee1dead, 672274793, 0x45584543, NULL);
    perror("reboot");
    return 1;
}
"""


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
