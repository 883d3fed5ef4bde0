#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The 82576: the stock igb and igbvf drivers, a file from a web server of this test through the
Physical Function and through a Virtual one, the internal switch, a wire between two cards."""
import hashlib
import http.server
import os
import random
import re
import socket
import tempfile
import threading
import harness

CONFIG = """
[root-port rp0]
[igb eth0]
at=rp0
mac=52:54:00:12:34:60
[root-port rp1]
[igb left]
at=rp1
vfs=0
mac=52:54:00:12:34:61
wire=w0
[root-port rp2]
[virtio-net right]
at=rp2
mac=52:54:00:12:34:62
wire=w0
"""
FILE = random.Random(7).randbytes(1 << 20) * int(os.environ.get("PCILAB_FILE_MIB", "8"))
UPLOAD = "".join(f"{i}\n" for i in range(1, 200001)).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(FILE)))
        self.end_headers()
        self.wfile.write(FILE)

    def log_message(self, *_args):
        pass


def two_ports():
    """A web server and, on the next port, one that reads."""
    while True:
        web = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        try:
            return web, socket.create_server(("127.0.0.1", web.server_address[1] + 1))
        except OSError:
            web.server_close()


def read(server, result):
    server.settimeout(harness.TIMEOUT_S)
    try:
        peer, _ = server.accept()
        data = b""
        while len(data) < len(UPLOAD) and (piece := peer.recv(65536)):
            data += piece
        peer.close()
        result.append(hashlib.sha256(data).hexdigest())
    except OSError:
        pass


def main():
    harness.need_guest()
    tap = harness.Tap()
    web, reader = two_ports()
    uploads = []
    threading.Thread(target=web.serve_forever, daemon=True).start()
    threading.Thread(target=read, args=(reader, uploads), daemon=True).start()
    with tempfile.TemporaryDirectory() as base:
        config = os.path.join(base, "igb.ini")
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        run = harness.boot(config, append="quiet pcilab.run=test:igb "
                                          f"pcilab.port={web.server_address[1]} "
                                          f"pcilab.size={len(FILE)}")
    web.shutdown()
    tap.relay(run, "igb")
    tap.check(run.status == 0, "powered off: exit status 0", run)
    said = dict(re.findall(r"^(pf|vf|upload) ([0-9a-f]{64})$", run.console, re.M))
    right = hashlib.sha256(FILE).hexdigest()
    tap.check(said.get("pf") == right, f"{len(FILE) >> 20} MiB through the PF", run)
    tap.check(said.get("vf") == right, f"{len(FILE) >> 20} MiB through a VF", run)
    tap.check(uploads == [said.get("upload")], "what the guest sent arrived", uploads)
    tap.done()


main()
