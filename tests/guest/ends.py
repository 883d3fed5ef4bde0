#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How a run ends: power off, restart, panic, limits; and what is typed on a pipe."""
import harness


def main():
    harness.need_guest()
    tap = harness.Tap()
    off, reboot = harness.boot_both(
        (("minimal.ini",), {"append": "quiet pcilab.run=off"}),
        (("minimal.ini", "--no-reboot"), {"append": "quiet pcilab.run=off pcilab.end=reboot"}))
    tap.check(off.status == 0 and off.console.count("PCILAB: init") == 1,
              "power off: exit status 0", off)
    tap.check(reboot.status == 0 and reboot.console.count("PCILAB: init") == 1,
              "restart with --no-reboot: exit status 0", reboot)

    again, panic = harness.boot_both(
        (("minimal.ini", "--limit", "10s"),
         {"append": "quiet pcilab.run=off pcilab.end=reboot"}),
        (("minimal.ini", "--no-reboot"), {"append": "panic=-1 pcilab.run=panic"}))
    tap.check(again.status == 3 and again.console.count("PCILAB: init") >= 2,
              "a restart boots again, until the limit: exit status 3", again)
    tap.check(panic.status == 1 and "Kernel panic" in panic.console,
              "panic: exit status 1", panic)

    limit, piped = harness.boot_both(
        (("minimal.ini", "--limit", "300ms"), {"append": "pcilab.run=off"}),
        (("minimal.ini",), {"append": "quiet", "stdin": b"echo sum-$((40 + 2))\nexit\n"}))
    tap.check(limit.status == 3 and "PCILAB: init" not in limit.console,
              "limit of virtual time: exit status 3", limit)
    tap.check(piped.status == 0 and "sum-42" in piped.console.splitlines(),
              "typed on a pipe: the shell answers, then powers off", piped)
    tap.done()


main()
