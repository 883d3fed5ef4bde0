#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Two cards on one wire, one of them in a network namespace of its own.
. /pcilab/lib.sh

unshare -n sleep 100000 &
other=$!
sleep 0.2
ip link set eth1 netns "$other"
ip addr add 10.8.0.1/24 dev eth0
nsenter -t "$other" -n ip addr add 10.8.0.2/24 dev eth1
ip link set eth0 up
nsenter -t "$other" -n ip link set eth1 up
sleep 3
check 'the other end answers' ping -c 2 -W 5 10.8.0.2
seq 1 200000 >/tmp/file
nsenter -t "$other" -n timeout 60 nc -l -p 7 </tmp/file >/dev/null &
sleep 0.5
nc 10.8.0.2 7 >/tmp/got </dev/console
check 'a connection over the wire' cmp /tmp/file /tmp/got
kill "$other"
tap_done
