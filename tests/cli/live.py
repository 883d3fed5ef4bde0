#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pcilab boot as it is used: at a terminal, with pipes, with signals, with bad disks.

PCILAB names the program, SOURCE the source folder. Skips where scripts/guest has not been run.
"""
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time

PCILAB = os.environ["PCILAB"]
CONFIG = os.environ["SOURCE"] + "/configs/minimal.ini"
PATIENCE_S = 100
PROMPT = "/ # "
count = failed = 0


def point(good, name, *why):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)
    if not good:
        for text in why:
            print("\n".join("# " + line for line in str(text).splitlines()[-30:]))


def guest_dir():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("PCILAB_GUEST_DIR") or cache + "/pcilab/guest")


def command(*options, append="quiet"):
    return [PCILAB, "boot", CONFIG, "--limit", "wall:90s", "--append", append, *options]


class Session:
    """A started run whose output is read as it comes and whose input is written as needed."""

    def __init__(self, *options, terminal=False, **more):
        self.text, self.err = "", tempfile.TemporaryFile()
        if terminal:
            self.master, self.slave = pty.openpty()
            self.before = termios.tcgetattr(self.slave)
            self.stdin = self.out = self.master
            ends = {"stdin": self.slave, "stdout": self.slave}
        else:
            ends = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.child = subprocess.Popen(command(*options, **more), stderr=self.err, **ends)
        if not terminal:
            self.stdin, self.out = self.child.stdin.fileno(), self.child.stdout.fileno()

    def expect(self, pattern):
        """Reads until the pattern has come; what was before it is forgotten."""
        end = time.monotonic() + PATIENCE_S
        while not (found := re.search(pattern, self.text)):
            ready, _, _ = select.select([self.out], [], [], max(0, end - time.monotonic()))
            data = os.read(self.out, 4096) if ready else b""
            if not data:
                return False
            self.text += data.decode("utf-8", "replace").replace("\r", "")
        self.text = self.text[found.end():]
        return True

    def type(self, keys):
        os.write(self.stdin, keys.encode())

    def status(self):
        try:
            return self.child.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            return "timeout"

    def errors(self):
        self.err.seek(0)
        return self.err.read().decode("utf-8", "replace")


def at_a_terminal():
    s = Session(terminal=True)
    point(s.expect(PROMPT), "terminal: the shell's prompt", s.text, s.errors())
    raw = termios.tcgetattr(s.slave)
    point(not raw[3] & (termios.ICANON | termios.ECHO | termios.ISIG), "terminal: raw meanwhile")
    s.type("echo sum-$((40 + 2))\r")
    point(s.expect("sum-42"), "terminal: a command's answer", s.text)
    s.type("sleep 100\r")
    time.sleep(0.5)
    s.type("\x03echo still-$((1 + 1))\r")
    point(s.expect("still-2") and s.child.poll() is None, "terminal: Ctrl-C is the guest's", s.text)
    s.type("\x01h")
    start = time.monotonic()
    s.type("sleep 2; echo woke-$((1 + 1))\r")
    good = s.expect("woke-2")
    point(good and time.monotonic() - start > 1.8, "terminal: idle time is waited for", s.text)
    point("Ctrl-A x" in s.errors(), "terminal: Ctrl-A h helps", s.errors())
    s.type("\x01x")
    status = s.status()
    point(status == 130, "terminal: Ctrl-A x leaves", status, s.errors())
    point(termios.tcgetattr(s.slave) == s.before, "terminal: as it was before")


def with_a_live_pipe():
    s = Session()
    good = s.expect(PROMPT)
    s.type("echo pipe-$((40 + 2))\n")
    good = good and s.expect("pipe-42")
    s.type("poweroff -f\n")
    status = s.status()
    point(good and status == 0, "live pipe: commands when they come", status, s.text, s.errors())


def with_a_signal(folder):
    disk = folder / "signal.img"
    with open(disk, "wb") as image:
        image.truncate(8 << 20)
    s = Session("--disk", f"nvme0={disk}")
    good = s.expect(PROMPT)
    s.type("echo kept-on-disk | dd of=/dev/nvme0n1 bs=512 conv=sync,fsync 2>/dev/null; "
           "echo synced-$((1 + 1)); while :; do :; done\n")
    good = good and s.expect("synced-2")
    s.child.send_signal(signal.SIGINT)
    status = s.status()
    point(good and status == 130, "SIGINT in the middle: exit status 130", status, s.errors())
    point("ended by Interrupt" in s.errors(), "SIGINT: it is said", s.errors())
    data = disk.read_bytes()
    point(len(data) == 8 << 20 and data.startswith(b"kept-on-disk\n"),
          "SIGINT: the image is intact", data[:32])


def run(*options, stdin=b"", **more):
    with tempfile.TemporaryFile() as script:
        script.write(stdin)
        script.seek(0)
        done = subprocess.run(command(*options, append=more.pop("append", "quiet")), stdin=script,
                              capture_output=True, timeout=PATIENCE_S, **more)
    done.stdout = done.stdout.decode("utf-8", "replace").replace("\r", "")
    done.stderr = done.stderr.decode("utf-8", "replace")
    return done


def on_a_full_disk(folder):
    """A limit on the size of files stands for a full disk."""
    disk = folder / "full.img"
    with open(disk, "wb") as image:
        image.truncate(8 << 20)

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 << 20, 4 << 20))

    done = run("--disk", f"nvme0={disk}", preexec_fn=limit,
               stdin=b"dd if=/dev/zero of=/dev/nvme0n1 bs=1M seek=5 count=1 conv=fsync || "
                     b"echo write-failed-$((1 + 1))\npoweroff -f\n")
    point("write-failed-2" in done.stdout, "full host disk: the guest is told", done.stdout)
    point(done.returncode == 1 and "--disk nvme0: " in done.stderr and
          "File too large" in done.stderr, "full host disk: and so are we", done.returncode,
          done.stderr)
    point(disk.stat().st_size == 8 << 20, "full host disk: the image keeps its size")


def on_a_read_only_image(folder):
    """Root may write anything: give up being root for it."""
    disk, more = folder / "read-only.img", {}
    disk.write_bytes(b"precious".ljust(1 << 20, b"\0"))
    disk.chmod(0o444)
    if os.geteuid() == 0:
        mine = folder / "guest"
        mine.mkdir()
        for name in ("vmlinuz", "initramfs.img", "version"):
            shutil.copy(guest_dir() / name, mine / name)
            (mine / name).chmod(0o444)
        more = {"user": 65534, "group": 65534, "extra_groups": [],
                "env": {**os.environ, "PCILAB_GUEST_DIR": str(mine)}}
        if subprocess.run([PCILAB, "topo", CONFIG], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, **more).returncode != 0:
            print("# SKIP read-only image: another user cannot run this build")
            return
    done = run("--disk", f"nvme0={disk}", **more,
               stdin=b"head -c 8 /dev/nvme0n1; echo; "
                     b"dd if=/dev/zero of=/dev/nvme0n1 bs=512 count=1 conv=fsync || "
                     b"echo refused-$((1 + 1))\npoweroff -f\n")
    point(done.returncode == 0 and "\nprecious\n" in done.stdout and "refused-2" in done.stdout,
          "read-only image: read but not written", done.returncode, done.stdout, done.stderr)
    point("cannot be written" in done.stderr, "read-only image: it is said", done.stderr)
    point(disk.read_bytes().startswith(b"precious"), "read-only image: the same as before")


def digests(folder):
    """A file, a finished pipe and a real clock are one run; its trace holds what was asked for."""
    script = b"echo one\npoweroff -f\n"
    trace = folder / "trace.txt"
    runs = [run("--digest", stdin=script),
            run("--digest", "--clock", "real", "--trace=irq,console", "--trace-file", str(trace),
                stdin=script),
            subprocess.run(command("--digest"), input=script, capture_output=True,
                           timeout=PATIENCE_S)]
    runs[2].stdout = runs[2].stdout.decode().replace("\r", "")
    found = [r.stdout.splitlines()[-1] for r in runs]
    point(all(re.fullmatch("[0-9a-f]{64}", d) for d in found), "digest: the last line", *found)
    point(found[0] == found[1], "digest: the same with a real clock and a trace", *found[:2])
    point(found[0] == found[2], "digest: the same from a pipe", found[0], found[2])
    kinds = set(re.findall(r"^\[ *\d+\.\d{12}\] \S+: (\w+) ", trace.read_text(), re.M))
    point(kinds == {"irq", "console"}, "trace: what was asked for", kinds)


def splats(folder):
    """What the kernel complains of fails the run, unless it is expected; the log has all of it."""
    script = (b"echo '<4>WARNING: CPU: 0 PID: 1 at x.c:1 f+0x1/0x2' >/dev/kmsg\n"
              b"echo '<3>pcieport 0: AER: Uncorrectable (Fatal) error' >/dev/kmsg\n"
              b"echo 'BUG: of a program'\n")
    log = folder / "console.log"
    done = run("--log", str(log), "--tested-with", "--limit", "9s", append="",
               stdin=script + b"reboot -f\n")
    point(done.returncode == 1 and "complained: 1 warn, 1 aer; the first:\n" in done.stderr and
          "WARNING: CPU: 0 PID: 1 at x.c:1 f+0x1/0x2" in done.stderr and
          "Linux version" not in done.stderr,
          "splats: the run fails, and the first is shown", done.returncode, done.stderr)
    point(re.search(r"^Tested-with: pcilab .* minimal\.ini .*seed 0\n  kernel: \d+\.\d+.*\n"
                    r"  command line: .*\n  result: exit status 1, splats: 1 warn, 1 aer\n"
                    r"  digest: [0-9a-f]{64}\n", done.stdout, re.M),
          "splats: the trailer for a commit message says so", done.stdout[-600:])
    text = log.read_text()
    times = [float(t) for t in re.findall(r"^ *(\d+\.\d{6}) +\d+\.\d{3}  ", text, re.M)]
    point(len(times) > 200 and times == sorted(times) and
          len(re.findall(r"  \[ *0\.000000\] Linux version", text)) == 2 and
          "\n# the guest reset the machine\n" in text,
          "log: both boots, in virtual time that only grows", len(times), text[-600:])
    done = run("--allow-splat", r"at x\.c", "--allow-splat", "aer", append="",
               stdin=script + b"poweroff -f\n")
    point(done.returncode == 0 and "complained" not in done.stderr,
          "splats: expected ones do not matter", done.returncode, done.stderr)


def nobody_listens():
    child = subprocess.Popen(command(append=""), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    child.stdout.read(1)
    child.stdout.close()
    status = child.wait(timeout=PATIENCE_S)
    point(status == 141, "output that nobody reads any more: exit status 141", status)


def main():
    for name in ("vmlinuz", "initramfs.img"):
        if not (guest_dir() / name).is_file():
            print(f"1..0 # SKIP no {name} in {guest_dir()}: run scripts/guest")
            return 0
    at_a_terminal()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        with_a_live_pipe()
        with_a_signal(folder)
        on_a_full_disk(folder)
        on_a_read_only_image(folder)
        digests(folder)
        splats(folder)
    nobody_listens()
    print(f"1..{count}")
    return 1 if failed else 0


sys.exit(main())
