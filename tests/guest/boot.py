#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot one topology; the guest judges what it finds (inside/platform.sh, inside/nvme.sh).

Usage: boot.py TOPOLOGY TEST... [WORD=VALUE...], words for the kernel's command line
"""
import sys
import harness


def main():
    harness.need_guest()
    tap = harness.Tap()
    config, words = sys.argv[1], [word for word in sys.argv[2:] if "=" in word]
    for test in (word for word in sys.argv[2:] if "=" not in word):
        run = harness.boot(config, append=" ".join(["quiet", *words, f"pcilab.run=test:{test}"]))
        tap.relay(run, test)
        tap.check(run.status == 0, "powered off: exit status 0", run)
    tap.done()


main()
