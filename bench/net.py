#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP in both directions between a guest and a server of this program: igb and virtio-net of
pcilab, and QEMU's cards with TCG where qemu-system-x86_64 is installed and has them.

The same kernel, agent and program (net_guest.c) in all. MB per second of the wall clock, and per
second of the host's processor, which other processes do not blur.
"""
import argparse
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path("@source@" if not "@source@".startswith("@") else
                    pathlib.Path(__file__).resolve().parents[1])
sys.path.insert(0, str(ROOT / "bench"))
import guest  # noqa: E402
import loop  # noqa: E402

GUEST = "@guest@" if not "@guest@".startswith("@") else str(ROOT / "build/bench/net-guest")
TIMEOUT_S = 300


class Servers:
    """One that sends and, on the next port, one that reads; MB/s of both by both clocks."""

    def __init__(self, megabytes):
        self.bytes, self.pid, self.rates = megabytes << 20, None, {}
        while True:
            first = socket.create_server(("127.0.0.1", 0))
            self.port = first.getsockname()[1]
            try:
                self.servers = [first, socket.create_server(("127.0.0.1", self.port + 1))]
                break
            except OSError:
                first.close()
        for server, send in zip(self.servers, (True, False)):
            threading.Thread(target=self.serve, args=(server, send), daemon=True).start()

    def serve(self, server, send):
        peer, _ = server.accept()
        wall, cpu = time.monotonic(), guest.cpu_seconds(self.pid)
        if send:
            peer.sendall(bytes(self.bytes))
            peer.shutdown(socket.SHUT_WR)
        while peer.recv(1 << 16):
            pass
        self.rates[send] = (self.bytes / 1e6 / (time.monotonic() - wall),
                            self.bytes / 1e6 / (guest.cpu_seconds(self.pid) - cpu))
        peer.close()

    def done(self):
        for server in self.servers:
            server.close()
        return [*self.rates.get(True, (0, 0)), *self.rates.get(False, (0, 0))]

    def command(self):
        script = (f"modprobe -a igb virtio_net; exec {GUEST} eth0 {self.port} {self.bytes} 2>&1")
        return ["sh", "-c", script]


def run_pcilab(args, card, servers):
    with tempfile.TemporaryDirectory() as folder:
        topology = pathlib.Path(folder, "t.ini")
        topology.write_text(f"[machine]\nmemory=1G\n[root-port rp0]\n[{card} eth0]\nat=rp0\n",
                            encoding="ascii")
        child = subprocess.Popen([args.pcilab, "boot", str(topology), "--append", "net.ifnames=0",
                                  "--", *servers.command()], stdin=subprocess.DEVNULL)
        servers.pid = child.pid
        child.wait(TIMEOUT_S)


def run_qemu(args, card, servers):
    def follow(port, pid):
        servers.pid = pid
        while text := port.recv(4096):
            sys.stderr.write(text.decode())

    guest.run_qemu(args, args.image, servers.command(), follow,
                   ["-netdev", "user,id=n", "-device", f"{card},netdev=n"],
                   " net.ifnames=0")


def qemu_cards(args):
    if not args.qemu:
        return []
    have = subprocess.run([args.qemu, "-device", "help"], capture_output=True, text=True,
                          check=False).stdout
    return [card for card in ("igb", "e1000e", "virtio-net-pci") if f'"{card}"' in have]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of each, the best counts (3)")
    parser.add_argument("--megabytes", type=int, default=128, help="in each direction (128)")
    parser.add_argument("--card", help="only this one")
    parser.add_argument("--pcilab", default=loop.PCILAB)
    parser.add_argument("--qemu", default=shutil.which("qemu-system-x86_64"))
    args = parser.parse_args()
    runs = [("pcilab", run_pcilab, card) for card in ("igb", "virtio-net")]
    runs += [("QEMU TCG", run_qemu, card) for card in qemu_cards(args)]
    print(f"{'MB/s, best of ' + str(args.runs):26}{'to the guest':>20}{'from the guest':>22}\n"
          f"{'':26}" + f"{'wall':>10}{'processor':>12}" * 2)
    with tempfile.TemporaryDirectory() as folder:
        args.image = os.path.join(folder, "disk")
        pathlib.Path(args.image).write_bytes(bytes(1 << 20))
        if args.qemu:
            loop.NEEDED = [*loop.NEEDED, "igb", "e1000e", "virtio_net"]
            guest.prepare_qemu(args, folder)
        for name, run, card in runs:
            if args.card and not card.startswith(args.card):
                continue
            rows = []
            for _ in range(args.runs):
                servers = Servers(args.megabytes)
                run(args, card, servers)
                rows.append(servers.done())
            best = [max(column) for column in zip(*rows)]
            print(f"{name + ' ' + card:26}{best[0]:10.1f}{best[1]:12.1f}{best[2]:10.1f}"
                  f"{best[3]:12.1f}", flush=True)


main()
