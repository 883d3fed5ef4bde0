#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""pcilab-conform in a guest of ours, by sysfs: what the model's own suite says of its devices, a
kernel's accesses say, too; reading changes nothing; a device that goes away is told as such."""
import os
import re
import subprocess

import harness

ALONE = os.environ.get("PCILAB_CONFORM", "")
# Below a switch, of two functions; integrated. Without hot-plug, which takes away what is reset.
SOUND = ("03:00.0", "03:00.1", "00:10.0")
REMOVED = "04:00.0"  # in a slot
NVME = "07:00.0"
JUDGE = """
sums() { for f in /sys/bus/pci/devices/*/config; do sha256sum $f; done; }
judge() { name=$1; shift; echo "begin $name"; %(alone)s "$@" 2>&1; echo "end $name $?"; }
sums >/tmp/before
judge safe
sums | cmp -s - /tmp/before && echo "nothing changed"
for place in %(sound)s; do judge $place --destructive $place; done
echo 0000:%(nvme)s >/sys/bus/pci/drivers/nvme/unbind
echo 1 >/sys/bus/pci/devices/0000:%(nvme)s/enable
judge nvme --destructive --group=nvme %(nvme)s
judge removed --destructive %(removed)s
judge none 77:00.0
"""


class Judged:
    """What stands between "begin NAME" and "end NAME STATUS"."""

    def __init__(self, console, name):
        found = re.search(rf"^begin {re.escape(name)}\n(.*?)^end {re.escape(name)} (\d+)$", console,
                          re.M | re.S)
        self.text = found[1] if found else ""
        self.status = int(found[2]) if found else None
        self.failed = re.findall(r"^not ok \d+ - (\S+) ", self.text, re.M)
        self.passed = [line for line in re.findall(r"^ok \d+ - .*$", self.text, re.M)
                       if "# SKIP" not in line]
        plan = re.search(r"^1\.\.(\d+)$", self.text, re.M)
        lines = re.findall(r"^(?:not )?ok ", self.text, re.M)
        self.whole = bool(plan) and int(plan[1]) == len(lines)

    def says(self):
        return self.text[-600:]


def main():
    if not os.path.exists(ALONE):
        print("1..0 # SKIP pcilab-conform is not built (static glib)")
        return
    harness.need_guest()
    script = JUDGE % {"alone": os.path.abspath(ALONE), "sound": " ".join(SOUND), "nvme": NVME,
                      "removed": REMOVED}
    run = subprocess.run([harness.PCILAB, "boot", str(harness.ROOT / "configs/conform.ini"),
                          "--memory", "512M", "--", "sh", "-c", script], check=False,
                         stdin=subprocess.DEVNULL, capture_output=True, timeout=harness.TIMEOUT_S)
    console = run.stdout.decode("utf-8", "replace").replace("\r", "")
    tap = harness.Tap()
    safe = Judged(console, "safe")
    tap.check(safe.status == 0 and safe.whole and not safe.failed and len(safe.passed) > 1500,
              "what reads alone passes on every function",
              f"{safe.status} {safe.failed} {len(safe.passed)}", safe.says(), run.stderr[-400:])
    tap.check("nothing changed" in console, "it leaves all configuration spaces as they were")
    for place in SOUND:
        judged = Judged(console, place)
        tap.check(judged.status == 0 and judged.whole and not judged.failed and
                  len(judged.passed) > 200, f"{place}: what writes and resets passes",
                  f"{judged.status} {judged.failed} {len(judged.passed)}", judged.says())
    nvme = Judged(console, "nvme")
    tap.check(nvme.status == 0 and not nvme.failed and len(nvme.passed) >= 10,
              "an NVMe controller's registers, in its BAR", f"{nvme.failed}", nvme.says())
    removed = Judged(console, "removed")
    tap.check(removed.status == 1 and removed.whole and len(removed.failed) == 1 and
              "an access to its configuration space failed" in removed.text and
              "the function does not answer any more" in removed.text,
              "a device that is removed meanwhile fails once, and is told", removed.says())
    none = Judged(console, "none")
    tap.check(none.status == 2 and "77:00.0" in none.text, "a device that is not there",
              none.says())
    tap.done()


main()
