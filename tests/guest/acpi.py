#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""iasl takes every ACPI table that the guest sees apart, and puts it together again.

Usage: acpi.py TOPOLOGY
"""
import base64
import os
import re
import subprocess
import sys
import tempfile
import harness


def iasl(folder, *args):
    done = subprocess.run(["iasl", *args], cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def judge(tap, folder, name, table):
    path = os.path.join(folder, name)
    with open(path + ".aml", "wb") as out:
        out.write(table)
    status, text = iasl(folder, "-d", name + ".aml")
    tap.check(status == 0 and os.path.exists(path + ".dsl"), f"{name}: disassembles", text)
    tap.check(not re.search(r"invalid|unknown|error|incorrect checksum", text, re.I),
              f"{name}: without complaint", text)
    os.remove(path + ".aml")
    status, text = iasl(folder, name + ".dsl")
    tap.check(status == 0 and " 0 Errors" in text, f"{name}: compiles again", text)
    with open(path + ".aml", "rb") as again:
        data = again.read()
    # Bytes 9 and 24 to 35: checksum, and the creator, which is then iasl.
    def core(t):
        return t[:9] + t[10:24] + t[36:]
    tap.check(core(data)[8:] == core(table)[8:] or name.startswith(("DSDT", "SSDT")),
              f"{name}: is the same table again", f"{len(table)} and {len(data)} bytes")


def main():
    harness.need_guest()
    tap = harness.Tap()
    run = harness.boot(sys.argv[1], append="quiet pcilab.run=test:acpi")
    tap.relay(run, "acpi")
    found = re.findall(r"^TABLE (\w+)$\n(.*?)^END$", run.console, re.M | re.S)
    tap.check(len(found) >= 4, "there are tables", run)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in found:
            judge(tap, folder, name, base64.b64decode(text))
    tap.done()


main()
