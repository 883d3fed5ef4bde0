#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A sick guest is poked: SysRq, NMI, core files on demand and at a panic."""
import os
import shutil
import subprocess
import tempfile
import harness
from core import Core

AT = ("--at", "6500ms:nmi", "--at", "6s:sysrq:h", "--at", "6700ms:vmcore", "--at", "7s:sysrq:c")


def check_core(tap, path, what):
    if not tap.check(os.path.exists(path), f"{what}: there is a core file"):
        return
    core = Core(path)
    info = core.info()
    tap.check((core.type, core.machine) == (4, 62) and len(core.registers()) == 2,
              f"{what}: ELF core of two x86-64 processors", core.segments)
    # struct uts_namespace begins with struct new_utsname: six names of 65 bytes.
    names = core.virtual(int(info["SYMBOL(init_uts_ns)"], 16), 390)
    tap.check(names[:6] == b"Linux\0" and names[130:195].rstrip(b"\0").decode()
              == info["OSRELEASE"], f"{what}: the kernel's own names are where it says", names)
    image = [s for s in core.segments if s[3] >= 0xFFFFFFFF80000000]
    same = core.virtual(0xFFFFFFFF81000000 + int(info["KERNELOFFSET"], 16), 4096)
    direct = next(s for s in core.segments[1:] if s[3] < 0xFFFFFFFF80000000)
    also = core.virtual(direct[3] - direct[4] + image[0][4], 4096)
    tap.check(len(same) == 4096 and same == also, f"{what}: two mappings, one memory")
    tap.check(all(core.virtual(rsp, 8) for _, rsp in core.registers()),
              f"{what}: the stacks of both processors", core.registers())
    return core


def gdb_sees(tap, path):
    if not shutil.which("gdb"):
        tap.check(True, "gdb opens it # SKIP no gdb")
        return
    info = Core(path).info()
    out = subprocess.run(["gdb", "-batch", "-nx", "-ex", f"target core {path}", "-ex",
                          "info threads", "-ex", f"x/s 0x{info['SYMBOL(init_uts_ns)']}", "-ex",
                          "thread 2", "-ex", "x/gx $rsp"],
                         capture_output=True, text=True, timeout=100).stdout
    tap.check('"Linux"' in out and "LWP 2" in out and "Cannot access" not in out,
              "gdb opens it: two threads, memory, stacks", out)


DRGN = """
import drgn, sys
core = drgn.Program()
core.set_core_dump(sys.argv[1])
print(core.flags & drgn.ProgramFlags.IS_LINUX_KERNEL != 0, core.read(int(sys.argv[2], 16), 5))
"""


def others_see(tap, path):
    """crash and drgn, without debugging information."""
    info = Core(path).info()
    if shutil.which("crash"):
        out = subprocess.run(["crash", "--osrelease", path], capture_output=True, text=True,
                             check=False, timeout=100).stdout
        tap.check(out.strip() == info["OSRELEASE"], "crash finds its release", out)
    else:
        tap.check(True, "crash finds its release # SKIP no crash")
    # Debian's package is for Debian's python.
    python = "/usr/bin/python3"
    if subprocess.run([python, "-c", "import drgn"], stderr=subprocess.DEVNULL,
                      check=False).returncode:
        tap.check(True, "drgn opens it # SKIP no drgn")
        return
    out = subprocess.run([python, "-c", DRGN, path, info["SYMBOL(init_uts_ns)"]], timeout=100,
                         capture_output=True, text=True, check=False).stdout
    tap.check(out == "True b'Linux'\n", "drgn opens it: a Linux kernel, its memory", out)


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        core = os.path.join(folder, "vmcore")
        # Typed into a shell that sleeps: what is poked does not wait for it.
        sick = harness.Boot("minimal.ini", "--cpus", "2", "--limit", "12s", "--vmcore", core, *AT,
                            append="sysrq_always_enabled", stdin=b"sleep 100\n")
        live = os.path.join(folder, "live")
        well = harness.Boot("minimal.ini", "--cpus", "2", "--limit", "5s", "--vmcore", live,
                            "--at", "4900ms:vmcore", append="quiet", stdin=b"sleep 100\n")
        sick, well = sick.wait(), well.wait()
        tap.check("sysrq: HELP" in sick.console, "a break and h: SysRq's help", sick)
        tap.check("NMI received for unknown reason 00 on CPU 0" in sick.console,
                  "an NMI: of unknown reason, on the first processor", sick)
        tap.check(sick.status == 1 and "sysrq triggered crash" in sick.console,
                  "a break and c: the kernel panics, exit status 1", sick)
        tap.check(sick.err.count("vmcore: ") == 2, "two core files were written", sick)
        dump = check_core(tap, core, "panic")
        if dump:
            tap.check(b"Kernel panic - not syncing: sysrq triggered crash" in dump.data,
                      "panic: its words are in the kernel's log")
            gdb_sees(tap, core)
            others_see(tap, core)
        tap.check(well.status == 3 and well.err.count("vmcore: ") == 1,
                  "a core file on demand does not end the run", well)
        check_core(tap, live, "on demand")
        refused = harness.boot("minimal.ini", "--at", "1s:vmcore", append="quiet")
        tap.check(refused.status == 2 and "--vmcore FILE" in refused.err,
                  "a core file needs a place", refused)
    tap.done()


main()
