#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Run by accel.py in the guest, among the host's files: accel-config gives the accelerator the work
# queues of its own tests, and these go through every operation with the addresses of a process.
. "$(dirname "$0")/../../guest/lib.sh"
tests=/usr/libexec/accel-config/test
run() {
    for size in 1 4096 65536; do
        $tests/dsa_test "$@" -l $size -t 20000 || return 1
    done
}
holds() { accel-config list | grep -q "\"$1\":\"*$2\"*"; }

check 'accel-config finds the accelerator' sh -c 'accel-config list -i | grep -q "\"dev\":\"dsa0\""'
check 'load-config' accel-config load-config -c $tests/configs/2g2q_user_1.conf
check 'enable-device' accel-config enable-device dsa0
check 'enable-wq' accel-config enable-wq dsa0/wq0.0 dsa0/wq0.1
check 'as configured: a shared queue of 16, threshold 15' holds threshold 15
check 'and a dedicated one' holds mode dedicated
check 'for processes' ls -l /dev/dsa/wq0.0 /dev/dsa/wq0.1
case $(uname -r) in
6.12.*) # no shared virtual addressing on x86: the queues cannot be opened
    check 'nobody opens a queue' sh -c "! $tests/dsa_test -w 0 -l 4096 -o 3"
    tap_done
    exit
    ;;
esac
for op in 0x0 0x2 0x3 0x4 0x5 0x6 0x9 0x10 0x11 0x20; do
    for mode in 0 1; do
        check "operation $op, queue $mode" run -w $mode -o $op -f 1
        check "the same, pages that are not there are its own" run -w $mode -o $op -f 0
        [ $op = 0x2 ] ||
            check "operation $op in batches, queue $mode" run -w $mode -o 1 -b $op -c 16 -f 1
    done
done
check '2 MiB' $tests/dsa_test -w 1 -l 2097152 -o 3 -f 1
check 'disable-wq' accel-config disable-wq dsa0/wq0.0 dsa0/wq0.1
check 'disable-device' accel-config disable-device dsa0
check_none 'no error in the log' "$(dmesg | grep -E 'idxd.*(err\[|halted)|DMAR: \[')"
tap_done
