#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock kernel with devices that misbehave= makes break Address Translation Services
(inside/misbehave.sh)."""
import os

import harness

TOPOLOGY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "misbehave.ini")


def main():
    harness.need_guest()
    tap = harness.Tap()
    run = harness.boot(TOPOLOGY, "--allow-splat", "dmar", append="quiet pcilab.run=test:misbehave")
    tap.relay(run, "misbehave")
    tap.check(run.status == 0, "exit status 0", run)
    tap.done()


main()
