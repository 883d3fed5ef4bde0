#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot on an imported dump: the kernel finds the tree that lspci sees in the dump.

Usage: import.py DUMP...  (names in tests/golden/lspci)
"""
import re
import shutil
import subprocess
import sys
import tempfile
import harness


def want(dump):
    return subprocess.run(["lspci", "-F", dump, "-tn"], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout


def main():
    harness.need_guest()
    if not shutil.which("lspci"):
        print("1..0 # SKIP no lspci")
        return
    tap = harness.Tap()
    for name in sys.argv[1:]:
        dump = str(harness.ROOT / "tests/golden/lspci" / (name + ".txt"))
        with tempfile.TemporaryDirectory() as folder:
            ini = folder + "/d.ini"
            subprocess.run([harness.PCILAB, "topo", "import", dump, "-o", ini], check=True,
                           stdout=subprocess.DEVNULL)
            run = harness.boot(ini, append="quiet pcilab.run=shell",
                               stdin=b"echo TREE; lspci -tn; echo END\nexit\n")
        found = re.search(r"^TREE\n(.*?)^END$", run.console, re.M | re.S)
        tree = found.group(1) if found else ""
        tap.check(tree == want(dump), f"{name}: the kernel's tree is the dump's", run)
        tap.check(run.status == 0, f"{name}: powered off", run)
    tap.done()


main()
