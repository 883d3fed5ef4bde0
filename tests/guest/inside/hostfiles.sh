#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# With tests/guest/hostfiles.py, which made the trees and looks at what is left of them. `ro` is
# exported read-only, `rw` for writing, over packed rings.
. /pcilab/lib.sh
exec </dev/null # rm(1) would ask
opts=trans=virtio,version=9p2000.L,msize=262144
mkdir -p /tmp/ro /tmp/rw /tmp/over /tmp/mem /tmp/loose
modprobe -a 9pnet_virtio 9p overlay

check 'the tags are there' sh -c 'cat /sys/bus/virtio/drivers/9pnet_virtio/*/mount_tag |
    tr "\0" "\n" | sort | tr "\n" " " | grep -q "^ro rw $"'
check 'mount read-only' mount -t 9p -o $opts,ro ro /tmp/ro
check 'mount for writing' mount -t 9p -o $opts rw /tmp/rw
check 'a tag that does not exist' sh -c "! mount -t 9p -o $opts none /tmp/loose"

# What the host sees is what the guest sees.
facts() { find . -exec stat -c '%f %s %h %n' {} + | sort | sum_of; }
sums() { find . -type f -size -20000k | sort | tr '\n' '\0' | xargs -0 sha256sum | sum_of; }
cd /tmp/ro || exit 1
echo "facts $(facts)"
echo "sums $(sums)"
echo "links $(find . -type l | sort | while read -r l; do readlink "$l"; done | sum_of)"
check 'ls -lR' sh -c 'ls -lR . >/dev/null'
check 'the files are root'\''s' test "$(stat -c '%u:%g' small)" = 0:0
check 'past 4 GiB' test "$(tail -c 4 sparse)" = last
check 'a hole' test "$(dd if=sparse bs=1M skip=4096 count=1 2>/dev/null | tr -d '\0' | wc -c)" = 0
check 'one file under two names' test "$(stat -c %i hard1)" = "$(stat -c %i hard2)"
check 'programs run' test "$(./hello.sh)" = hello
check 'nothing can be written' sh -c '! touch new 2>/dev/null && ! rm small 2>/dev/null &&
    ! mkdir d 2>/dev/null && ! sh -c "echo x >small" 2>/dev/null'
mount -o remount,rw /tmp/ro
check 'nor when the guest wants to' sh -c '! touch new 2>/dev/null && ! rm small 2>/dev/null &&
    ! chmod 777 small 2>/dev/null && ! sh -c "echo x >small" 2>/dev/null'
check 'links stay inside' sh -c '! cat outside 2>/dev/null | grep -q host'
check 'above the root is the guest' sh -c '! test -e ../secret'

# An overlay: the host's files below, memory above.
mount -t tmpfs mem /tmp/mem
mkdir /tmp/mem/up /tmp/mem/work
check 'an overlay' mount -t overlay -o lowerdir=/tmp/ro,upperdir=/tmp/mem/up,workdir=/tmp/mem/work \
    over /tmp/over
cd /tmp/over || exit 1
check 'it shows the same' test "$(sums)" = "$(cd /tmp/ro && sums)"
check 'it can be changed' sh -c 'echo more >>small && rm big && mv dir0 moved && echo x >dir1/new'
check 'and is' sh -c 'grep -q more small && ! test -e big && test -d moved && ! test -e dir0'
cd /
umount /tmp/over

cd /tmp/rw || exit 1
check 'write' sh -c 'dd if=/dev/urandom of=data bs=64k count=20 2>/dev/null && sync'
echo "data $(sum_of <data)"
check 'append' sh -c 'echo one >log && echo two >>log && echo three >>log'
check 'cut' truncate -s 3 log2
check 'overwrite in the middle' sh -c 'printf 0123456789 >mid && printf XY |
    dd of=mid bs=1 seek=4 conv=notrunc 2>/dev/null'
check 'modes' sh -c 'umask 022; mkdir d && chmod 2751 d && echo p >d/f && chmod 640 d/f'
check 'links' sh -c 'ln d/f hard && ln -s d/f soft && ln -s /nowhere dangling && mkfifo pipe'
check 'rename' sh -c 'echo r >r && mv r d/r && mv d e && test "$(cat e/r)" = r && mv e d'
check 'over another' sh -c 'echo a >a && echo b >b && mv a b && test "$(cat b)" = a'
check 'removed and still open' sh -c 'echo gone >u && exec 3<u && rm u && test "$(cat <&3)" = gone'
check 'times' sh -c 'touch -d "2001-02-03 04:05:06" log'
check 'a deep path' sh -c 'p=.; for i in $(seq 30); do p=$p/dddddddddd; done; mkdir -p $p &&
    echo deep >$p/f && test "$(cat $p/f)" = deep'
check 'many files' sh -c 'mkdir many && cd many && for i in $(seq 100); do echo $i >f$i; done &&
    test "$(ls | wc -l)" = 100 && rm -r ../many'
check 'a pipe between processes' sh -c 'echo through >pipe & test "$(cat pipe)" = through'
check 'no device nodes' sh -c '! mknod null c 1 3 2>/dev/null'
check 'a directory with files stays' sh -c '! rmdir d 2>/dev/null'
cd /
check 'unmount' umount /tmp/rw
umount /tmp/ro # a tag is mounted once at a time
check 'mapped by a loose cache' sh -c "mount -t 9p -o $opts,ro,cache=loose ro /tmp/loose &&
    test \"\$(/tmp/loose/hello.sh)\" = hello && ls -lR /tmp/loose >/dev/null && umount /tmp/loose"
tap_done
