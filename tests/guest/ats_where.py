#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets Address Translation Services and PASIDs of the stock kernel, and who does not
(inside/ats-where.sh): each precondition of docs/ats.md is missing for one function."""
import os
import pathlib
import subprocess
import tempfile
import harness

CONFIG = """
[machine]
memory=512M
[iommu iommu0]
{unit}
[root-port rp0]
[root-port rp1]
prefixes=no
[root-port rp2]
acs=no
[root-port rp3]
[root-port rp4]
[exerciser ex0]
at=rp0
[exerciser ex1]
at=rp1
[exerciser ex2]
at=rp2
[exerciser ex3]
at=rp3
[nvme nvme0]
at=rp4
size=64M
namespaces=1
namespace-size=32M
vfs=1
ats=yes
[exerciser ex5]
at=hb0
device=16
[root-port rp5]
device=6
[root-port rp6]
[root-port rp7]
[root-port rp8]
[exerciser ex6]
at=rp5
[exerciser ex7]
at=rp6
ats-lacks=page-aligned
[exerciser ex8]
at=rp7
ats-lacks=response-pasid
[exerciser ex9]
at=rp8
ats=no
[exerciser ex10]
at=hb0
device=17
"""
# Whoever is plugged in behind rp5 is not to be trusted (Linux 6.12, drivers/pci/pci-acpi.c).
EXTERNAL = """
DefinitionBlock ("", "SSDT", 2, "PCILAB", "EXTERNAL", 1)
{
    External (\\_SB.PCI0, DeviceObj)
    Scope (\\_SB.PCI0)
    {
        Device (EXTP)
        {
            Name (_ADR, 0x00060000)
            Name (_DSD, Package ()
            {
                ToUUID ("efcc06cc-73ac-4bc3-bff0-76143807c389"),
                Package () { Package () { "ExternalFacingPort", 1 }, Package () { "UID", 0 } }
            })
        }
    }
}
"""
# Function, ATS, PASID, Page Requests (of kernels that enable them by themselves: since 7). A path
# without prefixes, or without ACS, takes PASIDs away; what no ATSR lists has no ATS, nor has what
# is not to be trusted, or does not say that its requests are page aligned; integrated functions
# need no list; a Virtual Function has its own ATS. Page Requests go with ATS, and, where there are
# PASIDs, with responses that have them.
SCALABLE = ("01:00.0:+:+:+,02:00.0:+:-:+,03:00.0:+:-:+,04:00.0:-:+:-,05:00.0:+:.:.,05:00.1:+:.:.,"
            "06:00.0:-:+:-,07:00.0:-:+:-,08:00.0:+:+:-,09:00.0:.:.:.,00:10.0:+:+:+,00:11.0:+:+:+")
# What cannot do without ATS has it in legacy mode without being asked.
LEGACY = ("01:00.0:+:-:-,04:00.0:-:-:-,05:00.0:+:.:.,05:00.1:+:.:.,06:00.0:-:-:-,07:00.0:-:-:-,"
          "00:10.0:+:-:-,00:11.0:-:-:-")
NOTHING = "01:00.0:-:+:-,04:00.0:-:+:-,05:00.0:-:.:.,05:00.1:-:.:.,00:10.0:-:+:-,00:11.0:-:+:-"
NO_PAGES = "01:00.0:+:+:-,02:00.0:+:-:-,08:00.0:+:+:-,00:10.0:+:+:-,00:11.0:+:+:-"
PORTS = "ats-ports=rp0 rp1 rp2 rp4 rp5 rp6 rp7\nats-integrated=ex10\nats-required=yes"
RUNS = [("all", PORTS, "", SCALABLE), ("legacy mode", PORTS, "intel_iommu=sm_off ", LEGACY),
        ("a unit without device TLBs", PORTS + "\ndevice-tlb=no", "", NOTHING),
        ("a unit without Page Requests", PORTS + "\npage-requests=no", "", NO_PAGES)]


def build_initrd(folder):
    """The guest's, behind a table that the kernel adds to the firmware's (Linux 6.12,
    Documentation/admin-guide/acpi/initrd_table_override.rst)."""
    place = pathlib.Path(folder) / "kernel/firmware/acpi"
    place.mkdir(parents=True)
    source = pathlib.Path(folder) / "external.asl"
    source.write_text(EXTERNAL, encoding="ascii")
    subprocess.run(["iasl", "-p", str(place / "external"), str(source)], check=True,
                   stdout=subprocess.DEVNULL)
    names = b"kernel\nkernel/firmware\nkernel/firmware/acpi\nkernel/firmware/acpi/external.aml\n"
    archive = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=folder, input=names,
                             check=True, stdout=subprocess.PIPE).stdout
    path = pathlib.Path(folder) / "initrd"
    path.write_bytes(archive + (harness.guest_dir() / "initramfs.img").read_bytes())
    return path


def start(folder, initrd, name, unit, option, expect):
    path = os.path.join(folder, name.replace(" ", "-") + ".ini")
    with open(path, "w", encoding="ascii") as file:
        file.write(CONFIG.format(unit=unit))
    return harness.Boot(path, "--quiet", "--initrd", str(initrd),
                        append=f"quiet {option}ats.expect={expect} pcilab.run=test:ats-where")


def main():
    harness.need_guest()
    tap = harness.Tap()
    with tempfile.TemporaryDirectory() as folder:
        initrd = build_initrd(folder)
        results = []
        for two in (RUNS[:2], RUNS[2:]):
            boots = [start(folder, initrd, *run) for run in two]
            results += [boot.wait() for boot in boots]
    for run, (name, *_) in zip(results, RUNS):
        tap.relay(run, "ats-where")
        tap.check(run.status == 0, f"{name}: exit status 0", run)
    tap.done()


main()
