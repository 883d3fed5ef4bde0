#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real gdb on a booting kernel: stops at a TLP, at instructions and data, steps, threads, and all
of that backwards. What the guest does stays what it is without gdb."""
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
set $place = $rip
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
hbreak *$place
continue
printf "hit 1: %%lx %%lx %%lx %%lx\\n", $rip, $rsp, $rax, *(unsigned long *)$rsp
monitor time
continue
printf "hit 2: %%lx %%lx %%lx %%lx\\n", $rip, $rsp, $rax, *(unsigned long *)$rsp
monitor time
monitor history
reverse-continue
printf "back 1: %%lx %%lx %%lx %%lx\\n", $rip, $rsp, $rax, *(unsigned long *)$rsp
monitor time
continue
printf "again 2: %%lx %%lx %%lx %%lx\\n", $rip, $rsp, $rax, *(unsigned long *)$rsp
monitor time
delete
set $pc0 = $rip
stepi
set $pc1 = $rip
stepi
stepi
reverse-stepi
reverse-stepi
printf "stepped back: %%d\\n", $rip == $pc1
reverse-stepi
printf "stepped back: %%d\\n", $rip == $pc0
continue
set $word = (unsigned long *)($rsp - 8)
watch *$word
continue
set $wrote = $rip
set $new = *$word
delete
stepi
stepi
stepi
printf "written: %%lx\\n", *$word
watch *$word
reverse-continue
printf "writer: %%d\\n", *$word != $new
stepi
printf "written by: %%d %%d\\n", *$word == $new, $rip == $wrote
monitor history
delete
python
try:
    gdb.execute("set $rax = 1")
except gdb.error as error:
    print("refused:", error)
end
continue
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


def check_past(tap, text):
    """Backwards and forwards again, everything is as it was."""
    def where(name):
        found = re.search(name + r": (.*)\n(\d+ ps, \d+ instructions)", text)
        return found and found.groups()

    hits = [where("hit 1"), where("hit 2")]
    tap.check(all(hits) and hits[0][1] != hits[1][1], "it stops at a breakpoint twice", text)
    tap.check(hits[0] and where("back 1") == hits[0], "backwards, it stops at the first of these "
              "two, with registers and memory as they were", text)
    tap.check(hits[1] and where("again 2") == hits[1] and "No more reverse-execution" in text,
              "forwards again it comes to the present", text)
    tap.check(text.count("stepped back: 1") == 2, "it steps backwards", text)
    tap.check("writer: 1" in text and "written by: 1 1" in text,
              "backwards to who wrote: it stands before that", text)
    tap.check(re.search(r"refused: .*past cannot be changed", text, re.S),
              "the past cannot be changed", text)
    tap.check(re.search(r"history begins at 0 ps of virtual time \(0 instructions\); \d+ "
                        r"checkpoint", text), "it says how far one can go back", text)


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
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, timeout=harness.TIMEOUT_S)
    text = gdb.stdout.decode("utf-8", "replace")
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
    check_past(tap, text)
    result, other = run.wait(), plain.wait()
    tap.check(result.status == 0, "after detach the guest goes on to its end", result)
    tap.check(result.digest and result.digest == other.digest,
              "the run is the one without gdb", result, other)
    tap.done()


if __name__ == "__main__":
    main()
