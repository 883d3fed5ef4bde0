# SPDX-License-Identifier: GPL-2.0-or-later
"""A command in a guest of QEMU's TCG, with the kernel and the agent that pcilab's guest has, and
what a process takes of the processor."""
import os
import pathlib
import socket
import subprocess
import tempfile
import time

import loop


def cpu_seconds(pid):
    """Of all threads of a process: the clock that clock_getcpuclockid(3) gives."""
    return time.clock_gettime(~pid << 3 | 2)


def prepare_qemu(args, folder):
    """What run_qemu() needs besides args.qemu; the kernel goes into the folder."""
    args.initramfs = loop.initramfs()
    args.kernel = loop.unpack(loop.guest_dir() / "vmlinuz", pathlib.Path(folder) / "vmlinux")


def qemu_command(args, image, folder, devices, append):
    command = loop.qemu_command(args, args.kernel, folder)
    drive = next(i for i, word in enumerate(command) if word.startswith("if=none,id=disk"))
    command[drive] = f"if=none,id=disk,format=raw,file={image}"
    command[command.index("-append") + 1] += append
    devices_at = command.index("-device")
    return command[:devices_at] + list(devices) + command[devices_at:]


def run_qemu(args, image, words, follow, devices=(), append=""):
    """follow(port, pid) reads the command's output from a socket; its result. NVMe has the
    image."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "initrd").write_bytes(args.initramfs)
        listeners = {}
        for name in ("in", "out", "err", "ctl"):
            listeners[name] = socket.socket(socket.AF_UNIX)
            listeners[name].bind(f"{folder}/{name}")
            listeners[name].listen()
        child = subprocess.Popen(qemu_command(args, image, folder, devices, append),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        ports = {}
        try:
            for name, listener in listeners.items():
                listener.settimeout(loop.TIMEOUT_S)
                ports[name] = listener.accept()[0]
                ports[name].settimeout(loop.TIMEOUT_S)
            if ports["ctl"].recv(5)[4:] != b"R":
                raise RuntimeError("QEMU's guest is not ready")
            loop.COMMAND[:] = words
            ports["ctl"].sendall(loop.job() + loop.struct.pack("<IBQ", 8, ord("E"), 0))
            found = follow(ports["out"], child.pid)
            child.wait(loop.TIMEOUT_S)
            return found
        finally:
            child.kill()
            child.wait()
            for opened in [*listeners.values(), *ports.values()]:
                opened.close()
