#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices come and go; the stock pciehp and nvme drivers are the judges.

A hand acts at virtual times (--at); a script on the console looks in between, and says what it
sees in lines "SAW name value".
"""
import re
import harness

# What is done when, in seconds of virtual time.
HANDS = ("10s:unplug:nvme0", "14s:plug:nvme0", "18s:press:nvme1", "26s:press:nvme1",
         "34s:plug:nvme2", "35s:press:sw0.0", "52s:open:nvme1", "54s:close:nvme1",
         "55s:press nvme1", "64s:power-fault:nvme1")

SCRIPT = r"""
until_s() { while [ "$(cut -d. -f1 /proc/uptime)" -lt "$1" ]; do usleep 50000; done; }
there() { [ -e "/sys/bus/pci/devices/0000:$1" ] && echo yes || echo no; }
saw() { echo "S""AW $*"; }
slot() { cat "/sys/bus/pci/slots/$1/$2"; }
dd_read() { dd if=/dev/$1 of=/dev/null bs=64k count=$2 iflag=direct 2>/dev/null; }
reads() { dd_read $1 16 && echo yes || echo no; }
disk() { ls /sys/bus/pci/devices/0000:$1/nvme/*/ | grep -E '^nvme[0-9]+(c[0-9]+)?n1$' | head -n 1; }
dmesg -n 1
until_s 6
saw start $(there 01:00.0) $(there 02:00.0) $(there 05:00.0)
saw start-slots $(slot 1 adapter) $(slot 2 power) $(slot 4 power) $(slot 4 latch)
d=$(disk 01:00.0)
(while dd_read $d 64; do :; done; saw io ended) &
until_s 12; saw pulled $(there 01:00.0) $(there 02:00.0) $(slot 1 adapter)
until_s 16; saw again $(there 01:00.0) $(reads $(disk 01:00.0)) $(slot 1 adapter)
until_s 20; saw blinking $(there 02:00.0)
until_s 24; saw button-off $(there 02:00.0) $(slot 2 power) $(slot 2 adapter)
until_s 32; saw button-on $(there 02:00.0) $(reads $(disk 02:00.0)) $(slot 2 power)
until_s 42; saw late $(there 05:00.0) $(reads $(disk 05:00.0)) $(slot 4 power)
echo 0 >/sys/bus/pci/slots/4/power; saw sysfs-off $(there 05:00.0) $(slot 4 power)
echo 1 >/sys/bus/pci/slots/4/power; until_s 46; saw sysfs-on $(there 05:00.0) $(slot 4 power)
setpci -s 00:02.0 CAP_EXP+10.w=20:20; usleep 100000
saw retrain $(there 02:00.0) $(cat /sys/bus/pci/devices/0000:02:00.0/current_link_width)
setpci -s 00:02.0 CAP_EXP+30.w=2:f; setpci -s 00:02.0 CAP_EXP+10.w=20:20; usleep 100000
saw slower $(cat /sys/bus/pci/devices/0000:02:00.0/current_link_speed)
until_s 53; saw latch-open $(slot 2 latch) $(there 02:00.0)
until_s 62; saw latch-closed $(slot 2 latch) $(there 02:00.0) $(reads $(disk 02:00.0))
saw log $(dmesg | grep -cE 'WARNING:|BUG:|Timeout on hotplug|Power fault|unexpected')
until_s 70; saw fault $(dmesg | grep -c 'Slot(2): Power fault')
saw fault-over $(there 02:00.0) $(reads $(disk 02:00.0)) $(slot 2 power)
exit
"""

WANT = {
    "start": "yes yes no",
    "start-slots": "1 1 0 0",
    "pulled": "no yes 0",
    "io": "ended",
    "again": "yes yes 1",
    "blinking": "yes",
    "button-off": "no 0 1",
    "button-on": "yes yes 1",
    "late": "yes yes 1",
    "sysfs-off": "no 0",
    "sysfs-on": "yes 1",
    "retrain": "yes 4",
    "slower": "5.0 GT/s PCIe",
    "latch-open": "1 no",
    "latch-closed": "0 yes yes",
    "log": "0",
    "fault": "1",
    "fault-over": "yes yes 1",
}


def main():
    harness.need_guest()
    tap = harness.Tap()
    options = [word for hand in HANDS for word in ("--at", hand)]
    run = harness.boot("hotplug.ini", *options, append="quiet", stdin=SCRIPT.encode())
    saw = dict(re.findall(r"^SAW (\S+) (.*)$", run.console, re.M))
    for name, want in WANT.items():
        tap.check(saw.get(name) == want, f"{name}: {want}", f"saw {saw.get(name)}", run)
    tap.check(run.status == 0, "powered off: exit status 0", run)
    for name, why in (("6s:press:nvme9", "no port"), ("6s:open:nvme0", "no latch")):
        bad = harness.boot("hotplug.ini", "--at", name)
        tap.check(bad.status == 2 and why in bad.err, f"{name} is refused", bad)
    tap.done()


main()
