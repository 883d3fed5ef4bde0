#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""An NVMe controller with a memory buffer and shadow doorbells (nvme_options.sh), and which
doorbells the driver rang. Where scripts/kernel has built a kernel (--built), on that."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import harness

CONFIG = """
[machine]
memory=512M
cpus=1
[root-port rp0]
[nvme nvme0]
at=rp0
namespace-size=16M
cmb=2M
shadow-doorbells=yes
"""
DOORBELLS = 0x1000
SQ1_TAIL, CQ1_HEAD = DOORBELLS + 8, DOORBELLS + 12


def writes(trace, address):
    """How often the root port saw a write there."""
    wanted = re.compile(rf" rp0: tlp MWr .* addr {address:#x} ")
    with open(trace, encoding="ascii") as file:
        return sum(1 for line in file if wanted.search(line))


def check_doorbells(tap, run, trace):
    bar = int(re.search(r"^# bar (0x[0-9a-f]+)$", run.console, re.M).group(1), 16)
    before, after = (int(n) for n in re.findall(r"^# commands (\d+)$", run.console, re.M))
    heads, tails = writes(trace, bar + CQ1_HEAD), writes(trace, bar + SQ1_TAIL)
    print(f"# {after - before} commands; doorbells: {tails} tails, {heads} heads")
    tap.check(after - before >= 512 and 0 < heads < (after - before) // 50,
              "completions are taken without doorbells", run)


def boot(tap, tree):
    with tempfile.TemporaryDirectory() as folder:
        topology, trace = os.path.join(folder, "t.ini"), os.path.join(folder, "trace")
        with open(topology, "w", encoding="ascii") as file:
            file.write(CONFIG)
        command = [os.path.abspath(harness.PCILAB), "boot", topology, "--trace=tlp",
                   "--trace-file", trace, *(["--ktree", str(tree)] if tree else []), "--", "env",
                   f"WITH_BUFFER={'yes' if tree else ''}", "sh",
                   str(harness.ROOT / "tests/guest/nvme_options.sh")]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=harness.TIMEOUT_S, check=False)
        run = harness.Result(command, done.returncode, done.stdout, done.stderr)
        run.console = "PCILAB: begin nvme\n" + run.console + "PCILAB: end nvme 0\n"
        tap.relay(run, "nvme")
        tap.check(run.status == 0, "exit status 0", run)
        check_doorbells(tap, run, trace)


def main():
    harness.need_guest()
    missing = [name for name in ("nvme", "fio", "setpci")
               if not shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")]
    if missing:
        print(f"1..0 # SKIP not here: {' '.join(missing)}")
        return
    trees = harness.need_built_kernels() if "--built" in sys.argv else [None]
    tap = harness.Tap()
    for tree in trees:
        boot(tap, tree)
    tap.done()


main()
