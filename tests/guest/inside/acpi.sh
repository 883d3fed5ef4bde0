#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# With tests/guest/acpi.py: the tables as the kernel found them, in base64 on the console.
. /pcilab/lib.sh
cd /sys/firmware/acpi/tables || exit 1
for table in *; do
    [ -f "$table" ] || continue
    echo "TABLE $table"
    base64 "$table"
    echo 'END'
done
check 'there is a DSDT' test -s DSDT
check 'there is an MCFG' test -s MCFG
tap_done
