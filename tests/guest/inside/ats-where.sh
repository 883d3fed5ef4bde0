#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# For whom the stock kernel switches Address Translation Services, PASIDs and Page Requests on: on
# the kernel command line ats.expect=FUNCTION:ATS:PASID:PRI,... with + or - (. for a function
# without the capability). Before Linux 7 nobody gets Page Requests without asking for I/O page
# faults. An NVMe controller and its Virtual Function move data whatever comes of it.
. /pcilab/lib.sh
. /pcilab/demo_vf.sh
enabled() { lspci -vvv -s "$1" | sed -n "s/.*$2:[[:space:]]*Enable\([+-]\).*/\1/p"; }
is() { [ "$1" = "${2:-.}" ] || ! echo "it is ${2:-absent}"; }

disk=$(wait_for_nvme)
check 'an NVMe disk' disk_verify "/dev/$disk" 4
check 'and one of its Virtual Function' nvme_vf "$disk"
for one in $(tr ' ' '\n' </proc/cmdline | sed -n 's/^ats\.expect=//p' | tr , ' '); do
    pages=${one##*:}
    one=${one%:*}
    pasid=${one##*:}
    one=${one%:*}
    ats=${one##*:}
    bdf=${one%:*}
    check "$bdf: ATS $ats" is "$ats" "$(enabled "$bdf" ATSCtl)"
    check "$bdf: PASID $pasid" is "$pasid" "$(enabled "$bdf" PASIDCtl)"
    [ "$(uname -r | cut -d. -f1)" -ge 7 ] || pages=$(echo "$pages" | tr + -)
    check "$bdf: Page Requests $pages" is "$pages" "$(enabled "$bdf" PRICtl)"
done
check_none 'no fault' "$(dmesg | grep 'DMAR: \[\|handling fault\|ITE\|ICE')"
tap_done
