#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One command in the guest: wall time from `pcilab boot ... -- COMMAND` to its first line and back.

Beside it QEMU's TCG, where installed, with the same kernel, command line, modules and agent, the
host's root over its own 9p server and the ports of its own virtio-serial: the whole way of a
command, by other means. And a continuation from a checkpoint at the command.
"""
import argparse
import lzma
import os
import pathlib
import re
import resource
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path("@source@" if not "@source@".startswith("@") else
                    pathlib.Path(__file__).resolve().parents[1])
PCILAB = "@pcilab@" if not "@pcilab@".startswith("@") else str(ROOT / "build/pcilab")
AGENT = "@agent@" if not "@agent@".startswith("@") else str(
    ROOT / "build/guest/agent/pcilab-agent")
NEEDED = ["virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay", "nvme"]
APPEND = "console=ttyS0 panic=-1 cryptomgr.notests loglevel=5"
COMMAND = ["sh", "-c", "echo first line"]
TIMEOUT_S = 120


def guest_dir():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("PCILAB_GUEST_DIR") or cache + "/pcilab/guest")


# --- what QEMU gets ------------------------------------------------------------------------------

def modules():
    """(path, bytes) of the modules that are needed, dependencies first; the release."""
    folder = next(guest_dir().glob("lib/modules/*"))
    paths, needs = {}, {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, rest = line.partition(":")
        paths[re.sub("-", "_", pathlib.Path(path).name.split(".")[0])] = path
        needs[path] = rest.split()
    order = []
    for name in NEEDED:
        if name in paths:
            order += [p for p in [*reversed(needs[paths[name]]), paths[name]] if p not in order]
    out = []
    for path in order:
        data = (folder / path).read_bytes()
        out.append((re.sub(r"\.ko\..*", ".ko", path),
                    lzma.decompress(data) if path.endswith(".xz") else data))
    return out, folder.name


def cpio(entries):
    """An archive of (path, mode, rdev, bytes): Documentation/driver-api/early-userspace."""
    out = b""
    for number, (path, mode, rdev, data) in enumerate([*entries, ("TRAILER!!!", 0, (0, 0), b"")]):
        name = path.encode() + b"\0"
        head = [number, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(name), 0]
        out += b"070701" + b"".join(b"%08X" % field for field in head) + name
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return out


def initramfs():
    found, release = modules()
    base = f"lib/modules/{release}"
    entries, folders = [], {"dev", "proc", "sys"}
    for path, _ in [*found, ("x", b"")]:
        folders |= {str(p) for p in pathlib.PurePath(base, path).parents} - {"."}
    entries += [(path, 0o40755, (0, 0), b"") for path in sorted(folders)]
    entries += [("dev/console", 0o20600, (5, 1), b""),
                ("init", 0o100755, (0, 0), pathlib.Path(AGENT).read_bytes()),
                ("pcilab.conf", 0o100644, (0, 0), b"root\0pcilab.root\0\0"),
                (f"{base}/modules.order", 0o100644, (0, 0),
                 "".join(path + "\n" for path, _ in found).encode())]
    return cpio(entries + [(f"{base}/{path}", 0o100644, (0, 0), data) for path, data in found])


def qemu_command(args, kernel, folder):
    command = [args.qemu, "-accel", "tcg", "-machine", "q35", "-cpu", "qemu64,-sse3,-svm", "-m",
               "1024", "-display", "none", "-nodefaults", "-no-reboot", "-serial", "null",
               "-kernel", str(kernel), "-initrd", f"{folder}/initrd", "-append", APPEND,
               "-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
               "-device", "virtio-9p-pci,fsdev=root,mount_tag=pcilab.root",
               "-device", "virtio-serial-pci",
               "-drive", "if=none,id=disk,format=raw,file.driver=null-co,file.size=64M,"
                         "file.read-zeroes=on",
               "-device", "pcie-root-port,id=rp0,slot=0,chassis=0",
               "-device", "nvme,serial=bench,drive=disk,bus=rp0"]
    for name in ("in", "out", "err", "ctl"):
        command += ["-chardev", f"socket,id={name},path={folder}/{name},server=off",
                    "-device", f"virtserialport,chardev={name},name=pcilab.{name}"]
    return command


def job():
    strings = [os.getcwd(), *COMMAND, *(f"{k}={v}" for k, v in os.environ.items())]
    payload = struct.pack("<5I", 0, 0, 0, len(COMMAND), len(os.environ))
    payload += b"".join(os.fsencode(s) + b"\0" for s in strings)
    return struct.pack("<IB", len(payload), ord("J")) + payload


def run_qemu(args, kernel):
    """Seconds to the first line and to the end."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "initrd").write_bytes(args.initramfs)
        listeners = {}
        for name in ("in", "out", "err", "ctl"):
            listeners[name] = socket.socket(socket.AF_UNIX)
            listeners[name].bind(f"{folder}/{name}")
            listeners[name].listen()
        start = time.monotonic()
        child = subprocess.Popen(qemu_command(args, kernel, folder), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL)
        try:
            ports = {}
            for name, listener in listeners.items():
                listener.settimeout(TIMEOUT_S)
                ports[name] = listener.accept()[0]
                ports[name].settimeout(TIMEOUT_S)
            if ports["ctl"].recv(5)[4:] != b"R":
                raise RuntimeError("QEMU's guest is not ready")
            ports["ctl"].sendall(job() + struct.pack("<IBQ", 8, ord("E"), 0))
            ports["out"].recv(1)
            first = time.monotonic() - start
            child.wait(TIMEOUT_S)
            return first, time.monotonic() - start
        finally:
            child.kill()
            child.wait()


