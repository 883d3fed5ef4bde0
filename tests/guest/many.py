#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""1,024 functions behind 136 ports: the stock kernel finds each (inside/many.sh)."""
import os
import tempfile
import harness


def topology(switches, ports, functions):
    """A file with that many exercisers: every port of every switch has one."""
    lines = ["[machine]", "memory=512M"]
    for s in range(switches):
        lines += [f"[root-port rp{s}]", f"[switch sw{s}]", f"at=rp{s}", f"downstream={ports}"]
        for p in range(ports):
            lines += [f"[exerciser e{s}x{p}]", f"at=sw{s}.{p}", f"functions={functions}",
                      "memory=4K", "msix=1", "msi=0", "io=no"]
    return "\n".join(lines) + "\n"


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "many.ini")
        with open(path, "w", encoding="utf-8") as out:
            out.write(topology(4, 32, 8))
        run = harness.boot(path, append="quiet pcilab.run=test:many")
    tap.relay(run, "many")
    tap.check(run.status == 0, "powered off: exit status 0", run)
    tap.done()


if __name__ == "__main__":
    main()
