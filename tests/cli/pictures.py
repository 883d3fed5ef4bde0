#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a run and a topology's picture as a browser shows them, in light and in dark.

What is looked at: that there is something at all over the whole height, that the page behind is
light or dark as asked for, that writing stands out from it, and that red is there where something
failed and nowhere else.
"""
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

PCILAB = os.environ["PCILAB"]
WIDTH, HEIGHT = 1240, 1600
GOOD = """-- Some reads
-- a clause
machine "demo"
for i = 1, 20 do mmio_read(bar("ex0", 0) + 4 * i, 4) wait(us(1)) end
expect(true, "all")
"""
BAD = GOOD + 'expect_eq(2 + 2, 5, "arithmetic")\n'
points = []


def point(good, name, detail=""):
    points.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(points)} - {name}", flush=True)
    if not good:
        print("".join(f"# {line}\n" for line in str(detail).splitlines()), flush=True)


def unfilter(kind, line, above, step):
    for i, byte in enumerate(line):
        a = line[i - step] if i >= step else 0
        b = above[i]
        c = above[i - step] if i >= step else 0
        if kind == 4:
            p = a + b - c
            guess = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
        else:
            guess = (0, a, b, (a + b) // 2)[kind]
        line[i] = (byte + guess) & 0xff
    return line


def read_png(path):
    """Rows of (red, green, blue); PNG (Third Edition), 8 bits, without interlace."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", data[at + 8:at + 18])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + size]
        at += size + 12
    step = {2: 3, 6: 4}[colour]
    assert depth == 8
    raw, rows, above = zlib.decompress(packed), [], bytes(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        line = bytearray(raw[start + 1:start + 1 + width * step])
        above = unfilter(raw[start], line, above, step)
        rows.append([tuple(above[x:x + 3]) for x in range(0, width * step, step * 2)])
    return rows


def shoot(folder, page, dark):
    picture = folder / "shot.png"
    picture.unlink(missing_ok=True)
    argv = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder}/profile",
            f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={picture}", page.as_uri()]
    if dark:
        argv.insert(1, "--force-dark-mode")
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300)
    if not picture.exists():
        point(False, "chromium takes a picture", done.stderr)
        raise SystemExit(1)
    return read_png(picture)


def light(pixel):
    return (299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2]) // 1000


def judge(name, rows, dark, red):
    page = light(rows[4][4])
    point(page < 60 if dark else page > 200, f"{name}: the page is {'dark' if dark else 'light'}",
          page)
    marks = [any(abs(light(p) - page) > 90 for p in row) for row in rows]
    top = sum(marks[:len(marks) // 2])
    point(top > len(marks) // 8, f"{name}: writing stands out from it", top)
    reds = sum(p[0] > p[1] + 80 and p[0] > p[2] + 80 for row in rows for p in row)
    point((reds > 60) == red, f"{name}: {'red' if red else 'no red'} in it", reds)


def run(*argv):
    return subprocess.run([PCILAB, *argv], capture_output=True, text=True)


def check(folder):
    for name, text in (("good", GOOD), ("bad", BAD)):
        (folder / f"{name}.lua").write_text(text)
        run("run", str(folder / f"{name}.lua"), "--out", str(folder / name))
        done = run("report", str(folder / name))
        point(done.returncode == 0, f"a page of the {name} run", done.stderr)
        for dark in (False, True):
            rows = shoot(folder, folder / name / "report.html", dark)
            judge(f"{name} run, {'dark' if dark else 'light'}", rows, dark, name == "bad")
    picture = folder / "demo.svg"
    picture.write_text(run("topo", "demo", "--svg").stdout)
    for dark in (False, True):
        rows = shoot(folder, picture, dark)[:500]
        judge(f"topology, {'dark' if dark else 'light'}", rows, dark, False)


def main():
    missing = [p for p in ("chromium", "dot") if not shutil.which(p)]
    if missing:
        print(f"1..0 # SKIP no {' '.join(missing)}: apt-get install chromium graphviz")
        return 0
    with tempfile.TemporaryDirectory(prefix="pcilab-pictures-") as folder:
        check(pathlib.Path(folder))
    print(f"1..{len(points)}")
    return 0 if all(points) else 1


sys.exit(main())