# --- pcilab --------------------------------------------------------------------------------------

def pcilab_command(args, *options):
    return [args.pcilab, "boot", str(ROOT / "configs/peer.ini"), *options, "--", *COMMAND]


def run_pcilab(args):
    start = time.monotonic()
    child = subprocess.Popen(pcilab_command(args), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE)
    child.stdout.read(1)
    first = time.monotonic() - start
    child.stdout.read()
    if child.wait() != 0:
        raise RuntimeError(f"pcilab: exit status {child.returncode}")
    return first, time.monotonic() - start


def run_continuations(args):
    out = subprocess.run(pcilab_command(args, "--checkpoint-at", "command", "--times",
                                        str(max(args.runs, 5)), "--jobs", "1"),
                         stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
    found = re.search(r"([0-9.]+) s a continuation", out)
    return float(found.group(1)) if found else None


def payload(image):
    """The compressed kernel in a bzImage (Documentation/arch/x86/boot.rst, payload_offset)."""
    sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (sectors + 1) * 512 + offset
    return image[start:start + length]


def unpack(kernel, target):
    """The ELF file inside, as pcilab takes it; the bzImage where no tool for it is here."""
    data = payload(kernel.read_bytes())
    tools = {b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b": "gzip", b"\xfd7zX": "xz"}
    tool = next((t for magic, t in tools.items() if data.startswith(magic)), None)
    if not tool or not shutil.which(tool):
        return kernel
    # The last four bytes are the unpacked size, appended by the kernel's build.
    target.write_bytes(subprocess.run([tool, "-dc"], input=data if tool == "gzip" else data[:-4],
                                      capture_output=True).stdout)
    return target if target.read_bytes()[:4] == b"\x7fELF" else kernel


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(name, run, runs, results):
    samples = []
    for _ in range(runs):
        before = cpu_seconds()
        try:
            times = run()
            samples.append((*times, cpu_seconds() - before))
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return
    results[name] = [statistics.median(column) for column in zip(*samples)]
    spread = max(s[1] for s in samples) - min(s[1] for s in samples)
    print(f"{name:30}" + "".join(f"{s:12.2f}" for s in [*results[name], spread]), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each (5)")
    parser.add_argument("--pcilab", default=PCILAB)
    parser.add_argument("--qemu", default=shutil.which("qemu-system-x86_64"))
    args = parser.parse_args()
    kernel = guest_dir() / "vmlinuz"
    if not list(guest_dir().glob("lib/modules/*/modules.dep")):
        sys.exit(f"no modules in {guest_dir()}: run scripts/guest")
    if not os.access(args.pcilab, os.X_OK):
        sys.exit(f"no program {args.pcilab}: build it first")
    results = {}
    print(f"{'median of ' + str(args.runs) + ', seconds':30}{'first line':>12}{'back':>12}"
          f"{'CPU time':>12}{'spread':>12}")
    measure("pcilab", lambda: run_pcilab(args), args.runs, results)
    if args.qemu:
        args.initramfs = initramfs()
        with tempfile.TemporaryDirectory() as folder:
            direct = unpack(kernel, pathlib.Path(folder) / "vmlinux")
            measure("QEMU TCG", lambda: run_qemu(args, direct), args.runs, results)
    else:
        print("qemu-system-x86_64 is not installed: nothing to compare with")
    continuation = run_continuations(args)
    if continuation:
        print(f"{'pcilab, from a checkpoint':30}{'':12}{continuation:12.3f}")
    if len(results) == 2:
        ours, theirs = results["pcilab"], results["QEMU TCG"]
        print(f"pcilab: {ours[0] / theirs[0]:.2f} times QEMU's time to the first line, "
              f"{ours[1] / theirs[1]:.2f} and back, "
              f"{ours[2] / theirs[2]:.2f} times its CPU time")
    sys.exit(0 if "pcilab" in results and continuation else 1)


if __name__ == "__main__":
    main()
