#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pcilab-qemu: the arguments of kunit.py, of virtme-ng and of small scripts boot, and what the
guest sees is what they describe. Where QEMU is installed it has to agree."""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import harness

QEMU = os.environ["PCILAB_QEMU"]
VNG = str(harness.ROOT / "tests/qemu/vng.py")
KERNEL, INITRD = (str(harness.guest_dir() / name) for name in ("vmlinuz", "initramfs.img"))

# One line: a shell that edits lines forgets what was typed while a command ran.
SHELL = "; ".join((
    "stty -echo", "until [ -b /dev/nvme0n1 ]; do sleep 0.1; done", "lspci -t",
    'echo "vendor $(lspci -n | grep -c 1af4:)"',
    "dd if=/dev/nvme0n1 bs=512 count=1 2>/dev/null | head -n 1",
    'echo "blk $(cat /sys/block/vda/size) $(cat /sys/block/vda/ro) $(cat /sys/block/vda/serial)"',
    'echo "iommu $(ls /sys/class/iommu)"',
    'echo "nvme $(cat /sys/block/nvme0n1/device/serial)"', "echo to-the-file >/dev/hvc0",
    'echo "cpus $(nproc)"', "reboot -f\n")).encode()


def start(*options, stdin=b""):
    return subprocess.run([QEMU, *options], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=harness.TIMEOUT_S, check=False)


def say(run):
    return f"exit status {run.returncode}\n" + run.stdout.decode("utf-8", "replace")[-1500:] + \
        run.stderr.decode("utf-8", "replace")[-1500:]


def check_kunit(tap):
    """tools/testing/kunit/kunit_kernel.py and qemu_configs/x86_64.py, Linux 6.12."""
    run = start("-nodefaults", "-m", "1024", "-kernel", KERNEL,
                "-append", "mem=1G console=tty kunit_shutdown=halt console=ttyS0 "
                           "kunit_shutdown=reboot panic=-1",
                "-no-reboot", "-nographic", "-serial", "stdio", "-bios", "qboot.rom")
    text = run.stdout.decode("utf-8", "replace")
    tap.check(run.returncode == 0, "kunit.py's arguments: a panic ends as QEMU's does", say(run))
    tap.check("Kernel panic - not syncing: VFS" in text, "without an initrd there is no root",
              say(run))


def check_script(tap, folder):
    disk, blk, log = (os.path.join(folder, name) for name in ("nvme.img", "blk.img", "hvc.log"))
    for path, size in ((disk, 1 << 20), (blk, 3 << 20)):
        with open(path, "wb") as file:
            file.write(b"from-the-host\n")
            file.truncate(size)
    run = start(
        "-nographic", "-M", "q35", "-cpu", "max", "-m", "512M", "-smp", "2", "-kernel", KERNEL,
        "-initrd", INITRD, "-append", "console=ttyS0 quiet", "-no-reboot",
        "-device", "intel-iommu,intremap=on,caching-mode=off",
        "-device", "pcie-root-port,id=rp0,chassis=1,addr=3",
        "-device", "x3130-upstream,id=up,bus=rp0",
        "-device", "xio3130-downstream,id=d0,bus=up,chassis=2",
        "-device", "xio3130-downstream,id=d1,bus=up,chassis=3",
        "-drive", f"if=none,id=n,file={disk},format=raw",
        "-device", "nvme,drive=n,serial=deadbeef,bus=d1",
        "-drive", f"if=none,id=b,file={blk},format=raw,readonly=on",
        "-device", "virtio-blk-pci,drive=b,serial=xyz,bus=d0",
        "-device", "pxb-pcie,id=pxb,bus_nr=0x80",
        "-device", "pcie-root-port,id=rp1,bus=pxb,chassis=9",
        "-device", "virtio-rng-pci,bus=rp1", "-device", "virtio-serial-pci,addr=1d",
        "-chardev", f"file,id=f,path={log}", "-device", "virtconsole,chardev=f", stdin=SHELL)
    text = run.stdout.decode("utf-8", "replace").replace("\r", "")
    tap.check(run.returncode == 0, "a small script's arguments: a reset ends it", say(run))
    tap.check(re.search(r"-03\.0-\[\w+-\w+\]----00\.0-\[\w+-\w+\]--\+-00\.0-\[\w+\]----00\.0", text)
              and re.search(r"\\-01\.0-\[\w+\]----00\.0", text) and
              re.search(r"-\[0000:80\]-\+-00\.0\n *\\-01\.0-\[81\]----00\.0", text) and
              re.search(r"-1d\.0\n", text), "the tree is the one that was described", say(run))
    tap.check("\nfrom-the-host\n" in text, "the NVMe has its drive", say(run))
    tap.check("blk 6144 1 xyz" in text and "nvme deadbeef" in text,
              "size, write protection and serial numbers", say(run))
    tap.check("iommu dmar0\n" in text, "the IOMMU is in use", say(run))
    tap.check("cpus 2" in text and "vendor 3" in text, "processors and virtio devices", say(run))
    with open(log, encoding="utf-8", errors="replace") as file:
        said = file.read()
    tap.check("to-the-file" in said, "a virtconsole writes to its file", said)


def vng(binary, command, *options):
    return subprocess.run([sys.executable, VNG, "--qemu-bin", binary, *options, "--", command],
                          input=b"hello\nworld\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=harness.TIMEOUT_S, check=False)


def serve():
    """A port of this host that says a word to whoever comes."""
    server = socket.create_server(("127.0.0.1", 0))

    def say_word():
        while True:
            peer, _ = server.accept()
            peer.sendall(b"from-a-server\n")
            peer.close()

    threading.Thread(target=say_word, daemon=True).start()
    return server.getsockname()[1]


def check_vng(tap, folder):
    with open(os.path.join(folder, "word"), "w", encoding="utf-8") as file:
        file.write("on the host\n")
    command = (f"read x; echo got $x; cat; sha256sum {folder}/word; cat {folder}/word; "
               f"echo x >{folder}/new || echo read-only; "
               f"bash -c 'cat </dev/tcp/10.0.2.2/{serve()}'; echo oops >&2; exit 7")
    want = vng(QEMU, command, "--net")
    text = want.stdout.decode()
    tap.check(want.returncode == 7, "a command's exit status comes out", say(want))
    tap.check("got hello\nworld\n" in text and "on the host" in text and "read-only" in text,
              "its streams and the host's files", say(want))
    tap.check("from-a-server\n" in text, "--net: a connection to this host", say(want))
    tap.check(b"oops" in want.stderr and b"oops" not in want.stdout, "standard error is apart",
              say(want))
    tap.check(os.listdir(folder).count("new") == 0, "nothing was written", os.listdir(folder))
    qemu = shutil.which("qemu-system-x86_64")
    if not qemu:
        print("# QEMU is not installed: nothing to compare with")
        return
    other = vng(qemu, command, "--net")
    tap.check((other.returncode, other.stdout) == (want.returncode, want.stdout), "QEMU agrees",
              say(other))


def main():
    harness.need_guest()
    tap = harness.Tap()
    check_kunit(tap)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        check_script(tap, folder)
        check_vng(tap, folder)
    tap.done()


main()
