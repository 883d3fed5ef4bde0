# SPDX-License-Identifier: GPL-2.0-or-later
"""What the checks of this folder share: the list of our files, and TAP."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def files(*suffixes):
    """Paths (relative, sorted) of the tracked files with one of the suffixes; '' is every file."""
    try:
        out = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True,
                             capture_output=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive
        out = [str(p.relative_to(ROOT)) for p in ROOT.rglob("*")
               if p.is_file() and not p.relative_to(ROOT).parts[0].startswith(("build", ".git/"))]
    return sorted(p for p in out if p and p.endswith(suffixes) and (ROOT / p).is_file())


def read(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


class Tap:
    """One TAP line per property, each with the list of what breaks it."""

    def __init__(self):
        self.count = self.failed = 0

    def result(self, name, problems, seen):
        """`seen` is how many things were looked at: a check that sees none has failed."""
        self.count += 1
        problems = list(problems)
        if not seen:
            problems.append("nothing was there to check")
        if problems:
            self.failed += 1
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name} ({seen} seen)")
        for problem in problems:
            print(f"# {problem}")

    def skip(self, name, why):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {why}")

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed else 0)
