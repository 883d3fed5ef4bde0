#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest's IOMMU groups against what Access Control Services make of many topologies.

One machine holds them all, each below a root port (or integrated) of its own. What the groups have
to be is derived here from the topologies alone, in two ways:

1. expected_groups(): Linux's rules. PCIe Base 6.0, 6.12.1.1: ports that face down control peer
   requests by ACS; 6.12.1.2: so do functions of a multi-function device; 6.12.1.3: nobody else can
   have peers. drivers/pci/pci.c, pci_acs_enabled() and drivers/iommu/iommu.c, pci_device_group()
   ask for Source Validation, Request and Completion Redirect and Upstream Forwarding, which
   pci_enable_acs() has turned on wherever there is the capability.
2. reachable(): table 6-10 of 6.12.1.1 itself: which function's request can arrive at which other
   function without having passed the root complex, where the IOMMU is.

Linux 6.12 is finer than 2. allows in one case: it never looks at the other ports of a switch that
have device numbers of their own, so functions below two of them that reach each other directly
stand in two groups. ACROSS names the topologies where that happens.
"""
import collections
import os
import re
import shutil
import subprocess
import tempfile
import harness

VFS = 3


class Node:
    """A function, or a port with what is on the bus below it."""

    def __init__(self, path, kind, slot, acs, above, multi=False):
        self.path, self.kind, self.slot, self.acs, self.above = path, kind, slot, acs, above
        self.multi = multi
        self.below = []
        if above:
            above.below.append(self)

    def controls_peers(self):
        """Its requests go the way that ACS says: effectively SV, RR, CR and UF."""
        if self.kind in ("root port", "downstream port"):
            return self.acs          # 6.12.1.1
        if self.kind == "host bridge":
            return False             # without a PCI Express capability: never
        if self.kind == "vf":
            return True              # Linux: a VF is no function of a multi-function device
        return self.acs or not self.multi  # 6.12.1.2, 6.12.1.3

    def is_function(self):
        return self.kind in ("endpoint", "integrated", "vf")


class Machine:
    """Writes the topology file and remembers what is where."""

    def __init__(self):
        self.text = ["[machine]", "memory=512M", "[iommu iommu0]"]
        self.nodes = [Node("00.0", "host bridge", "00", False, None)]
        self.ports = 0
        self.device = 1

    def group(self, name, **keys):
        self.text.append(f"[{name}]")
        self.text += [f"{k}={v}" for k, v in keys.items()]

    def add(self, *args, **kw):
        self.nodes.append(Node(*args, **kw))
        return self.nodes[-1]

    def root_port(self, acs=True, function=0, several=False, ari=True):
        """On the next device of the root bus, or of the last one when `function` is not 0."""
        if function:
            self.device -= 1
        self.ports += 1
        name = f"rp{self.ports}"
        self.group(f"root-port {name}", device=self.device, function=function, slot="none",
                   acs="yes" if acs else "no", ari="yes" if ari else "no")
        slot = f"{self.device:02x}"
        node = self.add(f"{slot}.{function}", "root port", slot, acs, None, multi=several)
        self.device += 1
        return name, node

    def switch(self, at, ports):
        """`ports` says of each whether it has ACS; returns the downstream ports."""
        name, above = at
        self.ports += 1
        name_here = f"sw{self.ports}"
        self.group(f"switch {name_here}", at=name, downstream=len(ports))
        upper = self.add(f"{above.path}/00.0", "upstream port", "00", False, above)
        down = []
        for i, acs in enumerate(ports):
            slot = f"{i:02x}"
            if not acs:
                self.group(f"switch-port {name_here}.{i}", acs="no")
            down.append((f"{name_here}.{i}",
                         self.add(f"{upper.path}/{slot}.0", "downstream port", slot, acs, upper)))
        return down

    def device_at(self, at, functions=1, acs=True, vfs=0):
        name, above = at
        self.ports += 1
        self.group(f"exerciser ex{self.ports}", at=name, functions=functions, vfs=vfs, io="no",
                   msi=0, msix=1, memory="4K", acs="yes" if acs else "no")
        for f in range(functions):
            path = f"{above.path}/00.{f}"
            self.add(path, "endpoint", "00", acs and functions > 1, above, multi=functions > 1)
            for v in range(VFS if vfs else 0):
                self.add(f"{path}/vf{v}", "vf", None, False, above)

    def integrated(self, functions):
        self.ports += 1
        self.group(f"exerciser ex{self.ports}", at="hb0", device=self.device, functions=functions,
                   io="no", msi=0, msix=1, memory="4K")
        slot = f"{self.device:02x}"
        for f in range(functions):
            self.add(f"{slot}.{f}", "integrated", slot, False, None, multi=functions > 1)
        self.device += 1


ACROSS = [
    "a switch without ACS",
    "a switch where one port of three has no ACS",
    "two switches, the lower one without ACS",
    "two switches, the upper one without ACS",
    "Virtual Functions below a switch without ACS",
]


def build():
    """The machine, and its topologies: name and which nodes are its own."""
    m = Machine()
    topologies = []

    def topology(name, make):
        first = len(m.nodes)
        make()
        topologies.append((name, m.nodes[first:]))

    def devices(ports, **kw):
        for port in ports:
            m.device_at(port, **kw)

    def several_ports(*acs):
        for i, a in enumerate(acs):
            m.device_at(m.root_port(a, i, True))

    def two_switches(upper, lower):
        down = m.switch(m.root_port(), [upper, upper])
        devices(m.switch(down[0], [lower, lower]))
        m.device_at(down[1])

    topology("a function", lambda: m.device_at(m.root_port()))
    topology("a root port without ACS", lambda: m.device_at(m.root_port(False)))
    topology("four functions with ACS", lambda: m.device_at(m.root_port(), 4))
    topology("four functions without", lambda: m.device_at(m.root_port(), 4, False))
    topology("four with, below a root port without", lambda: m.device_at(m.root_port(False), 4))
    topology("four without, no ARI", lambda: m.device_at(m.root_port(ari=False), 4, False))
    topology("a switch", lambda: devices(m.switch(m.root_port(), [True] * 3)))
    topology("a switch without ACS", lambda: devices(m.switch(m.root_port(), [False] * 3)))
    topology("a switch below a root port without",
             lambda: devices(m.switch(m.root_port(False), [True] * 2)))
    topology("a switch where one port of three has no ACS",
             lambda: devices(m.switch(m.root_port(), [True, False, True])))
    topology("two switches", lambda: two_switches(True, True))
    topology("two switches, the lower one without ACS", lambda: two_switches(True, False))
    topology("two switches, the upper one without ACS", lambda: two_switches(False, True))
    topology("functions without ACS below a switch",
             lambda: devices(m.switch(m.root_port(), [True] * 2), functions=2, acs=False))
    topology("two root ports in a device", lambda: several_ports(True, True))
    topology("two root ports in a device, without ACS", lambda: several_ports(False, False))
    topology("three root ports in a device, one with ACS",
             lambda: several_ports(False, True, False))
    topology("Virtual Functions", lambda: m.device_at(m.root_port(), 1, True, 4))
    topology("Virtual Functions of two functions without ACS",
             lambda: m.device_at(m.root_port(), 2, False, 4))
    topology("Virtual Functions, no ARI", lambda: m.device_at(m.root_port(ari=False), 1, True, 4))
    topology("Virtual Functions below a switch without ACS",
             lambda: devices(m.switch(m.root_port(), [False] * 2), vfs=4))
    topology("an integrated endpoint", lambda: m.integrated(1))
    topology("an integrated endpoint with three functions", lambda: m.integrated(3))
    return m, topologies


def union(nodes, edges):
    """Connected components, as a set of frozensets of paths."""
    root = {n.path: n.path for n in nodes}

    def find(p):
        while root[p] != p:
            p = root[p]
        return p

    for a, b in edges:
        root[find(a.path)] = find(b.path)
    groups = {}
    for p in root:
        groups.setdefault(find(p), set()).add(p)
    return {frozenset(g) for g in groups.values()}


def isolated_way_up(port):
    """All from here to the root bus control their peers."""
    while port:
        if not port.controls_peers():
            return False
        port = port.above
    return True


def expected_groups(nodes):
    edges = []
    for n in nodes:
        if n.above and not isolated_way_up(n.above):
            edges.append((n, n.above))  # it may meet others before the IOMMU
        for other in nodes:             # functions of one device that may meet inside
            if n.slot == other.slot and n.above is other.above and n.multi and other.multi and \
                    not n.controls_peers() and not other.controls_peers():
                edges.append((n, other))
    return union(nodes, edges)


def reaches(source, target):
    """Table 6-10: may a request of the one arrive at the other without seeing the root complex?"""
    if source.above is target.above and source.slot == target.slot:
        return source.multi and target.multi and not source.controls_peers()
    port = source.above
    while port and port.kind == "downstream port":
        switch = port.above
        if is_below(target, switch) and not is_below(target, port):
            return not port.acs  # no Request Redirect: across; with it up, beyond this switch
        port = switch.above
    return False


def is_below(node, port):
    while node and node is not port:
        node = node.above
    return node is port


def guest_groups(console):
    groups = {}
    for number, path in re.findall(r"^group (\d*) (\S+)$", console, re.M):
        groups.setdefault(number or path, set()).add(path)
    return groups


def judge_picture(tap, picture, seen):
    """`pcilab topo --svg` has the same numbers, each as often; Virtual Functions are not in it."""
    drawn = collections.Counter(re.findall(r">group (\d+)</text>", picture.stdout))
    want = {n: sum("/vf" not in path for path in paths) for n, paths in seen.items()}
    tap.check(drawn == {n: count for n, count in want.items() if count},
              f"the picture has the kernel's {len(drawn)} groups", want, drawn, picture.stderr)


def judge(tap, name, nodes, seen):
    paths = {n.path for n in nodes}
    got = {frozenset(g) for g in seen.values() if g & paths}
    want = expected_groups(nodes)
    tap.check(got == want, f"{name}: {len(want)} groups of {len(nodes)} functions",
              f"expected {sorted(map(sorted, want))}", f"the guest has {sorted(map(sorted, got))}")
    apart = [(a, b) for a in nodes for b in nodes
             if a is not b and a.is_function() and b.is_function() and reaches(a, b)
             and not any({a.path, b.path} <= g for g in got)]
    if name in ACROSS:
        tap.check(apart and all(a.above is not b.above for a, b in apart),
                  f"{name}: Linux separates what meets in the switch")
    else:
        tap.check(not apart, f"{name}: who is reached without the IOMMU is in the group",
                  [(a.path, b.path) for a, b in apart])


def main():
    machine, topologies = build()
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "groups.ini")
        with open(path, "w", encoding="utf-8") as out:
            out.write("\n".join(machine.text) + "\n")
        picture = subprocess.run([harness.PCILAB, "topo", path, "--svg"],
                                 capture_output=True, text=True)
        run = harness.boot(path, append=f"quiet groups.vfs={VFS} pcilab.run=test:groups")
    tap.relay(run, "groups")
    tap.check(run.status == 0, "powered off: exit status 0", run)
    seen = guest_groups(run.console)
    found = set().union(*seen.values()) if seen else set()
    known = {n.path for n in machine.nodes}
    tap.check(found == known, "the guest has found every function, and no other",
              f"missing {sorted(known - found)}, unexpected {sorted(found - known)}")
    names = {name for name, _ in topologies}
    tap.check(len(names) >= 12 and names >= set(ACROSS), f"{len(names)} topologies")
    if shutil.which("dot"):
        judge_picture(tap, picture, seen)
    for name, nodes in topologies:
        judge(tap, name, nodes, seen)
    tap.done()


main()
