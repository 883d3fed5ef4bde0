#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Errors by traffic under the stock AER driver (inside/aer.sh)."""
import tempfile
import harness

# On the link of the last group of aer.ini: so late that they wait until the test reads far more
# than a boot does.
FAULTS = ("up:corrupt-dllp@4000*20", "down:drop-dllp@15000*200", "up:corrupt-tlp@20000",
          "up:drop-tlp@21000", "up:corrupt-tlp@22000*400", "up:corrupt-tlp@38000",
          "up:overflow-tlp@40000", "up:wrong-ack@2000", "down:wrong-credits@20")


# When all that is before it in the script is over.
PULLED_S = 120


def main():
    harness.need_guest()
    tap = harness.Tap()
    topology = (harness.ROOT / "tests/guest/aer.ini").read_text()
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as config:
        config.write(topology + "faults=" + " ".join(FAULTS) + "\n")
        config.flush()
        run = harness.boot(config.name, "--allow-splat=aer", "--at", f"{PULLED_S}s:unplug:ex2",
                           append="quiet pcilab.run=test:aer")
    tap.relay(run, "aer")
    tap.check(run.status == 0, "powered off: exit status 0", run)
    tap.done()


main()
