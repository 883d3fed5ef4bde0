#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The same command gives the same digest; another seed or one changed byte of input does not."""
import os
import subprocess
import tempfile
import harness

QUICK = "quiet pcilab.run=test:nvme-short"
WIRE = """
[root-port rp0]
[igb left]
at=rp0
wire=w0
[root-port rp1]
[igb right]
at=rp1
wire=w0
"""


def pair(tap, name, same, first, second):
    runs = harness.boot_both(first, second)
    if not tap.check(all(run.status == 0 and run.digest for run in runs),
                     f"{name}: both runs end with a digest", *runs):
        return None
    equal = runs[0].digest == runs[1].digest
    tap.check(equal == same, f"{name}: {'equal' if same else 'different'} digests",
              runs[0].digest, runs[1].digest)
    return runs[0].digest


SCENARIO = r"""-- Commands in a guest
-- none: what the caller has is not seen
machine {guest = true, topology = "minimal"}
expect_eq(guest_ok("pwd; echo [$SOMETHING] $HOME $LC_ALL"), "/\n[] /root C\n", "what it sees")
"""


def run_scenario():
    """With commands in a guest, in a folder and an environment that must not be seen."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "commands.lua")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCENARIO)
        environment = dict(os.environ, PCILAB_GUEST_DIR=str(harness.guest_dir()),
                           SOMETHING="else", HOME="/x", LC_ALL="C.UTF-8")
        return subprocess.run([harness.PCILAB, "run", path], cwd=folder, capture_output=True,
                              env=environment, text=True, check=False)


def main():
    harness.need_guest()
    tap = harness.Tap()

    def run(*options, config="default.ini", append=QUICK, stdin=b""):
        return (config, "--digest", "--seed", "7", *options), {"append": append, "stdin": stdin}

    one = pair(tap, "the same command", True, run(), run())
    pair(tap, "the same command on 4 processors", True, run("--cpus", "4"), run("--cpus", "4"))
    pair(tap, "another seed", False, run(), run("--seed", "8"))
    with tempfile.TemporaryDirectory() as folder:
        disks = []
        for byte in (0, 1):
            disks.append(os.path.join(folder, f"disk{byte}.img"))
            with open(disks[-1], "wb") as image:
                image.write(bytes([byte]).ljust(8 << 20, b"\0"))
        pair(tap, "one changed byte of the disk", False, run("--disk", f"nvme0={disks[0]}"),
             run("--disk", f"nvme0={disks[1]}"))
        config = os.path.join(folder, "wire.ini")
        with open(config, "w", encoding="utf-8") as file:
            file.write(WIRE)
        wire = run(config=config, append="quiet pcilab.run=test:wire")
        pair(tap, "two network cards on a wire", True, wire, wire)
    commands = run_scenario()
    tap.check(commands.returncode == 0, "commands of a scenario do not see who runs it",
              commands.stdout)
    pair(tap, "one changed byte of console input", False, run(stdin=b"a\n"), run(stdin=b"b\n"))
    again = harness.boot(*run()[0], append=QUICK)
    tap.check(one is not None and again.digest == one, "the same command, alone, later", again)
    tap.done()


main()
