#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of kernel/ with a patch beside them, which breaks again what a kernel commit mended:
they fail on a kernel with it, at an expectation. Such a kernel is built by hand (some minutes):
scripts/kernel --patch tests/scenario/kernel/NAME.patch. Or its tree is the second argument."""
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent / "kernel"
KERNEL = FOLDER.parents[2] / "scripts/kernel"


def call(*command):
    return subprocess.run(command, text=True, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def main():
    patches = sorted(FOLDER.glob("*.patch"))
    print(f"1..{len(patches)}")
    bad = 0
    for number, patch in enumerate(patches, 1):
        tree = call(KERNEL, "--find", "--patch", patch)
        if tree.returncode and not sys.argv[2:]:
            print(f"ok {number} - {patch.stem} # SKIP no kernel: scripts/kernel --patch {patch}")
            continue
        path = patch.with_suffix(".lua")
        run = call(sys.argv[1], "run", "--ktree", *(sys.argv[2:] or [tree.stdout.strip()]), path)
        fine = (run.returncode == 1 and f"{path}:" in run.stdout and " expected" in run.stdout and
                "does not end" not in run.stdout)
        print(f"{'ok' if fine else 'not ok'} {number} - {patch.stem} fails on the broken kernel")
        said = [line for line in run.stdout.split("\n") if not fine or f"{path}:" in line]
        print("\n".join("# " + line for line in said))
        bad += not fine
    return bool(bad)


sys.exit(main())
