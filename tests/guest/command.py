#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pcilab boot -- COMMAND: the caller's streams, directory, environment, arguments and files; the
command's exit status, and what stands for it where there is none."""
import concurrent.futures
import hashlib
import lzma
import os
import pathlib
import pty
import random
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import fcntl
import termios

import harness

TIMEOUT_S = 250


class Run:
    def __init__(self, words, status, out, err):
        self.words, self.status, self.out, self.err = words, status, out, err

    def tail(self):
        return (f"{self.words}\nstatus {self.status}\nout: {self.out[-800:]!r}\n"
                f"err: {self.err[-1500:]!r}")


def pcilab(*words, options=(), topology="minimal", stdin=b"", **more):
    """Runs `pcilab boot TOPOLOGY OPTIONS -- WORDS`; stdin: bytes of a file, or a descriptor."""
    command = [os.path.abspath(harness.PCILAB), "boot",
               str(harness.ROOT / f"configs/{topology}.ini"), "--limit", "60s", *options]
    command += ["--", *words] if words else []
    with tempfile.TemporaryFile() as file:
        if isinstance(stdin, bytes):
            file.write(stdin)
            file.seek(0)
            stdin = file
        more = {"stdout": subprocess.PIPE, **more}
        done = subprocess.run(command, stdin=stdin, stderr=subprocess.PIPE, timeout=TIMEOUT_S,
                              **more)
    return Run(words, done.returncode, done.stdout or b"", done.stderr)


def need_modules():
    harness.need_guest()
    if not list(harness.guest_dir().glob("lib/modules/*/modules.dep")):
        print(f"1..0 # SKIP no modules in {harness.guest_dir()}: run scripts/guest")
        sys.exit(0)


# Prints what a program finds of its caller.
FACTS = r"""
import os, sys
out = sys.stdout.buffer
out.write(os.getcwdb() + b"\0")
out.write(os.environb[b"PCILAB_TEST"] + b"\0")
for word in sys.argv[1:]:
    out.write(os.fsencode(word) + b"\0")
out.flush()
os.write(2, b"apart\n")
"""


def caller(tap, folder):
    """Directory, environment and arguments, any bytes of them; standard error apart."""
    odd = os.path.join(os.fsencode(folder), b"a b\xff")
    os.mkdir(odd)
    env = {**os.environb, b"PCILAB_TEST": b"two\nlines \xfe"}
    words = [b"", b"a b", b"two\nlines", b"\xff\xfe", b"$HOME *", b"--", b"-x"]
    r = pcilab("/usr/bin/env", "python3", "-c", FACTS, *words, cwd=odd, env=env)
    want = b"\0".join([odd, b"two\nlines \xfe", *words]) + b"\0"
    tap.check(r.status == 0 and r.out == want and r.err == b"apart\n",
              "directory, environment and arguments arrive, standard error apart", r.tail())


def binary(tap):
    data = random.Random(1).randbytes(1 << 20)
    r = pcilab("cat", stdin=data)
    tap.check(r.status == 0 and r.out == data and not r.err, "1 MiB of any bytes, in and out",
              r.status, len(r.out), hashlib.sha256(r.out).hexdigest(), r.err)
    # A writer that is still there, and bytes that come late.
    read_end, write_end = os.pipe()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        def writer():
            for n in range(4):
                time.sleep(0.7)
                os.write(write_end, b"late %d\n" % n)
            os.close(write_end)
        pool.submit(writer)
        r = pcilab("wc", "-l", stdin=read_end)
    os.close(read_end)
    tap.check((r.status, r.out) == (0, b"4\n"), "a pipe that is written while the guest runs",
              r.tail())


STATUSES = [
    ("a status", ["sh", "-c", "exit 3"], 3, b""),
    ("a signal", ["sh", "-c", "kill -INT $$"], 130, b""),
    ("no such command", ["no-such-command"], 127, b"no-such-command: command not found"),
    ("no such file", ["./no-such-file"], 127, b"./no-such-file: No such file"),
    ("not a program", ["/etc/passwd"], 126, b"/etc/passwd: Permission denied"),
    ("powering off", ["sh", "-c", "echo o >/proc/sysrq-trigger; sleep 9"], 1, b"powered off"),
    ("a panic", ["sh", "-c", "echo c >/proc/sysrq-trigger"], 1, b"panicked"),
    ("a splat", ["sh", "-c", "echo '<4>WARNING: CPU: 0 PID: 1 at a.c:1 f+0x1/0x2' >/dev/kmsg"], 1,
     b"complained: 1 warn"),
    ("a limit", ["sleep", "1000"], 124, b"the limit of 60 s of virtual time"),
]


# As kselftest has it: a folder of the tree, TAP, 4 for what is skipped.
MODULES = ("virtio_pci", "virtio_console", "9pnet_virtio", "9p", "overlay", "nvme", "msr")
SELFTEST = """#!/bin/sh
cd "$(dirname "$0")" || exit 1
echo TAP version 13
echo 1..1
[ -d ../../../arch ] && modprobe msr && [ -c /dev/cpu/0/msr ] && echo ok 1 here
exit 4
"""


