#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP in both directions between a guest and a server of this program, 32 MiB each, by the wall
clock: igb and virtio-net of pcilab, and QEMU's cards with TCG where qemu-system-x86_64 is installed
and has them. The same kernel, initramfs and commands for all. Usage: bench/net [REPEATS]"""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

PCILAB = "@pcilab@"
BYTES = 32 << 20
CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
GUEST = pathlib.Path(os.environ.get("PCILAB_GUEST_DIR") or CACHE + "/pcilab/guest")


def servers():
    """One that sends and, on the next port, one that reads."""
    while True:
        first = socket.create_server(("127.0.0.1", 0))
        try:
            return first, socket.create_server(("127.0.0.1", first.getsockname()[1] + 1))
        except OSError:
            first.close()


def serve(server, send, times):
    peer, _ = server.accept()
    start = time.monotonic()
    if send:
        peer.sendall(bytes(BYTES))
        peer.shutdown(socket.SHUT_WR)
    while peer.recv(1 << 16):
        pass
    times.append(time.monotonic() - start)
    peer.close()


def pcilab(card, port, base):
    config = os.path.join(base, "net.ini")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"[root-port rp0]\n[{card} eth0]\nat=rp0\n")
    return [PCILAB, "boot", config, "--append", f"quiet pcilab.run=test:net-bench "
            f"pcilab.port={port}"]


def qemu(card, port, _base):
    return ["qemu-system-x86_64", "-M", "q35", "-accel", "tcg", "-m", "512", "-nographic",
            "-no-reboot", "-nic", "none", "-kernel", str(GUEST / "vmlinuz"),
            "-initrd", str(GUEST / "initramfs.img"), "-netdev", "user,id=n",
            "-device", f"{card},netdev=n", "-append",
            f"console=ttyS0 quiet pcilab.run=test:net-bench pcilab.port={port}"]


def qemu_cards():
    if not shutil.which("qemu-system-x86_64"):
        print("qemu-system-x86_64 is not installed: pcilab alone")
        return []
    have = subprocess.run(["qemu-system-x86_64", "-device", "help"], capture_output=True,
                          text=True, check=False).stdout
    return [card for card in ("igb", "virtio-net-pci") if f'"{card}"' in have]


def measure(command, card):
    sender, reader = servers()
    down, up = [], []
    threads = [threading.Thread(target=serve, args=(sender, True, down), daemon=True),
               threading.Thread(target=serve, args=(reader, False, up), daemon=True)]
    for thread in threads:
        thread.start()
    with tempfile.TemporaryDirectory() as base:
        subprocess.run(command(card, sender.getsockname()[1], base), stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600,
                       check=False)
    return [BYTES / 1e6 / times[0] if times else 0 for times in (down, up)]


def main():
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    runs = [(pcilab, "igb"), (pcilab, "virtio-net")] + [(qemu, card) for card in qemu_cards()]
    print(f"{'':24}{'to the guest':>16}{'from the guest':>16}   MB/s, best of {repeats}")
    for command, card in runs:
        best = [max(both) for both in zip(*(measure(command, card) for _ in range(repeats)))]
        print(f"{command.__name__ + ' ' + card:24}{best[0]:16.1f}{best[1]:16.1f}")


main()
