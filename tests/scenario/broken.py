#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios of kernel bugs fail on what the buggy kernel did: pcilab run --broken. An expectation
of theirs must not hold, at a line of the scenario; a limit or a mistake does not count."""
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent / "bugs"


def main():
    files = sorted(FOLDER.glob("*.lua"))
    print(f"1..{len(files)}")
    bad = 0
    for number, path in enumerate(files, 1):
        run = subprocess.run([sys.argv[1], "run", "--broken", path], text=True, check=False,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
        fine = (run.returncode == 1 and f"{path}:" in run.stdout and " expected" in run.stdout and
                "does not end" not in run.stdout)
        print(f"{'ok' if fine else 'not ok'} {number} - {path.stem} fails")
        if not fine:
            print("\n".join("# " + line for line in run.stdout.split("\n")))
        bad += not fine
    return bool(bad)


sys.exit(main())
