#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pcilab boot: everything that is refused before a guest starts, and how it is said.
. "$SOURCE/tests/cli/lib.sh"
export PCILAB_GUEST_DIR=$work/guest
boot=("$PCILAB" boot "$SOURCE/configs/minimal.ini")

run "$PCILAB" boot --help
expect 0 'boot --help' out 'Examples:' out '--kernel' out '--append' out '--digest' out '--limit' \
    out 'console=ttyS0' out 'Exit status:'

run "${boot[@]}"
error 'no prepared kernel' 'run scripts/guest'
mkdir "$work/guest"
echo 'no kernel' >"$work/guest/vmlinuz"
run "${boot[@]}"
error 'half a prepared guest' 'run scripts/guest'
: >"$work/guest/initramfs.img"
run "${boot[@]}"
error 'a prepared kernel that is none' "$work/guest/vmlinuz"

run "${boot[@]}" --kernel "$work/absent"
error 'a kernel that is not there' "kernel $work/absent: No such file or directory"
run "${boot[@]}" --kernel "$work"
error 'a kernel that is a directory' 'this is a directory'
: >"$work/empty"
run "${boot[@]}" --kernel "$work/empty"
error 'an empty kernel' "$work/empty"
run "${boot[@]}" --kernel "$work/empty" --initrd "$work/absent"
error 'an initrd that is not there' "initrd $work/absent: No such file or directory"
head -c 64 "$PCILAB" >"$work/elf"
run "${boot[@]}" --kernel "$work/elf"
error 'an ELF file that is cut short' "$work/elf"
run "${boot[@]}" --kernel "$PCILAB"
error 'an ELF file that is no kernel' "$PCILAB"
# The head of a boot sector, and then nothing (Linux boot protocol: 0x1fe, 0x202).
head -c 4096 /dev/zero >"$work/bz"
printf '\x55\xaa\xeb\x66HdrS\x0f\x02' | dd of="$work/bz" bs=1 seek=510 conv=notrunc 2>/dev/null
run "${boot[@]}" --kernel "$work/bz"
error 'a bzImage that is cut short' "$work/bz"

run "$PCILAB" boot absent
error 'a topology that is not there' 'there is no topology "absent"'
run "${boot[@]}" other.ini
error 'two topologies' 'one topology is enough'
run "${boot[@]}" --memory 5
error 'bad --memory' '--memory: "5" is not allowed; it is a size like 512M or 2G'
run "${boot[@]}" --cpus 9
error 'bad --cpus' '--cpus: "9" is not allowed; it is a number from 1 to 8'
run "${boot[@]}" --seed x
error 'bad --seed' '--seed "x" is not allowed'
run "${boot[@]}" --clock fast
error 'bad --clock' '--clock=fast is not allowed; it is virtual (the default) or real'
run "${boot[@]}" --enter=vmlinux
error 'bad --enter' 'it is kernel (the default) or bzimage'
run "${boot[@]}" --trace=tlps
error 'bad --trace' 'it is all, or some of tlp,irq,console,rule,state'
run "${boot[@]}" --trace-file "$work/no/such"
error 'a trace file that cannot be made' "--trace-file $work/no/such: No such file or directory"
run "${boot[@]}" --log "$work/no/such"
error 'a log that cannot be made' "--log $work/no/such: No such file or directory"
run "${boot[@]}" --allow-splat 'a(b'
error 'bad --allow-splat' '--allow-splat "a(b" is not allowed'
for limit in x 0 -1s wall: wall:x 99999h; do
    run "${boot[@]}" --limit "$limit"
    error "bad --limit $limit" "--limit \"$limit\" is not allowed"
done
run "${boot[@]}" --unknown
error 'an unknown option' 'pcilab boot --help'

truncate -s 1M "$work/disk.img"
run "${boot[@]}" --disk nvme0
error 'bad --disk' '--disk "nvme0" is not allowed; it is NAME=FILE'
run "${boot[@]}" --disk "nvme1=$work/disk.img"
error 'an unknown disk' 'did you mean "nvme0"?'
run "${boot[@]}" --disk "nvme0=$work/absent.img"
error 'a disk that is not there' "$work/absent.img"
run "${boot[@]}" --disk "nvme0=$work/disk.img" --disk "nvme0=$work/disk.img"
error 'a disk given twice' '--disk nvme0: given twice'
run "${boot[@]}" --disk "nvme0=$work"
error 'a disk that is a directory' "$work"
printf '[root-port rp0]\n' >"$work/t.ini"
run "$PCILAB" boot "$work/t.ini" --disk "nvme0=$work/disk.img"
error 'a topology without disks' 'there is no disk in'
: >"$work/nothing.img"
run "${boot[@]}" --disk "nvme0=$work/nothing.img"
error 'an empty image' "$work/nothing.img"
finish
