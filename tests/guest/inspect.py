#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`pcilab inspect` of a machine whose device has just faulted: what it tells agrees with what the
guest says of it, and looking changes nothing."""
import json
import os
import re
import subprocess
import tempfile
import harness

INPUT = b"""modprobe -a vfio-pci vfio_iommu_type1
echo vfio-pci >/sys/bus/pci/devices/0000:05:00.0/driver_override
echo 0000:05:00.0 >/sys/bus/pci/drivers_probe
/pcilab/vfio unmapped 0000:05:00.0
poweroff -f
"""


def run(*words):
    return subprocess.run([harness.PCILAB, *words], stdin=subprocess.DEVNULL, check=False,
                          capture_output=True, text=True,
                          timeout=harness.TIMEOUT_S)


class Lab:
    def __init__(self, tap, path):
        self.tap, self.path = tap, path

    def look(self, *words):
        """The answer as JSON; {} if there is none, which is a failure."""
        got = run("inspect", self.path, *words, "--json")
        good = got.returncode == 0 and not got.stderr
        self.tap.check(good, " ".join(words), got.stdout[-500:] + got.stderr)
        return json.loads(got.stdout) if good else {}

    def end(self):
        """A continuation's console and digest."""
        return run("fork", self.path, "--digest").stdout

    def text(self, *words):
        return run("inspect", self.path, *words)


def check_iommu(tap, lab):
    unit = lab.look("iommu")["iommus"][0]
    names = ("registers", "queue", "faults", "contexts", "domains", "interrupts", "statistics",
             "requests", "caches")
    tap.check(all(name in unit for name in names) and unit["name"] == "iommu0", "all sections",
              str(list(unit)))
    rows = {row["requester"]: row for row in unit["contexts"]}
    tap.check({"03:00.0", "05:00.0", "00:1f.0"} <= set(rows), "contexts of all functions",
              str(list(rows)))
    mine = rows.get("05:00.0", {})
    tap.check(mine.get("translation") == "second stage" and
              rows["03:00.0"]["translation"] == "first stage",
              "the process's function has a second stage, the others a first", str(mine))
    tap.check(any(d["domain"] == mine.get("domain") and d["requesters"] == "05:00.0"
                  for d in unit["domains"]), "its domain is its own")
    tap.check(unit["queue"]["head"] == unit["queue"]["tail"] and unit["queue"]["pending"] == [],
              "the queue is at rest", str(unit["queue"]))
    tap.check(len(unit["interrupts"]) > 5 and unit["statistics"]["faults"] >= 1,
              "interrupt entries, and a fault")
    only = lab.look("iommu", "iommu0", "queue")["iommus"][0]
    tap.check(sorted(only) == ["name", "queue"], "one section alone")


def check_walks(tap, lab):
    good = lab.look("walk", "05:00.0", "0x20001000", "write")
    levels = [step["step"] for step in good["steps"]]
    tap.check(levels[:4] == ["root entry", "context entry", "PASID directory entry",
                             "PASID table entry"] and levels[-1] == "second stage, level 1" and
              good["result"]["outcome"] == "translated", "the mapped page is found", str(good))
    bad = lab.look("walk", "0000:05:00.0", "20002000", "write")
    tap.check(bad["result"]["outcome"] == "fault" and
              bad["steps"][-1]["says"] == "not present", "the unmapped one is not", str(bad))
    absent = lab.look("walk", "07:00.0", "0")
    tap.check(absent["result"]["outcome"] == "fault", "nor anything of an absent function")
    return bad["result"].get("reason", "")[:4]


def check_plain_boots(tap):
    """The same looks in the middle of a boot that has no checkpoint."""
    common = {"append": "quiet pcilab.run=off"}
    looks = ("--at", "3s:inspect:--json iommu iommu0 queue", "--at", "2s:inspect walk 05:00.0 1000",
             "--at", "end:inspect:--json links", "--at", "1h:inspect:links")
    seen, plain = harness.boot_both((("iommu.ini", "--quiet", "--digest", *looks), common),
                                    (("iommu.ini", "--quiet", "--digest"), common))
    tap.check(seen.status == 0 and plain.digest and seen.digest == plain.digest,
              "looking into a running boot changes nothing: same digest", seen, plain)
    text, _, tree = seen.err.partition("{")
    tap.check("at 2.000000 s of virtual time" in text and "requester  05:00.0" in text and
              "0x71" in text, "a walk at its instant", seen)
    tree, end = tree.split("}\n{") if "}\n{" in tree else ("", "")
    tree = json.loads("{" + tree + "}") if tree else {}
    end = json.loads("{" + end)["links"] if end else []
    tap.check(tree.get("time-ps") == 3 * 10 ** 12 and tree["iommus"][0]["queue"]["head"],
              "the queue at a later one, as JSON", seen)
    disk = [link for link in end if link["below"] == "nvme0"]
    tap.check(len(end) == 4 and disk and disk[0]["tlps-down"] > 300 and
              disk[0]["bytes-up"] > disk[0]["tlps-up"] > 100,
              "at the end what crossed each link", end)
    refused = harness.boot("iommu.ini", "--at", "end:nmi")
    tap.check(refused.status == 2 and "--at" in refused.err, "no NMI at the end", refused)
    refused = harness.boot("iommu.ini", "--at", "1s:inspect:walk nowhere")
    tap.check(refused.status == 2 and "walk" in refused.err, "a look that is none", refused)


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "lab")
        boot = harness.boot("iommu.ini", "--allow-splat", "dmar", "--checkpoint-at",
                            "console: fault reason", "--serve", path, append="quiet", stdin=INPUT)
        tap.check(boot.status == 0, "a boot up to the fault leaves a server", boot)
        lab = Lab(tap, path)
        try:
            before = lab.end()
            check_iommu(tap, lab)
            reason = check_walks(tap, lab)
            said = re.match(r" (0x\w\w)\]", before)
            tap.check(said and said.group(1) == reason,
                      "the walk's reason is what the kernel is about to say",
                      reason + before[:200])
            names = {f["name"]: f for f in lab.look("functions")["functions"]}
            tap.check(names.get("ex1", {}).get("function") == "0000:05:00.0", "functions")
            one = lab.look("function", "05:00.0")
            tap.check(one["name"] == "ex1" and one["bars"][0]["decodes"] and
                      any(r["register"] == "vendor_id" or r["offset"] == "000"
                          for r in one["registers"]), "one function", str(one)[:300])
            links = lab.look("links")["links"]
            tap.check(len(links) == 4 and all(li["is"] == "up" for li in links), "links")
            text = lab.text("walk", "05:00.0", "0x20002000")
            tap.check(text.returncode == 0 and "of virtual time" in text.stdout and
                      "second stage, level 1" in text.stdout, "as text", text.stdout)
            none = lab.text("function", "09:00.0")
            tap.check(none.returncode == 2 and "no function has this number" in none.stderr,
                      "what is not there", none.stderr)
            none = lab.text("iommu", "nobody")
            tap.check(none.returncode == 2 and "no IOMMU of this name" in none.stderr,
                      "no such unit", none.stderr)
            tap.check(before and lab.end() == before, "looking has changed nothing: same digest")
        finally:
            run("fork", path, "--stop")
    check_plain_boots(tap)
    tap.done()


main()
