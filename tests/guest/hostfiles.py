#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Host directories in the guest, by the stock 9p driver: what the host holds is what the guest
sees, what the guest writes is what the host gets, and nothing else changes."""
import hashlib
import os
import random
import re
import stat
import tempfile
import harness

GIB = 1 << 30
CONFIG = """
[root-port rp0]
[switch sw0]
at=rp0
downstream=1
[virtio-9p ro]
path={base}/export
[virtio-9p files]
at=sw0.0
tag=rw
path={base}/rw
readonly=no
packed=yes
"""


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def make_tree(base):
    rng = random.Random(9)
    top = os.fsencode(os.path.join(base, "export"))
    os.makedirs(top)
    os.makedirs(os.path.join(base, "rw"))
    write(os.path.join(base, "secret"), b"host")
    for d in range(5):
        folder = os.path.join(top, b"dir%d" % d, b"sub")
        os.makedirs(folder)
        for f in range(10):
            write(os.path.join(folder, b"f%d" % f), rng.randbytes(rng.randrange(3000)))
    os.mkdir(os.path.join(top, b"many"))
    for f in range(400):
        write(os.path.join(top, b"many", b"%04d-%s" % (f * 1789 % 400, b"n" * 60)), b"")
    write(os.path.join(top, b"small"), b"small\n")
    write(os.path.join(top, b"big"), rng.randbytes(700001))
    write(os.path.join(top, b"hello.sh"), b"#!/bin/sh\necho hello\n")
    os.chmod(os.path.join(top, b"hello.sh"), 0o755)
    write(os.path.join(top, b"\xff\xfe \xc3"), b"not UTF-8")
    write(os.path.join(top, b"l" * 255), b"long")
    write(os.path.join(top, b"hard1"), b"hard")
    os.link(os.path.join(top, b"hard1"), os.path.join(top, b"hard2"))
    os.symlink("../secret", os.path.join(top, b"outside"))
    os.symlink("dir0/sub/f0", os.path.join(top, b"inside"))
    os.symlink("/etc/passwd", os.path.join(top, b"absolute"))
    os.mkfifo(os.path.join(top, b"fifo"), 0o600)
    with open(os.path.join(top, b"sparse"), "wb") as file:
        file.seek(5 * GIB)
        file.write(b"last")
    for name, mode in ((b"small", 0o640), (b"dir3", 0o1777), (b"hard1", 0o604)):
        os.chmod(os.path.join(top, name), mode)
    return top


def walk(top):
    """(path, its stat) of everything, as find(1) names it."""
    yield b".", os.lstat(top)
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            yield b"./" + os.path.relpath(path, top), os.lstat(path)


def facts(top):
    lines = [b"%x %d %d %s\n" % (st.st_mode, st.st_size, st.st_nlink, path)
             for path, st in walk(top)]
    return hashlib.sha256(b"".join(sorted(lines))).hexdigest()


def sums(top):
    lines = []
    for path, st in sorted(walk(top)):
        if stat.S_ISREG(st.st_mode) and st.st_size < 20000 << 10:
            with open(os.path.join(top, path), "rb") as file:
                lines.append(hashlib.sha256(file.read()).hexdigest().encode() + b"  " + path)
    return hashlib.sha256(b"".join(line + b"\n" for line in lines)).hexdigest()


def links(top):
    targets = [os.readlink(os.path.join(top, path)) for path, st in sorted(walk(top))
               if stat.S_ISLNK(st.st_mode)]
    return hashlib.sha256(b"".join(t + b"\n" for t in targets)).hexdigest()


def read(base, name):
    with open(os.path.join(base, "rw", name), "rb") as file:
        return file.read()


def check_written(tap, base, said):
    def mode(name):
        return os.lstat(os.path.join(base, "rw", name)).st_mode

    tap.check(hashlib.sha256(read(base, "data")).hexdigest() == said.get("data"),
              "the host has the bytes that the guest wrote")
    tap.check(read(base, "log") == b"one\ntwo\nthree\n", "appended", read(base, "log"))
    tap.check(read(base, "log2") == b"\0\0\0", "cut to its length")
    tap.check(read(base, "mid") == b"0123XY6789", "overwritten in the middle")
    tap.check(stat.S_IMODE(mode("d")) == 0o2751 and stat.S_IMODE(mode("d/f")) == 0o640,
              "modes arrived", oct(mode("d")), oct(mode("d/f")))
    tap.check(os.path.samefile(os.path.join(base, "rw/d/f"), os.path.join(base, "rw/hard")),
              "a hard link is one")
    tap.check(os.readlink(os.path.join(base, "rw/soft")) == "d/f" and
              os.readlink(os.path.join(base, "rw/dangling")) == "/nowhere", "links arrived")
    tap.check(stat.S_ISFIFO(mode("pipe")), "a pipe arrived")
    tap.check(read(base, "b") == b"a\n" and not os.path.exists(os.path.join(base, "rw/a")) and
              not os.path.exists(os.path.join(base, "rw/u")) and
              not os.path.exists(os.path.join(base, "rw/many")), "what was removed is gone")
    tap.check(os.stat(os.path.join(base, "rw/log")).st_mtime == 981173106, "times arrived",
              os.stat(os.path.join(base, "rw/log")).st_mtime)


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as base:
        top = make_tree(base)
        config = os.path.join(base, "files.ini")
        write(config, CONFIG.format(base=base).encode())
        before = facts(top), sums(top), links(top)
        run = harness.boot(config, append="quiet pcilab.run=test:hostfiles")
        tap.relay(run, "hostfiles")
        tap.check(run.status == 0, "powered off: exit status 0", run)
        said = dict(re.findall(r"^(facts|sums|links|data) ([0-9a-f]{64})$", run.console, re.M))
        tap.check(said.get("facts") == before[0], "names, types, modes, sizes and link counts", run)
        tap.check(said.get("sums") == before[1], "contents")
        tap.check(said.get("links") == before[2], "where links point")
        tap.check((facts(top), sums(top), links(top)) == before, "the exported tree did not change")
        if os.path.exists(os.path.join(base, "rw/data")):
            check_written(tap, base, said)
        tap.check(sorted(os.listdir(base)) == ["export", "files.ini", "rw", "secret"],
                  "nothing beside the trees changed", os.listdir(base))
    tap.done()


main()
