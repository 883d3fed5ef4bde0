#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Containment and recovery with the stock DPC driver (inside/dpc.sh); the same way every time."""
import harness


def main():
    harness.need_guest()
    tap = harness.Tap()
    args = ("dpc.ini", "--allow-splat=dpc", "--allow-splat=aer", "--digest")
    more = {"append": "quiet pcie_ports=dpc-native pcilab.run=test:dpc"}
    one, two = harness.boot_both((args, more), (args, more))
    tap.relay(one, "dpc")
    tap.check(one.status == 0, "powered off: exit status 0", one)
    tap.check(one.digest and one.digest == two.digest, "the same digest twice", two)
    tap.done()


main()
