#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The stock virtio_net driver on two cards: net0 with packed rings behind a port, net1 integrated
# and shut in. pcilab.port= is a server of the host that sends 3 MB, the next one is one that reads.
. /pcilab/lib.sh

card() {
    for dir in /sys/class/net/*; do
        [ "$(cat "$dir/address")" = "$1" ] && echo "${dir##*/}"
    done
}
feature() { cut -c $((${2} + 1)) "/sys/class/net/$1/device/features"; }
address() { ip addr show "$1" | grep -c "inet 10.0.2.15/24"; }
port=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^pcilab.port=//p')
cat >/tmp/lease <<'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router"
END
chmod +x /tmp/lease
up() {
    ip link set "$1" up
    udhcpc -q -n -i "$1" -s /tmp/lease >/dev/null 2>&1
}

net0=$(card 52:54:00:12:34:60)
net1=$(card 52:54:00:12:34:56)
check 'net0 has the address that it was given' test -n "$net0"
check 'net1 has one of its own' test -n "$net1"
check 'net0: packed rings' test "$(feature "$net0" 34)" = 1
check 'net1: split rings' test "$(feature "$net1" 34)" = 0
for net in $net0 $net1; do
    check 'VERSION_1, ACCESS_PLATFORM, MTU, MAC, STATUS' test \
        "$(feature "$net" 32)$(feature "$net" 33)$(feature "$net" 3)$(feature "$net" 5)$(feature \
            "$net" 16)" = 11111
    offloads=$(for bit in 0 1 7 8 11 12 15; do feature "$net" $bit; done | tr -d '\n')
    check 'checksums, segmentation, mergeable buffers' test "$offloads" = 1111111
done
packets() { cat "/sys/class/net/$net0/statistics/${1}_packets"; }

check 'net0: DHCP' up "$net0"
check 'net0: the link is up, the address is the one promised' test "$(address "$net0")" = 1
check 'net0: the gateway answers' ping -c 3 -W 5 10.0.2.2
check 'net0: large frames' ping -c 2 -W 5 -s 1472 10.0.2.2
before=$(packets rx)
echo "download $(nc 10.0.2.2 "$port" | sha256sum | cut -d ' ' -f 1)"
check 'frames of a stream came together' test $(($(packets rx) - before)) -lt 1500
seq 1 150000 >/tmp/upload
echo "upload $(sha256sum </tmp/upload | cut -d ' ' -f 1)"
nc 10.0.2.2 $((port + 1)) </tmp/upload
echo from-the-guest >/tmp/word
echo "forward"
timeout 60 nc -l -p 7 </tmp/word
check 'nobody listens: refused' test "$(nc -w 5 10.0.2.2 1 </dev/null; echo $?)" != 0
check 'net0: both queues interrupt' test "$(grep -c "MSIX.*virtio.*put.0" /proc/interrupts)" = 4
ip link set "$net0" down
ip addr flush dev "$net0"

check 'net1: DHCP' up "$net1"
check 'net1: the gateway answers' ping -c 1 -W 5 10.0.2.2
check 'net1: this host cannot be reached' test \
    "$(timeout 5 nc -w 3 10.0.2.2 "$port" </dev/null | head -c 1 | wc -c)" = 0
for dev in "$net0" "$net1"; do
    check 'nothing needs a reset' test $(($(cat "/sys/class/net/$dev/device/status") & 0xc0)) = 0
done
tap_done
