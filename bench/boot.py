#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot the same kernel and initramfs in pcilab and in QEMU TCG; compare wall times.

All times are the host's, taken when a marker appears on the serial console: a guest's own clock is
virtual and compares with nothing. QEMU gets the topology of configs/peer.ini (three root ports, a
4-port switch below the second, an NVMe below its first port), a processor without what x86-64-v1
lacks, and the kernel in both forms: as a bzImage that unpacks itself, and unpacked on the host and
entered directly, which is what pcilab does by default.
"""
import argparse
import os
import pathlib
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path("@source@" if not "@source@".startswith("@") else
                    pathlib.Path(__file__).resolve().parents[1])
PCILAB = "@pcilab@" if not "@pcilab@".startswith("@") else str(ROOT / "build/pcilab")
MARKERS = [("kernel", b"Linux version"), ("init", b"PCILAB: init"), ("end", b"reboot: Power down")]
STATS = re.compile(r"^pcilab: stats: .*\brun_s=([0-9.]+) .*\binstructions=([0-9]+)", re.M)
TIMEOUT_S = 300


def guest_dir():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("PCILAB_GUEST_DIR") or cache + "/pcilab/guest")


def payload(image):
    """The compressed kernel in a bzImage (Documentation/arch/x86/boot.rst, payload_offset)."""
    if image[0x202:0x206] != b"HdrS":
        raise ValueError("not a bzImage")
    sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (sectors + 1) * 512 + offset
    return image[start:start + length]


def unpack_kernel(source, target):
    """Write the ELF file inside a bzImage; False where no tool for its compression is here."""
    data = payload(source.read_bytes())
    tools = {b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b": "gzip", b"\xfd7zX": "xz"}
    tool = next((t for magic, t in tools.items() if data.startswith(magic)), None)
    if not tool or not shutil.which(tool):
        return False
    # The last four bytes are the unpacked size, appended by the kernel's build.
    out = subprocess.run([tool, "-dc"], input=data if tool == "gzip" else data[:-4],
                         capture_output=True).stdout
    target.write_bytes(out)
    return out.startswith(b"\x7fELF")


def run(command):
    """Seconds from the start to each marker and to the exit, the status, stderr, peak KiB."""
    with tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=errors)
        seen, text = {}, b""
        while chunk := os.read(child.stdout.fileno(), 65536):
            now = time.monotonic() - start
            text = text[-200000:] + chunk
            for name, marker in MARKERS:
                if name not in seen and marker in text:
                    seen[name] = now
            if now > TIMEOUT_S:
                child.kill()
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seen["exit"] = time.monotonic() - start
        seen["cpu"] = usage.ru_utime + usage.ru_stime
        errors.seek(0)
        return seen, child.returncode, errors.read().decode("utf-8", "replace"), usage.ru_maxrss


def pcilab_command(args, kernel, initrd):
    command = [args.pcilab, "boot", str(args.topology), "--kernel", str(kernel), "--initrd",
               str(initrd), "--memory", f"{args.memory}M", "--cpus", str(args.cpus),
               "--stats", "--append", args.append]
    return command


def qemu_command(args, kernel, initrd):
    def switch_port(n):
        return ["-device", f"xio3130-downstream,id=d{n},bus=up,slot={10 + n},chassis={10 + n}"]

    command = [args.qemu, "-accel", "tcg", "-machine", "q35", "-cpu", "qemu64,-sse3,-svm",
               "-smp", str(args.cpus), "-m", str(args.memory), "-display", "none", "-nodefaults",
               "-serial", "stdio", "-no-reboot", "-kernel", str(kernel), "-initrd", str(initrd),
               "-append", f"console=ttyS0 {args.append}"]
    for n in range(3):
        command += ["-device", f"pcie-root-port,id=rp{n},slot={n},chassis={n}"]
    command += ["-device", "x3130-upstream,id=up,bus=rp1"]
    for n in range(4):
        command += switch_port(n)
    return command + ["-drive", "if=none,id=disk,format=raw,file.driver=null-co,file.size=64M,"
                      "file.read-zeroes=on", "-device", "nvme,serial=bench,drive=disk,bus=d0"]


def rate_of(errors):
    """Retired guest instructions per second in millions, as pcilab reports them at its end."""
    found = STATS.search(errors)
    return float(found.group(2)) / float(found.group(1)) / 1e6 if found else None


def measure(name, command, runs):
    """Medians over the runs, and what the last run said; None when one did not get to its end."""
    samples, rates, rss = [], [], 0
    for _ in range(runs):
        seen, status, errors, peak = run(command)
        missing = [marker for marker, _ in MARKERS if marker not in seen]
        if status != 0 or missing:
            print(f"{name}: exit status {status}, no marker {missing}\n$ {' '.join(command)}\n"
                  f"{errors[-2000:]}", file=sys.stderr)
            return None
        samples.append(seen)
        rates.append(rate_of(errors))
        rss = max(rss, peak)
    result = {key: statistics.median(s[key] for s in samples) for key in samples[0]}
    result["spread"] = max(s["exit"] for s in samples) - min(s["exit"] for s in samples)
    result["mips"] = statistics.median(rates) if all(rates) else None
    result["rss_mib"] = rss / 1024
    return result


def show(results, args):
    columns = [("kernel", "first line"), ("init", "init"), ("end", "power-off"),
               ("exit", "exit"), ("cpu", "CPU time")]
    print(f"\n{'median of ' + str(args.runs) + ', seconds':34}" +
          "".join(f"{title:>11}" for _, title in columns) + f"{'MIPS':>8}{'RSS MiB':>9}")
    for name, r in results.items():
        mips = f"{r['mips']:8.0f}" if r["mips"] else f"{'-':>8}"
        print(f"{name:34}" + "".join(f"{r[key]:11.2f}" for key, _ in columns) + mips +
              f"{r['rss_mib']:9.0f}")
    for name, r in results.items():
        other = results.get(name.replace("pcilab", "QEMU TCG", 1))
        if name.startswith("pcilab") and other:
            print(f"{name}: {r['end'] / other['end']:.2f} times QEMU's time to power-off, "
                  f"{r['init'] / other['init']:.2f} to init")
    functional, timed = (results.get(f"pcilab, {how}") for how in
                         ("entered directly", "link timing"))
    if functional and timed:
        print(f"link timing: {timed['cpu'] / functional['cpu']:.2f} times the processor time of "
              "functional timing")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--memory", type=int, default=512, help="MiB (512)")
    parser.add_argument("--append", default="cryptomgr.notests pcilab.run=off",
                        help="kernel command line, added to each one's console=ttyS0")
    parser.add_argument("--topology", default=ROOT / "configs/peer.ini")
    parser.add_argument("--pcilab", default=PCILAB)
    parser.add_argument("--qemu", default=shutil.which("qemu-system-x86_64"))
    parser.add_argument("--bzimage", action="store_true", help="let pcilab's guest unpack too")
    return parser.parse_args()


def main():
    args = parse()
    kernel, initrd = guest_dir() / "vmlinuz", guest_dir() / "initramfs.img"
    if not kernel.is_file():
        sys.exit(f"no {kernel}: run scripts/guest")
    results = {}

    def add(name, command):
        result = measure(name, command, args.runs)
        if result:
            results[name] = result

    with tempfile.TemporaryDirectory() as folder:
        vmlinux = pathlib.Path(folder) / "vmlinux"
        direct = unpack_kernel(kernel, vmlinux)
        if not os.access(args.pcilab, os.X_OK):
            sys.exit(f"no program {args.pcilab}: build it first")
        add("pcilab, entered directly", pcilab_command(args, kernel, initrd))
        add("pcilab, link timing", pcilab_command(args, kernel, initrd) + ["--timing", "link"])
        if args.bzimage:
            add("pcilab, self-unpacking", pcilab_command(args, kernel, initrd) +
                ["--enter=bzimage"])
        if args.qemu:
            if direct:
                add("QEMU TCG, entered directly", qemu_command(args, vmlinux, initrd))
            add("QEMU TCG, self-unpacking", qemu_command(args, kernel, initrd))
        else:
            print("qemu-system-x86_64 is not installed: nothing to compare with")
    if not results:
        sys.exit(1)
    show(results, args)


main()
