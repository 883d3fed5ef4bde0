#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compiles an ASL template to a C array.

usage: asl2c.py IASL INPUT OUTPUT SYMBOL [-DNAME=VALUE ...] -- CC [ARG ...]

The template goes through the C preprocessor (CC) with the definitions and the address map, then
through iasl, whose warnings are errors.
"""
import os
import subprocess
import sys
import tempfile


def run(command, **kwargs):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            check=False, **kwargs)
    if result.returncode:
        sys.exit("%s failed:\n%s" % (command[0], result.stdout))
    return result.stdout


def main():
    split = sys.argv.index("--")
    iasl, source, output, symbol, *defines = sys.argv[1:split]
    cc = sys.argv[split + 1:]
    with tempfile.TemporaryDirectory() as folder:
        dsl = os.path.join(folder, symbol + ".dsl")
        run(cc + ["-E", "-P", "-x", "c", "-undef", "-o", dsl] + defines + [source])
        run([iasl, "-we", "-vr", "-p", os.path.join(folder, symbol), dsl])
        with open(os.path.join(folder, symbol + ".aml"), "rb") as file:
            aml = file.read()
    with open(output, "w", encoding="ascii") as file:
        file.write("/* Made from %s by asl2c.py. */\n" % os.path.basename(source))
        file.write("const unsigned char %s[] = {\n" % symbol)
        for i in range(0, len(aml), 16):
            file.write("    %s,\n" % ", ".join("0x%02x" % b for b in aml[i:i + 16]))
        file.write("};\nconst unsigned %s_len = sizeof(%s);\n" % (symbol, symbol))


main()
