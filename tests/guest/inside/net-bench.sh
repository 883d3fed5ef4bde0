#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# For bench/net: the only card fetches from pcilab.port= of the host, and sends to the next port.
port=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^pcilab.port=//p')
cat >/tmp/lease <<'END'
#!/bin/sh
[ "$1" = bound ] && ip addr add "$ip/$mask" dev "$interface"
END
chmod +x /tmp/lease
ip link set eth0 up
udhcpc -q -n -t 20 -i eth0 -s /tmp/lease >/dev/null 2>&1
nc 10.0.2.2 "$port" >/dev/null
dd if=/dev/zero bs=64k count=512 2>/dev/null | nc 10.0.2.2 $((port + 1)) >/dev/null
