#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Network cards: the stock virtio_net driver, DHCP, and connections with servers of this test, in
both directions. Nothing leaves this host."""
import hashlib
import os
import random
import re
import socket
import tempfile
import threading
import time
import harness

CONFIG = """
[root-port rp0]
[virtio-net net0]
at=rp0
packed=yes
mac=52:54:00:12:34:60
forward=tcp::{inside}-:7
[virtio-net net1]
restrict=yes
"""
DOWNLOAD = random.Random(5).randbytes(3_000_000)
UPLOAD = "".join(f"{i}\n" for i in range(1, 150001)).encode()


def listen(port):
    server = socket.create_server(("127.0.0.1", port))
    server.settimeout(harness.TIMEOUT_S)
    return server


def two_ports():
    """Servers on two ports, one after the other."""
    while True:
        first = listen(0)
        try:
            return first, listen(first.getsockname()[1] + 1)
        except OSError:
            first.close()


def send(server):
    try:
        while True:  # the shut-in card must not reach it either
            peer, _ = server.accept()
            peer.sendall(DOWNLOAD)
            peer.close()
    except OSError:
        pass


def read(server, result):
    try:
        peer, _ = server.accept()
        data = b""
        while len(data) < len(UPLOAD) and (piece := peer.recv(65536)):
            data += piece
        peer.close()
        result.append(hashlib.sha256(data).hexdigest())
    except OSError:
        pass


def knock(port, result, uploads, done):
    """Until somebody in the guest says something. Not before it has sent its file: a connection to
    a guest without an address hangs, and is stale when the guest listens."""
    while not done.is_set() and not result:
        if not uploads:
            time.sleep(0.1)
            continue
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
                if word := peer.recv(100):
                    result.append(word)
        except OSError:
            pass
        time.sleep(0.3)


def main():
    harness.need_guest()
    tap = harness.Tap()
    sender, reader = two_ports()
    probe = listen(0)
    inside = probe.getsockname()[1]
    probe.close()
    uploads, words, done = [], [], threading.Event()
    threads = [threading.Thread(target=send, args=(sender,), daemon=True),
               threading.Thread(target=read, args=(reader, uploads), daemon=True),
               threading.Thread(target=knock, args=(inside, words, uploads, done), daemon=True)]
    for thread in threads:
        thread.start()
    with tempfile.TemporaryDirectory() as base:
        config = os.path.join(base, "net.ini")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(inside=inside))
        run = harness.boot(config, append="quiet pcilab.run=test:network "
                                          f"pcilab.port={sender.getsockname()[1]}")
    done.set()
    tap.relay(run, "network")
    tap.check(run.status == 0, "powered off: exit status 0", run)
    said = dict(re.findall(r"^(download|upload) ([0-9a-f]{64})$", run.console, re.M))
    tap.check(said.get("download") == hashlib.sha256(DOWNLOAD).hexdigest(),
              "what the host sent arrived", run)
    tap.check(uploads == [said.get("upload")], "what the guest sent arrived", uploads)
    tap.check(words == [b"from-the-guest\n"], "a forwarded port leads into the guest", words)
    tap.done()


main()
