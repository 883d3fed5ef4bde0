#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket of a boot: looking, standing, stepping, acting, with the examples of
docs/control.md; recorded, and the same again. Clients that misbehave change nothing."""
import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time
import harness

TIMEOUT_S = 120
# A link goes down, and the NMI button is pressed, which a kernel may count as an oops.
ALLOW = ("--allow-splat", "aer", "--allow-splat", "oops")


def examples():
    """The programs in docs/control.md, by their language."""
    text = (harness.ROOT / "docs/control.md").read_text(encoding="utf-8")
    return dict(re.findall(r"<!-- run: (\w+) -->\n```\w+\n(.*?)```", text, re.S))


class Run:
    """A boot with a socket; calls by `pcilab ctl`."""

    def __init__(self, path, config, *options, append="quiet"):
        self.path = path
        self.boot = harness.Boot(config, "--control", path, "--digest", *options, append=append)
        self.until(lambda: os.path.exists(path))

    def until(self, good):
        end = time.monotonic() + TIMEOUT_S
        while not good() and time.monotonic() < end and self.boot.process.poll() is None:
            time.sleep(0.05)

    def ctl(self, *words):
        done = subprocess.run([harness.PCILAB, "ctl", self.path, *words], capture_output=True,
                              timeout=TIMEOUT_S, check=False)
        return harness.Result(["pcilab", "ctl", *words], done.returncode, done.stdout, done.stderr)

    def json(self, *words):
        result = self.ctl("--json", *words)
        if result.status != 0:
            self.boot.process.kill()
            raise RuntimeError(result.tail() + self.boot.wait().tail())
        return json.loads(result.console)

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.connect(self.path)
        return client


def stand_and_look(tap, run):
    tap.check(run.json("pause")["state"] == "stands", "it stands")
    time.sleep(0.3)
    one, two = run.json("status"), run.json("status")
    tap.check(one == two and one["state"] == "stands", "and no time goes by", one, two)
    before = run.json("now")
    after = run.json("step", "1ms")
    tap.check(0 <= after["time-ps"] - before - 10**9 < 10**8 and after["state"] == "stands",
              "a step of 1 ms", before, after)
    value = run.ctl("reg", "rp0", "vendor_id")
    rows = run.ctl("registers", "rp0")
    tap.check(value.status == 0 and int(value.console) > 0 and
              f"vendor_id{' ' * 33}{int(value.console):04x}" in rows.console,
              "a register alone and among all", value, rows)
    cfg = run.json("cfg_read", "rp0", "vendor_id")
    tap.check(cfg == [int(value.console), "SC"], "the same by a TLP, though it stands", cfg)
    tap.check(run.json("status")["state"] == "stands", "which it does again")
    links = run.ctl("inspect", "links")
    tap.check(re.search(r"^ *nvme0 +rp0 ", links.console, re.M), "pcilab inspect's text", links)
    tap.check(len(run.json("inspect", "links")["links"]) == 4, "and JSON")
    for words, why in ((("lnk",), "did you mean"), (("reg", "rp9", "x"), "there is no function"),
                       (("inspect", "x"), "there is iommu"), (("step", "x"), "a time is needed"),
                       (("guest", "true"), "takes no commands"),
                       (("lua", "x = = 1"), "lua:1:"),
                       (("step_tlp", "rp0", "x"), "no kind of TLP")):
        bad = run.ctl(*words)
        tap.check(bad.status == 1 and why in bad.err and bad.err.count("\n") == 1,
                  f"refused: {' '.join(words)}", bad)


def misbehave(run):
    """What clients should not do; they stay as long as the list that is returned."""
    clients = []
    for bytes_ in (b"garbage\n", b"{\"half", b"x" * 200000, b"\0\xff\n[[[[\n", b""):
        client = run.connect()
        try:
            client.sendall(bytes_)
        except OSError:
            pass
        clients.append(client)
    deaf = run.connect()
    deaf.setblocking(False)
    try:
        while True:
            deaf.sendall(b'{"jsonrpc":"2.0","id":1,"method":"help"}\n' * 100)
    except OSError:
        clients.append(deaf)
    for _ in range(1000):
        try:
            client = run.connect()
            client.sendall(b'{"jsonrpc":"2.0","id":1,"method":"status"}\n{"json')
            client.close()
        except OSError:
            pass
    return clients


def act(tap, folder, run):
    environment = dict(os.environ, SOCKET=run.path, PCILAB=harness.PCILAB)
    run.ctl("resume")
    run.until(lambda: "# " in run.ctl("console").console)
    run.ctl("pause")
    run.ctl("type", "dd if=/dev/nvme0n1 of=/dev/null bs=64k count=8 iflag=direct\n")
    tlp = run.json("step_tlp", "nvme0", "MWr", "20s")
    tap.check(tlp["state"] == "stands" and tlp.get("tlp", "").startswith("MWr"),
              "a step to the next write of nvme0", tlp)
    out = subprocess.run([sys.executable, "-c", examples()["python"]], capture_output=True,
                         env=environment, timeout=TIMEOUT_S, check=False)
    out = harness.Result(["python"], out.returncode, out.stdout, out.stderr)
    tap.check(out.status == 0 and re.search(r"a step of 1\.0\d* ms", out.console) and
              re.search(r"nvme0 \w\w:00.0 True", out.console) and "SC" in out.console,
              "the example in Python", out)
    script = os.path.join(folder, "example.sh")
    with open(script, "w", encoding="utf-8") as file:
        file.write(examples()["sh"])
    out = subprocess.run(["sh", script], capture_output=True, env=environment, timeout=TIMEOUT_S,
                         check=False)
    out = harness.Result(["sh"], out.returncode, out.stdout, out.stderr)
    tap.check(out.status == 0 and "the link is back" in out.console and '"up" : false' in
              out.console, "the example for a shell", out)
    run.ctl("link", "nvme0", "down")
    tap.check(not run.json("link", "nvme0", "status")["up"], "link down")
    run.ctl("link", "nvme0", "up")
    up = run.ctl("lua", 'link("nvme0"):wait_up(s(20))')
    tap.check(up.status == 0 and run.json("link", "nvme0", "status")["up"], "link up", up)
    run.ctl("hand", "plug", "nvme2")
    run.ctl("wait", "1s")
    tap.check(run.json("link", "nvme2", "status")["present"], "a device is plugged in")
    rule = run.json("inject", "at=nvme0", "kind=MWr", "action=delay", "delay=1us", "count=5")
    tap.check(rule == {"rule": 1} and run.ctl("rule", "remove", "1").status == 0, "a rule", rule)
    events = subprocess.Popen([harness.PCILAB, "ctl", run.path, "events", "state"],
                              stdout=subprocess.PIPE)
    run.until(lambda: bool(run.ctl("nmi")) and bool(select_line(events)))
    tap.check(b"NMI button" in events.first, "an event", events.first)
    run.ctl("type", "echo the end of it\n")
    run.until(lambda: "\nthe end of it" in run.ctl("console").console)
    tap.check(run.ctl("shutdown").status == 0, "shutdown")
    events.stdout.close()
    events.wait(TIMEOUT_S)


def select_line(child):

    child.first = b""
    if select.select([child.stdout], [], [], 1)[0]:
        child.first = child.stdout.readline()
    return child.first


def undisturbed(tap, folder):
    """Nobody acts: the digest is that without a socket."""
    options = ["--until", "700ms"]
    alone = harness.boot("minimal.ini", "--digest", *options, append="quiet")
    run = Run(os.path.join(folder, "quiet"), "minimal.ini", *options)
    run.ctl("pause")
    clients = misbehave(run)
    component = run.json("components")[-1]
    looks = [run.ctl("inspect", "functions"), run.ctl("registers", component),
             run.ctl("subscribe", "tlp", "irq"), run.ctl("step", "3ms"),
             run.ctl("step_tlp", component, "any", "5ms"), run.ctl("console"),
             run.ctl("inspect", "links")]
    run.ctl("resume")
    result = run.boot.wait()
    tap.check(all(look.status == 0 for look in looks),
              "clients looked, among others that misbehave", *looks)
    tap.check(result.status == 0 and result.digest == alone.digest and alone.digest,
              "the digest is the one without", alone, result)
    for client in clients:
        client.close()


def commands(tap, folder):
    """A guest that takes commands."""
    run = Run(os.path.join(folder, "shell"), "minimal.ini", "--guest-commands")
    one = run.ctl("guest", "lspci | wc -l; exit 3")
    two = run.ctl("guest", "echo on stderr >&2")
    tap.check(one.status == 3 and int(one.console) > 2, "a command's output and status", one)
    tap.check(two.status == 0 and two.console == "on stderr\n", "another one", two)
    tap.check(run.ctl("shutdown").status == 0 and run.boot.wait().status == 0, "it ends")


def paths(tap, folder, run):
    plain = os.path.join(folder, "plain")
    with open(plain, "w", encoding="utf-8") as file:
        file.write("kept")
    for path, why in ((plain, "is no socket"), (run.path, "listens there already"),
                      (folder + "/no/where", "No such file")):
        bad = harness.boot("minimal.ini", "--control", path)
        tap.check(bad.status == 2 and why in bad.err, f"refused: {why}", bad)
    tap.check(os.stat(run.path).st_mode & 0o777 == 0o600, "for its owner only")


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        kept = os.path.join(folder, "kept")
        run = Run(os.path.join(folder, "lab"), "hotplug.ini", "--record", kept, *ALLOW)
        stand_and_look(tap, run)
        paths(tap, folder, run)
        clients = misbehave(run)
        act(tap, folder, run)
        one = run.boot.wait()
        for client in clients:
            client.close()
        tap.check(one.status == 0 and one.digest, "the run ended well", one)
        tap.check(not os.path.exists(run.path), "its socket is gone")
        two = harness.boot("hotplug.ini", "--digest", "--replay", kept, *ALLOW,
                           append="quiet")
        tap.check(two.status == 0 and two.digest == one.digest, "replayed: the same digest",
                  one, two)
        gone = run.ctl("status")
        tap.check(gone.status == 2 and "No such file" in gone.err, "nobody listens", gone)
        undisturbed(tap, folder)
        commands(tap, folder)
    tap.done()


main()