def make_tree(folder):
    """A kernel tree as it is after `make bzImage modules`: nothing is installed."""
    test = folder / "tools/testing/selftests/pcilab.sh"
    for path in (folder / "arch/x86/boot", test.parent):
        path.mkdir(parents=True)
    shutil.copy(harness.guest_dir() / "vmlinuz", folder / "arch/x86/boot/bzImage")
    modules = next(harness.guest_dir().glob("lib/modules/*"))
    shutil.copy(modules / "modules.builtin", folder)
    order = []
    for line in (modules / "modules.dep").read_text().splitlines():
        path, _, needs = line.partition(":")
        if pathlib.Path(path).name.split(".")[0] in MODULES:
            order += [word for word in [path, *needs.split()] if word not in order]
    for path in order:
        data = (modules / path).read_bytes()
        to = folder / path.removeprefix("kernel/").removesuffix(".xz")
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(lzma.decompress(data) if path.endswith(".xz") else data)
    (folder / "modules.order").write_text(
        "".join(re.sub(r"^kernel/(.*)\.ko.*", r"\1.o", path) + "\n" for path in order))
    test.write_text(SELFTEST)
    test.chmod(0o755)
    return test


def statuses(tap, folder):
    test = make_tree(folder)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        skipped = pool.submit(pcilab, test, options=("--ktree", folder),
                              env={**os.environ, "XDG_CACHE_HOME": str(folder / "cache"),
                                   "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
        runs = [pool.submit(pcilab, *words) for _, words, _, _ in STATUSES]
        never = pool.submit(pcilab, "echo", "never",
                            options=("--append", "root=/dev/x rdinit=/x"))
        sick = pool.submit(pcilab, "echo", "never", options=("--limit", "50ms"))
        image = folder / "bare/arch/x86/boot/bzImage"
        image.parent.mkdir(parents=True)
        image.symlink_to(harness.guest_dir() / "vmlinuz")
        bare = pool.submit(pcilab, "echo", "never", options=("--ktree", folder / "bare"))
    for (name, _, status, text), run in zip(STATUSES, runs):
        r = run.result()
        tap.check(r.status == status and not r.out and text in r.err, f"{name}: {status}",
                  r.tail())
    # A reader that goes, a disk that is full.
    with open("/dev/full", "wb") as full:
        r = pcilab("echo", "lost", stdout=full)
    tap.check(r.status == 126 and b"standard output cannot be written: No space" in r.err,
              "standard output on a full disk", r.tail())
    limit = (64 << 20, 64 << 20)  # an image of nothing is beyond it, as is what dd writes
    (folder / "rw").mkdir()
    core = folder / "core"
    r = pcilab("dd", "if=/dev/zero", f"of={folder}/rw/far", "bs=1k", "count=1", "seek=100k",
               "conv=notrunc", "status=none", cwd="/",
               options=("--rw", folder / "rw", "--vmcore", core, "--at", "1s:vmcore"),
               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit))
    tap.check(r.status == 1 and not core.exists() and
              f"--vmcore {core}: File too large\n".encode() in r.err and
              f"--rw {folder}/rw: not all that the guest wrote is there: File too large".encode()
              in r.err, "a core file, and what the guest writes late, that find no place", r.tail())
    read_end, write_end = os.pipe()
    os.close(read_end)
    r = pcilab("yes", stdout=write_end)
    os.close(write_end)
    tap.check(r.status == 141 and not r.err, "standard output that nobody reads", r.tail())
    r = skipped.result()
    tap.check(r.status == 4 and r.out.endswith(b"ok 1 here\n"),
              "a self-test of a kernel tree, with its kernel and modules", r.tail())
    r = never.result()
    tap.check(r.status == 125 and not r.out and b"the kernel failed before" in r.err and
              b"Unable to mount root" in r.err, "a kernel that panics before: 125", r.tail())
    r = bare.result()
    tap.check(r.status == 125 and not r.out and b"there are no modules with this kernel" in r.err,
              "a tree without modules: 125", r.tail())
    r = sick.result()
    tap.check(r.status == 125 and not r.out and b"did not get there in time" in r.err,
              "a kernel that does not get there: 125", r.tail())


# In the guest: TAP, as the test's own; $1 may be written, nothing else may.
FILES = r"""
. "$2/guest/lib.sh"
rw=$1 base=$(dirname "$1")
check 'a directory that may be written is' sh -c 'echo guest >"$1/new" && mkdir "$1/dir"' sh "$rw"
check 'what the host wrote is there' grep -q host "$rw/old"
check 'elsewhere the guest writes to its own memory' sh -c 'echo x >"$1/over" && cat "$1/over"' \
    sh "$base"
check 'and over what is there' sh -c 'echo changed >"$1/kept" && grep -q changed "$1/kept"' \
    sh "$base"
check 'and removes' rm "$base/gone"
check '/etc, too' sh -c 'echo x >/etc/pcilab-test && rm /etc/pcilab-test'
check 'a link is a link' [ "$(readlink "$base/link")" = kept ]
check 'sizes' [ "$(stat -c %s "$base/sparse")" = 5000000000 ]
check 'permissions' [ "$(stat -c %a "$base/mode")" = 2741 ]
check 'host programs: lspci' sh -c 'lspci -vvv | grep -q "Root Port"'
check 'host programs: python3' python3 -c 'import json; print(json.dumps([1]))'
check 'the kernel and its modules' sh -c 'modinfo -F filename ext4 && modprobe -n ext4'
check 'the disk is there' [ -b /dev/nvme0n1 ]
! command -v nvme >/dev/null || check 'host programs: nvme' nvme id-ctrl /dev/nvme0
check 'standard streams can be opened' sh -c 'echo x >/dev/stderr; echo y | cat /dev/stdin'
check 'shared memory, ptys' python3 -c 'import os, pty; pty.openpty(); open("/dev/shm/x", "w")'
check 'no other root' sh -c '! ls /proc/1/root/pcilab.conf'
check 'a server that cannot be written' sh -c '! mount -o remount,rw /host'
tap_done
"""


def files(tap, folder):
    rw = folder / "rw"
    rw.mkdir()
    (rw / "old").write_text("host\n")
    (folder / "kept").write_text("kept\n")
    (folder / "gone").write_text("gone\n")
    (folder / "link").symlink_to("kept")
    with open(folder / "sparse", "wb") as file:
        file.truncate(5000000000)
    (folder / "mode").write_text("")
    os.chmod(folder / "mode", 0o2741)
    r = pcilab("sh", "-c", FILES, "sh", rw, harness.ROOT, options=("--rw", rw),
               env={**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"})
    for line in r.out.decode().splitlines():
        point = re.match(r"(not )?ok \d+ - (.*)", line)
        if point:
            tap.check(not point.group(1), point.group(2), r.tail())
    tap.check(r.status == 0 and b"\n1.." in r.out, "the guest's part ended", r.tail())
    tap.check((rw / "new").read_text() == "guest\n" and (rw / "dir").is_dir(),
              "what it wrote to a directory that it may write is there")
    tap.check((folder / "kept").read_text() == "kept\n" and (folder / "gone").exists() and
              not (folder / "over").exists(), "nothing else has changed")


def terminal(tap):
    """A shell on a terminal: size, its change, Ctrl-C, end of input."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
    env = {**os.environ, "SHELL": "/bin/sh", "TERM": "vt220", "PS1": "ready$ "}
    process = subprocess.Popen([harness.PCILAB, "boot", str(harness.ROOT / "configs/minimal.ini"),
                                "--shell", "--limit", "wall:120s"], env=env, stdin=slave,
                               stdout=slave, stderr=slave, start_new_session=True)
    os.close(slave)
    seen, pos = b"", 0
    steps = [(rb"ready\$ ", b"tty; stty size; echo $TERM\n"),
             (rb"/dev/pts/0\r\n33 101\r\nvt220\r\n(.|\n)*ready\$ ", None),
             (rb"", b"sleep 1000\n"), (rb"sleep 1000\r\n", b"\x03"),
             (rb"ready\$ ", b"stty size\n"), (rb"44 55\r\n(.|\n)*ready\$ ", b"exit 5\n")]
    reached = 0
    for want, send in steps:
        deadline = time.monotonic() + 100
        while not (found := re.search(want, seen[pos:])) and time.monotonic() < deadline:
            try:
                seen += os.read(master, 4096)
            except OSError:
                deadline = 0
        if not found:
            break
        pos += found.end()
        reached += 1
        if send is None:
            fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 55, 0, 0))
        else:
            time.sleep(0.3)
            os.write(master, send)
    status = process.wait(100) if reached == len(steps) else process.kill()
    os.close(master)
    tap.check(reached == len(steps) and status == 5,
              "a shell on a terminal: size, change of size, Ctrl-C, status", reached, status, seen)


def again(tap):
    """The same twice; and many continuations from where the command starts."""
    # Not looked through: folders in which others may just be writing. That of the modules, below
    # the user's home, is in any case: when its time changed between two runs, another two are made.
    env = {**os.environ, "PATH": "/usr/bin:/bin", "PWD": "/"}
    words = ("/bin/sh", "-c", "echo hello; cat /proc/sys/kernel/random/uuid")
    for _ in range(3):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            both = [pool.submit(pcilab, *words, options=("--digest",), cwd="/", env=env)
                    for _ in range(2)]
        one, two = (run.result() for run in both)
        if one.err == two.err:
            break
    tap.check(one.status == 0 and len(one.err) == 65 and one.err == two.err and
              one.out == two.out, "two runs have one digest", one.tail(), two.tail())
    r = pcilab("sh", "-c", "exit 4", options=("--checkpoint-at", "command", "--seeds", "1..3"))
    tap.check(r.status == 4 and r.out.count(b"\nnot ok ") == 3 and b"(4)" in r.out,
              "continuations from a checkpoint run the command", r.tail())


def main():
    need_modules()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        caller(tap, folder)
        files(tap, folder)
        statuses(tap, folder / "tree")
    binary(tap)
    terminal(tap)
    again(tap)
    tap.done()


main()
