#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A run with keys that come when they like and files from and to servers of this test, recorded: it
happens again without any of them. A run that was killed happens again up to there."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import harness

CONFIG = """
[root-port rp0]
[igb eth0]
at=rp0
[virtio-net net1]
"""
FILE = bytes(range(256)) * 1200
SCRIPT = b"""echo one; ip link set eth0 up; udhcpc -q -n -t 20 -i eth0 -s /bin/true </dev/null
ip addr add 10.0.2.15/24 dev eth0; nc 10.0.2.2 %d </dev/null | sha256sum; echo got it
"""


class Server:
    """Sends a file to whoever comes."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            while True:
                peer, _ = self.socket.accept()
                peer.sendall(FILE)
                peer.close()
        except OSError:
            pass


def record(command, port, kill):
    """Types, as people do, when there is something to answer; kills it instead of its end."""
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    timer = threading.Timer(harness.TIMEOUT_S, child.kill)
    timer.start()
    out, typed = b"", 0
    while piece := child.stdout.read1(65536):
        out += piece
        if typed == 0 and b"# " in out:
            typed = 1
            child.stdin.write(SCRIPT % port)
            child.stdin.flush()
        if typed == 1 and b"\ngot it" in out:
            typed = 2
            if kill:
                time.sleep(0.3)
                child.send_signal(signal.SIGKILL)
                break
            child.stdin.write(b"poweroff -f\n")
            child.stdin.flush()
    out += child.stdout.read()
    err = child.stderr.read()
    timer.cancel()
    child.stdin.close()
    return harness.Result(command, child.wait(), out, err)


def main():
    harness.need_guest()
    tap = harness.Tap()
    server = Server()
    with tempfile.TemporaryDirectory() as base:
        config, whole, cut = (os.path.join(base, name) for name in ("net.ini", "whole", "cut"))
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        command = [harness.PCILAB, "boot", config, "--digest", "--cpus", "2", "--append", "quiet"]
        one = record([*command, "--record", whole], server.port, False)
        two = record([*command, "--record", cut], server.port, True)
        server.socket.close()
        tap.check(one.status == 0 and one.digest, "recorded", one)
        tap.check("\ngot it" in one.console, "the guest got its file", one)
        tap.check(two.status == -signal.SIGKILL, "another one killed", two)

        def replay(path, *options):
            return harness.Boot(config, "--digest", "--cpus", "2", "--replay", path, *options,
                                append="quiet")

        runs = [replay(whole), replay(whole)]
        runs = [run.wait() for run in runs] + [replay(whole).wait()]
        for run in runs:
            tap.check(run.status == 0 and run.digest == one.digest, "replayed: the same digest",
                      one.digest, run)
        runs = [run.wait() for run in (replay(cut), replay(cut))]
        tap.check(all(run.status == 3 and "the recording is cut: its last mark is at" in run.err
                      for run in runs), "a killed run is replayed up to its last mark", *runs)
        tap.check(runs[0].digest and runs[0].digest == runs[1].digest, "in the same way", *runs)
        tap.check("\ngot it" in runs[0].console, "which is not far from its end", runs[0])
        early = replay(whole, "--until", "500ms").wait()
        tap.check(early.status == 0 and early.digest not in (None, one.digest),
                  "--until stops before", early)
        other = replay(whole, "--seed", "3", "--memory", "1G").wait()
        tap.check(other.status == 2 and re.search(r'another seed: recorded with "0", now "3"',
                                                  other.err) and "another memory" in other.err,
                  "another machine is refused", other)
    tap.done()


main()
