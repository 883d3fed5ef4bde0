#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real gdb on a booting kernel: stops at a TLP, at instructions and data, steps, threads. What the
guest does stays what it is without gdb."""
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import harness

SCRIPT = """
set pagination off
set confirm off
set architecture i386:x86-64
target remote %s
printf "at start: pc %%lx cr0 %%lx\\n", $rip, $cr0
stepi
printf "stepped: pc %%lx\\n", $rip
info threads
monitor break tlp rp1 CfgWr1
continue
printf "tlp: pc %%lx sp %%lx\\n", $rip, $rsp
monitor breaks
monitor delete 1
eval "monitor page %%lx", $rip
hbreak *$rip
continue
printf "hbreak: pc %%lx\\n", $rip
delete
set $sp0 = $rsp
watch *(unsigned long *)($sp0 - 8)
continue
printf "watch: pc %%lx\\n", $rip
delete
x/2i $rip
monitor inspect links
thread 2
printf "second: pc %%lx gs %%lx\\n", $rip, $gs_base
monitor time
monitor break fault
detach
"""


class Run(harness.Boot):
    """A boot whose standard error tells where it waits for gdb."""

    def __init__(self, *options, **more):
        super().__init__("peer.ini", "--cpus", "2", "--digest", *options, **more)
        self.err, self.port = b"", None
        self.told = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stderr:
            self.err += line
            found = re.search(rb"target remote ([\d.:]+)", line)
            if found:
                self.port = found.group(1).decode()
                self.told.set()

    def wait(self):
        self.timer = threading.Timer(harness.TIMEOUT_S, self.process.kill)
        self.timer.start()
        out = self.process.stdout.read()
        status = self.process.wait()
        self.timer.cancel()
        return harness.Result(self.command, status, out, self.err)


def number(text, pattern):
    found = re.search(pattern, text)
    return int(found.group(1), 16) if found else None


def main():
    harness.need_guest()
    if not shutil.which("gdb"):
        print("1..0 # SKIP there is no gdb: apt-get install gdb")
        sys.exit(0)
    tap = harness.Tap()
    run = Run("--gdb", "0", append="pcilab.run=demo")
    plain = harness.Boot("peer.ini", "--cpus", "2", "--digest", append="pcilab.run=demo")
    tap.check(run.told.wait(harness.TIMEOUT_S), "it says where it waits")
    with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
        script.write(SCRIPT % run.port)
        script.flush()
        gdb = subprocess.run(["gdb", "-nx", "-batch", "-x", script.name], check=False,
                             stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=harness.TIMEOUT_S)
    text = (gdb.stdout + b"\n" + gdb.stderr).decode("utf-8", "replace")
    first, second = number(text, r"at start: pc (\w+)"), number(text, r"stepped: pc (\w+)")
    tap.check(first and second and 0 < second - first < 16, "it stands at the kernel's entry, and "
              "takes one step", text)
    tap.check(re.search(r"\n\* 1 +Thread 1 \(processor 0, running\).*\n  2 +Thread 2 "
                        r"\(processor 1, halted\)", text), "processors are threads", text)
    tap.check(re.search(r"break 1, tlp at \d+ ps: rp1 CfgWr1 ", text), "it stops at a TLP", text)
    place = number(text, r"tlp: pc (\w+)")
    tap.check(place and place >> 40 == 0xffffff, "while the kernel's code runs", text)
    tap.check(re.search(r"1: tlp rp1 CfgWr1, hit 1 times", text), "its breaks are listed", text)
    tap.check("is at physical 0x" in text, "page tables are walked", text)
    tap.check(place and number(text, r"hbreak: pc (\w+)") == place,
              "it stops there again at a breakpoint", text)
    tap.check(re.search(r"Hardware watchpoint 2: .*\n\nOld value = \d+\nNew value = \d+", text),
              "it stops at data", text)
    tap.check(re.search(r"=> 0x[0-9a-f]+:\t\w+.*\n   0x[0-9a-f]+:\t\w+", text),
              "code is disassembled", text)
    tap.check(re.search(r"nvme0 +sw0\.0 +up", text), "pcilab inspect answers", text)
    tap.check("second: pc " in text and "Remote connection closed" not in text,
              "the other thread has registers", text)
    result, other = run.wait(), plain.wait()
    tap.check(result.status == 0, "after detach the guest goes on to its end", result)
    tap.check(result.digest and result.digest == other.digest,
              "the run is the one without gdb", result, other)
    tap.done()


if __name__ == "__main__":
    main()
