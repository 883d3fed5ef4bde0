#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One command in a guest on this machine's own files, as virtme-ng --force-9p -- COMMAND does it.

The arguments for QEMU are those that virtme-ng 1.x passes for a script on x86_64 without KVM
(virtme/commands/run.py, virtme/architectures.py), word for word; the kernel and the modules to get
to the root file system are those of scripts/guest. Works with qemu-system-x86_64 and pcilab-qemu.

Usage: vng.py [--qemu-bin FILE] [--net] [--show-command] [--blk-disk NAME=FILE] -- COMMAND
"""
import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

INIT = r"""#!/bin/sh
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root LC_ALL=C
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
modprobe -a 9pnet_virtio 9p virtio_blk virtio_net virtio-rng 2>/dev/null
mkdir -p /host
options=ro,version=9p2000.L,trans=virtio,access=any,msize=262144
mount -t 9p -o $options /dev/root /host || poweroff -f
for what in dev proc sys; do mount -o bind "/$what" "/host/$what"; done
mount -t tmpfs tmp /host/tmp
port() {
    for dir in /sys/class/virtio-ports/*; do
        [ "$(cat "$dir/name")" = "$1" ] && echo "/dev/${dir##*/}"
    done
}
if grep -qw virtme.dhcp /proc/cmdline; then
    ip link set lo up
    ip link set eth0 up
    ip addr add 10.0.2.15/24 dev eth0
    ip route add default via 10.0.2.2
fi
cp /command /host/tmp/command
chroot /host /bin/sh /tmp/command \
    <"$(port virtme.stdin)" >"$(port virtme.stdout)" 2>"$(port virtme.stderr)"
echo $? >"$(port virtme.ret)"
sync
poweroff -f
"""


def guest_dir():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("PCILAB_GUEST_DIR") or cache + "/pcilab/guest")


def cpio(files):
    """A newc archive (Linux 6.12, Documentation/driver-api/early-userspace/buffer-format.rst)."""
    out = b""
    for i, (name, mode, data) in enumerate([*files, ("TRAILER!!!", 0, b"")]):
        head = (i + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + "".join(f"{n:08x}" for n in head).encode() + name.encode() + b"\0"
        out += b"\0" * (-len(out) % 4) + data
        out += b"\0" * (-len(out) % 4)
    return out


def write_initrd(file, command):
    base = (guest_dir() / "initramfs.img").read_bytes()
    file.write(base + b"\0" * (-len(base) % 512))
    file.write(cpio([("vng-init", 0o100755, INIT.encode()),
                     ("command", 0o100755, command.encode() + b"\n")]))
    file.flush()


def quote_karg(arg):
    return f'"{arg}"' if " " in arg else arg


def device(driver, **properties):
    return ["-device", ",".join([driver] + [f"{k}={v}" for k, v in properties.items()])]


def script_ports(qemu, ret):
    qemu += ["-vga", "none", "-display", "none"]
    qemu += ["-serial", "chardev:console", "-chardev", "file,id=console,path=/dev/null"]
    qemu += ["-chardev", "stdio,id=stdin,signal=on,mux=off"]
    qemu += device("virtio-serial-pci")
    qemu += device("virtserialport", name="virtme.stdin", chardev="stdin")
    for name, path in (("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
                       ("dev_stdout", "/proc/self/fd/1"), ("dev_stderr", "/proc/self/fd/2"),
                       ("ret", ret)):
        qemu += ["-chardev", f"file,id={name},path={path}"]
        qemu += device("virtio-serial-pci")
        qemu += device("virtserialport", name=f"virtme.{name}", chardev=name)
    qemu += ["-no-reboot"]


def arguments(args, ret, initrd):
    kernel = [f"nr_open={1 << 20}"]
    qemu = [args.qemu_bin, "-m", "512M"]
    qemu += ["-fsdev", "local,id=virtfs3,path=/,security_model=none,readonly=on,multidevs=remap"]
    qemu += device("virtio-9p-pci", fsdev="virtfs3", mount_tag="/dev/root")
    qemu += device("i6300esb", id="watchdog0") + ["-machine", "q35"]
    qemu += ["-parallel", "none", "-net", "none", "-smp", "2"]
    for i, disk in enumerate(args.blk_disk):
        name, path = disk.split("=", 1)
        qemu += ["-drive", f"if=none,id=blk-disk{i},file={path}"]
        qemu += device("virtio-blk-pci", drive=f"blk-disk{i}", serial=name)
    script_ports(qemu, ret)
    kernel += ["console=ttyS0", "earlyprintk=serial,ttyS0,115200", "quiet", "loglevel=0",
               "panic=-1"]
    if args.net:
        qemu += device("virtio-net-pci", netdev="n0") + ["-netdev", "user,id=n0"]
        kernel += ["virtme.dhcp", "net.ifnames=0", "biosdevname=0"]
    kernel += ["virtme_root_user=1", "rdinit=/vng-init"]
    qemu += ["-kernel", str(guest_dir() / "vmlinuz")]
    return qemu + ["-append", " ".join(quote_karg(a) for a in kernel), "-initrd", initrd]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--qemu-bin", default="qemu-system-x86_64")
    parser.add_argument("--net", action="store_true")
    parser.add_argument("--show-command", action="store_true")
    parser.add_argument("--blk-disk", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    with tempfile.NamedTemporaryFile() as initrd, tempfile.NamedTemporaryFile("r") as ret:
        write_initrd(initrd, " ".join(args.command))
        command = arguments(args, ret.name, initrd.name)
        if args.show_command:
            print(shlex.join(command))
        subprocess.run(command, check=False)
        text = ret.read().strip()
    sys.exit(int(text) if text.isdigit() else 255)


if __name__ == "__main__":
    main()
