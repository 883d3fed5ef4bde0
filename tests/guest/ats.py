#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Address Translation Services between the stock kernel and exercisers (inside/ats.sh)."""
import os

import harness

TOPOLOGY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ats.ini")


def main():
    harness.need_guest()
    tap = harness.Tap()
    options = ["", "intel_iommu=sm_off"]
    calls = [((TOPOLOGY, "--allow-splat", "dmar"),
              {"append": f"quiet {option} pcilab.run=test:ats"}) for option in options]
    for run, option in zip(harness.boot_both(*calls), options):
        tap.relay(run, "ats")
        tap.check(run.status == 0, f"{option or 'default options'}: exit status 0", run)
    tap.done()


if __name__ == "__main__":
    main()
