#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# For whom the stock kernel switches Address Translation Services and PASIDs on: on the kernel
# command line ats.expect=FUNCTION:ATS:PASID,... with + or - (. for a function without the
# capability). An NVMe controller and its Virtual Function move data whatever comes of it.
. /pcilab/lib.sh
. /pcilab/demo_vf.sh
enabled() { lspci -vvv -s "$1" | sed -n "s/.*$2:[[:space:]]*Enable\([+-]\).*/\1/p"; }
is() { [ "$1" = "${2:-.}" ] || ! echo "it is ${2:-absent}"; }

disk=$(wait_for_nvme)
check 'an NVMe disk' disk_verify "/dev/$disk" 4
check 'and one of its Virtual Function' nvme_vf "$disk"
for one in $(tr ' ' '\n' </proc/cmdline | sed -n 's/^ats\.expect=//p' | tr , ' '); do
    pasid=${one##*:}
    one=${one%:*}
    ats=${one##*:}
    bdf=${one%:*}
    check "$bdf: ATS $ats" is "$ats" "$(enabled "$bdf" ATSCtl)"
    check "$bdf: PASID $pasid" is "$pasid" "$(enabled "$bdf" PASIDCtl)"
done
check_none 'no fault' "$(dmesg | grep 'DMAR: \[\|handling fault\|ITE\|ICE')"
tap_done
