#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Power states of links under pcie_aspm.policy=powersupersave, latency tolerance, what lspci says.
. /pcilab/lib.sh
pci=/sys/bus/pci/devices
find_id() { grep -l "^$1" $pci/*/device | sed 's|/device$||; s|.*/||' | head -n 1; }
all_on() { # DEVICE: every state of its link is on
    for state in l0s_aspm l1_aspm l1_1_aspm l1_2_aspm l1_1_pcipm l1_2_pcipm; do
        [ "$(cat "$pci/$1/link/$state")" = 1 ] || { echo "$state of $1 is off"; return 1; }
    done
}
has() { lspci -vvv -s "$1" | grep -q "$2" || { lspci -vvv -s "$1"; return 1; }; }

disk=$(wait_for_nvme)
check 'an NVMe disk appears' test -n "$disk"
nvme=$(readlink -f "/sys/block/$disk/device/device")
port=${nvme%/*}
nvme=${nvme##*/}
port=${port##*/}
check 'its link may use every state' all_on "$nvme"
check 'write, read and verify 1 MiB' disk_verify "/dev/$disk" 1
check 'ASPM is on at both ends' has "$nvme" 'LnkCtl:.*ASPM L0s L1 Enabled'
check 'the port too' has "$port" 'LnkCtl:.*ASPM L0s L1 Enabled'
check 'L1.2 by latency tolerance' has "$port" 'PCI-PM_L1.2+ PCI-PM_L1.1+ ASPM_L1.2+ ASPM_L1.1+$'
check 'LTR is on' has "$nvme" 'DevCtl2:.* LTR+'
for name in 'Secondary PCI Express' 'Data Link Feature' 'Physical Layer 16.0 GT/s' \
    'L1 PM Substates'; do
    check "a port has $name" has "$port" "$name"
done
check 'the ends exchanged data link features' \
    test "$(setpci -s "$port" ECAP25+8.l)" = 80000001

# The exerciser has no driver: its link by hand.
ex=$(find_id 0x00ee)
echo 1 >"$pci/$ex/enable"
for state in l1_aspm l1_1_aspm l1_2_aspm; do echo 1 >"$pci/$ex/link/$state"; done
regs=$(awk 'NR == 1 { print $1 }' "$pci/$ex/resource")
peek() { busybox devmem $((regs + $1)) 32; }
poke() { busybox devmem $((regs + $1)) 32 "$2"; }
check 'the exerciser answers out of L1.2' test "$(peek 0)" = 0x58454C50
usleep 5000
check 'and again' test "$(peek 0)" = 0x58454C50
echo '-- tolerates 1 us'
poke 0x78 0x8801
usleep 5000
check 'and out of L1.1' test "$(peek 0)" = 0x58454C50
usleep 5000
# Precision Time Measurement all the way up; no stock driver here asks for it.
for dev in $(readlink -f "$pci/$ex" | tr / '\n' | grep '^0000:..:..\..$'); do
    setpci -s "$dev" ECAP1f+8.l=3:3 2>/dev/null || echo "$dev has no PTM"
done
check 'lspci: PTM is on' has "$ex" 'PTMControl: Enabled:+ RootSelected:-'
check 'the time is not known yet' test "$(peek 0xe8)" = 0x00000000
for _ in 1 2 3 4; do poke 0x7c 1; usleep 1000; done
check 'four dialogs' test "$(peek 0xf0)" = 0x00000004
check 'the time is known' test "$(peek 0xe8)" != 0x00000000
# Without ASPM, but asleep itself.
for state in l1_aspm l0s_aspm; do echo 0 >"$pci/$ex/link/$state"; done
setpci -s "$ex" CAP_PM+4.b=3
usleep 5000
check 'a function in D3hot answers out of L1' test "$(setpci -s "$ex" CAP_PM+4.b)" = 0b
setpci -s "$ex" CAP_PM+4.b=0
usleep 20000
check 'and wakes' test "$(peek 0)" = 0x58454C50
check_none 'no errors' "$(dmesg | grep -iE 'AER: .*error|BUG:|WARNING:|timed out')"
tap_done
