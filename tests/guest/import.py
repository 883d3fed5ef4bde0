#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot on imported dumps: the kernel finds the tree that lspci sees in the dump, and its BARs and
bridge windows with their sizes, kinds and addresses.

Usage: import.py [--without] DUMP...  (names in tests/golden/lspci; --without: all but these)
"""
import re
import shutil
import subprocess
import sys
import tempfile
import harness
import resources

# What keeps its kind and size and not its address, and why.
MOVES = {
    # The dump has them inside the window of a bridge beside them.
    ("asus-k8v", "0000:00:0f.0", "BAR 0"), ("asus-k8v", "0000:00:0f.0", "BAR 1"),
    # Beyond what a host bridge can decode here: beside the boot ROM, among the legacy ports.
    ("fsl-p2020", "0000:04:00.0", "BAR 0"), ("qemu-q35", "0000:00:1f.3", "BAR 4"),
}
# Its host bridges use the same bus addresses for different memory, which pcilab's cannot.
TRANSLATES = {"raspberry-pi-5"}
SCRIPT = b"""echo TREE; lspci -tn; echo END
for d in /sys/bus/pci/devices/*; do echo "DEV ${d##*/}"; cat $d/resource; done
exit
"""


def want(dump):
    return subprocess.run(["lspci", "-F", dump, "-tn"], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True).stdout


def differences(name, dump, guest):
    """What of the dump the guest has not, or elsewhere than it should."""
    for (function, place), (kind, size, first) in sorted(dump.items()):
        found = guest.get((function, place))
        if name in TRANSLATES and found and found[2] != first:
            # A window that was placed anew is as large as what is behind it needs.
            same = found[0] == kind and (found[1] == size or place.startswith("window"))
        elif (name, function, place) in MOVES:
            same = found is not None and found[:2] == (kind, size) and found[2] not in (None, first)
        else:
            same = found == (kind, size, first)
        if not same:
            yield f"{function} {place}: {kind}, {size:#x} at {first:#x}; the guest's: {found}"


def check(tap, name):
    dump = str(harness.ROOT / "tests/golden/lspci" / (name + ".txt"))
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([harness.PCILAB, "topo", "import", dump, "-o", folder + "/d.ini"],
                       check=True, stdout=subprocess.DEVNULL)
        # Quirks that fire may warn: the computer is not all there.
        run = harness.boot(folder + "/d.ini", "--allow-splat", "warn",
                           append="quiet pcilab.run=shell", stdin=SCRIPT)
        wanted = resources.dump_resources(folder + "/d.cfg")
    found = re.search(r"^TREE\n(.*?)^END$", run.console, re.M | re.S)
    tree = found.group(1) if found else ""
    tap.check(tree == want(dump), f"{name}: the kernel's tree is the dump's", run)
    wrong = list(differences(name, wanted, resources.guest_resources(run.console)))
    tap.check(wanted and not wrong, f"{name}: {len(wanted)} BARs and windows are the dump's",
              "\n".join(wrong))
    tap.check(run.status == 0, f"{name}: powered off", run)


def main():
    harness.need_guest()
    if not shutil.which("lspci"):
        print("1..0 # SKIP no lspci")
        return
    tap = harness.Tap()
    names = sys.argv[1:]
    if names[0] == "--without":
        folder = harness.ROOT / "tests/golden/lspci"
        every = sorted(path.stem for path in folder.glob("*.txt"))
        names = [name for name in every if name not in names]
    for name in names:
        check(tap, name)
    tap.done()


main()
