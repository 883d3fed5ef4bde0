#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every C file is as clang-format 14 (Debian 12's) would write it."""
import shutil
import subprocess
import common


def formatter():
    for name in ("clang-format-14", "clang-format"):
        path = shutil.which(name)
        if path and " 14." in subprocess.run([path, "--version"], capture_output=True,
                                             text=True).stdout:
            return path
    return None


def main():
    tap, tool = common.Tap(), formatter()
    if not tool:
        tap.skip("C files are formatted", "clang-format-14 is not installed")
        tap.done()
    paths = common.files(".c", ".h")
    out = subprocess.run([tool, "--dry-run", "--ferror-limit=1", *paths], cwd=common.ROOT,
                         capture_output=True, text=True).stderr
    bad = sorted({line.split(": ")[0] for line in out.splitlines() if "code should be" in line})
    tap.result("C files are formatted", [f"{b}: run {tool} -i" for b in bad], len(paths))
    tap.done()


main()
