#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""accel-config and the user-space tests that Debian packages with it (accel.sh)."""
import os
import re
import shutil
import sys

import harness

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "accel.sh")
DSA_TEST = "/usr/libexec/accel-config/test/dsa_test"


def main():
    harness.need_guest()
    if not (shutil.which("accel-config") and os.access(DSA_TEST, os.X_OK)):
        print("1..0 # SKIP no accel-config here: apt install accel-config accel-config-test")
        sys.exit(0)
    tap = harness.Tap()
    run = harness.boot("dsa.ini", "--", "sh", SCRIPT)
    for bad, name in re.findall(r"^(not )?ok \d+ - (.*)$", run.console, re.M):
        tap.check(not bad, name)
    tap.check(run.status == 0 and re.search(rf"^1\.\.{tap.count}$", run.console, re.M),
              "all of it ran", run)
    tap.done()


main()
