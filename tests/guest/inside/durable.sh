#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC3036
# Writes block after block until the machine is killed (tests/guest/kill.py): block N holds "N\n"
# again and again, lies in slot N modulo 64, and is told of when fsync has returned.
. /pcilab/lib.sh
disk=/dev/$(wait_for_nvme)
number=1
while :; do
    yes "$number" | head -c 4096 |
        dd of="$disk" bs=4096 seek=$((number % 64)) conv=fsync 2>/dev/null &&
        echo "DURABLE $number"
    number=$((number + 1))
done
