#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree of an imported dump, as pcilab enumerates it, is the dump's own: lspci is the judge."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

PCILAB = os.environ["PCILAB"]
DUMPS = sorted((pathlib.Path(__file__).resolve().parents[2] / "golden/lspci").glob("*.txt"))


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True).stdout


def main():
    if not shutil.which("lspci"):
        print("1..0 # SKIP no lspci")
        return 0
    print(f"1..{len(DUMPS)}")
    failed = False
    for number, dump in enumerate(DUMPS, 1):
        with tempfile.TemporaryDirectory() as folder:
            ini, out = folder + "/d.ini", folder + "/out.txt"
            run(PCILAB, "topo", "import", str(dump), "-o", ini)
            pathlib.Path(out).write_text(run(PCILAB, "topo", ini, "--lspci"))
            got, want = run("lspci", "-F", out, "-tn"), run("lspci", "-F", str(dump), "-tn")
        ok = got == want and "-" in want
        failed = failed or not ok
        print(f"{'ok' if ok else 'not ok'} {number} - {dump.stem}")
        if not ok:
            print("".join(f"# {line}\n" for line in (want + "--- and not\n" + got).splitlines()))
    return failed


sys.exit(main())
