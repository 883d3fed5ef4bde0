#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The stock igb and igbvf drivers: the card on a network of the host, its Virtual Functions, its
# internal switch, and a second card whose wire leads to a virtio card. pcilab.port= is a web server
# of the host with a file of pcilab.size= bytes; the next port reads.
. /pcilab/lib.sh

card() {
    for dir in /sys/class/net/*; do
        [ "$(cat "$dir/address")" = "$1" ] && echo "${dir##*/}"
    done
}
port=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^pcilab.port=//p')
size=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^pcilab.size=//p')
cat >/tmp/lease <<'END'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
END
chmod +x /tmp/lease
dhcp() { udhcpc -q -n -i "$1" -s /tmp/lease >/dev/null 2>&1; }
# In the network namespace of the process.
inside() {
    pid=$1
    shift
    nsenter -t "$pid" -n "$@"
}
space() {
    unshare -n sleep 100000 &
    last=$!
}
hash() { wget -q -O - "http://10.0.2.2:$port/file" | sha256sum | cut -d ' ' -f 1; }
carrier() {
    tries=0
    while [ "$(cat "/sys/class/net/$1/carrier" 2>/dev/null)" != 1 ] && [ $tries -lt 50 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    [ $tries -lt 50 ]
}
counter() { ethtool -S "$1" | sed -n "s/^ *$2: //p"; }

seq 1 200000 >/tmp/upload
eth=$(card 52:54:00:12:34:60)
dev=/sys/class/net/$eth/device
check 'the address of the EEPROM' test -n "$eth"
check 'driven by igb' test "$(basename "$(readlink "$dev/driver")")" = igb
check 'identity' test "$(cat "$dev/vendor" "$dev/device" | tr -d '\n')" = 0x80860x10c9
check 'EEPROM: device and vendor' test \
    "$(ethtool -e "$eth" raw on offset 26 length 4 | hexdump -e '/1 "%02x"')" = c9108680
ip link set "$eth" up
check 'the link comes up' carrier "$eth"
check '1000 Mb/s, full duplex' test "$(cat "/sys/class/net/$eth/speed" \
    "/sys/class/net/$eth/duplex" | tr '\n' ' ')" = '1000 full '
ethtool -t "$eth" offline >/tmp/self 2>&1
check 'the self test passes: registers, EEPROM, interrupts, loopback, link' grep -q PASS /tmp/self
grep -q PASS /tmp/self || cat /tmp/self
carrier "$eth"

# Virtual Functions, two of them in network namespaces of their own.
echo 4 >"$dev/sriov_numvfs"
modprobe igbvf
sleep 1
vf=''
for i in 0 1 2 3; do
    vf="$vf $(ls "$dev/virtfn$i/net" | head -n 1)"
done
# shellcheck disable=SC2086 # a list
set -- $vf
check 'four Virtual Functions, driven by igbvf' test $# = 4

space
one=$last
space
two=$last
sleep 0.2
ip link set "$2" netns "$one"
ip link set "$3" netns "$two"
inside "$one" ip addr add 10.9.0.2/24 dev "$2"
inside "$two" ip addr add 10.9.0.3/24 dev "$3"
inside "$one" ip link set "$2" up
inside "$two" ip link set "$3" up
ip addr add 10.9.0.1/24 dev "$eth"
sleep 2
check 'PF to VF through the internal switch' ping -c 3 -W 5 10.9.0.2
check 'VF to PF' inside "$two" ping -c 3 -W 5 10.9.0.1
check 'VF to VF' inside "$one" ping -c 3 -W 5 10.9.0.3
check 'VF to VF: large and fragmented' inside "$one" ping -c 2 -W 5 -s 4000 10.9.0.3
check 'counted as looped back' test "$(inside "$one" ethtool -S "$2" |
    sed -n 's/^ *lbrx_packets: //p')" -ge 8
inside "$two" timeout 60 nc -l -p 7 </tmp/upload >/dev/null &
sleep 0.5
inside "$one" nc 10.9.0.3 7 >/tmp/got
check 'VF to VF: a connection' cmp /tmp/upload /tmp/got

# Function Level Reset of a Virtual Function, and back.
bdf=$(basename "$(readlink "$dev/virtfn3")")
echo "$bdf" >/sys/bus/pci/drivers/igbvf/unbind
echo 1 >"$dev/virtfn3/reset"
check 'VF 3 is reset by FLR' test "$(cat "$dev/virtfn3/reset_method")" = flr
echo "$bdf" >/sys/bus/pci/drivers/igbvf/bind
name=$(ls "$dev/virtfn3/net" | head -n 1)
ip link set "$name" up
check 'VF 3 works after it' carrier "$name"
ip link set "$name" down
kill "$one" "$two"
sleep 0.5
echo 0 >"$dev/sriov_numvfs"
sleep 1
check 'none are left' test ! -e "$dev/virtfn0"
ip addr flush dev "$eth"

# A wire without a host.
left=$(card 52:54:00:12:34:61)
right=$(card 52:54:00:12:34:62)
space
one=$last
sleep 0.2
ip link set "$right" netns "$one"
ip addr add 10.8.0.1/24 dev "$left"
inside "$one" ip addr add 10.8.0.2/24 dev "$right"
ip link set "$left" up
inside "$one" ip link set "$right" up
carrier "$left"
check 'igb to virtio-net over a wire' ping -c 3 -W 5 10.8.0.2
check 'nobody else is there' test "$(dhcp "$left" && echo answered)" != answered
kill "$one"

# The host's network comes last: from now on waiting takes as long as it says.
check 'DHCP' dhcp "$eth"
check 'the gateway answers' ping -c 2 -W 5 10.0.2.2
check 'large frames' ping -c 2 -W 5 -s 1472 10.0.2.2
check 'MSI-X vectors interrupt' test \
    "$(grep "$eth" /proc/interrupts | awk '$2 > 0' | wc -l)" -ge 2
echo "pf $(hash)"
sent=$(counter "$eth" tx_tcp_seg_good)
echo "upload $(sha256sum </tmp/upload | cut -d ' ' -f 1)"
nc 10.0.2.2 $((port + 1)) </tmp/upload
check 'TCP was segmented by the card' test "$(counter "$eth" tx_tcp_seg_good)" -gt "$sent"
check 'no checksum was wrong' test "$(counter "$eth" rx_queue_0_csum_err)" = 0
check 'frames were counted' test "$(counter "$eth" rx_packets)" -gt $((size / 1500))

ip addr flush dev "$eth"
echo 1 >"$dev/sriov_numvfs"
sleep 1
set -- "$(ls "$dev/virtfn0/net" | head -n 1)"
ip link set "$1" up
check 'VF 0: the link is up' carrier "$1"
check 'VF 0: DHCP' dhcp "$1"
check 'VF 0: the gateway answers' ping -c 2 -W 5 10.0.2.2
echo "vf $(hash)"
check 'VF 0: three vectors' test "$(grep -c "$1" /proc/interrupts)" = 3
check 'nothing went wrong' test \
    "$(dmesg | grep -cE 'Tx Unit Hang|Detected Tx|transmit queue|BUG|WARNING')" = 0
tap_done
