#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Several processors; the compressed kernel's own entry; memory that the simulator needs."""
import harness

GUEST_MIB = 256
OVERHEAD_MIB = 200


def main():
    harness.need_guest()
    tap = harness.Tap()
    # First, while it is the only run whose memory counts.
    packed = harness.boot("minimal.ini", "--enter=bzimage", "--memory", f"{GUEST_MIB}M",
                          append="pcilab.run=off")
    tap.check(packed.status == 0 and "PCILAB: init" in packed.console,
              "the kernel unpacks itself", packed)
    beyond = harness.peak_resident_kib() // 1024 - GUEST_MIB
    tap.check(beyond <= OVERHEAD_MIB, f"at most {OVERHEAD_MIB} MiB resident beyond guest memory",
              f"{beyond} MiB")
    append = "quiet pcilab.run=test:platform pcilab.cpus="
    four, eight = harness.boot_both(
        (("default.ini", "--cpus", "4"), {"append": append + "4"}),
        (("minimal.ini", "--cpus", "8"), {"append": append + "8"}))
    for run in (four, eight):
        tap.relay(run, "platform")
        tap.check(run.status == 0, "powered off: exit status 0", run)
    tap.done()


main()
