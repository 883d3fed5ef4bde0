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
run "${boot[@]}" --guest sid
error 'no guest of a suite' "$work/guest-sid; run scripts/guest --suite sid"
run "${boot[@]}" --guest ../x
error 'a suite that is none' '--guest "../x" is not allowed'
run "${boot[@]}" --guest sid --kernel "$work/absent"
error 'a guest and a kernel' 'only one of --kernel, --guest'
mkdir "$work/guest"
echo 'no kernel' >"$work/guest/vmlinuz"
run "${boot[@]}"
error 'half a prepared guest' 'run scripts/guest'
: >"$work/guest/initramfs.img"
run "${boot[@]}"
error 'a prepared kernel that is none' "$work/guest/vmlinuz"

run "${boot[@]}" --record "$work/x" --replay "$work/x"
error 'recorded and replayed at once' 'one or the other'
run "${boot[@]}" --record "$work/x" -- true
expect 126 'a command recorded' err "works on this computer's files, which are not recorded"
run "${boot[@]}" --replay "$work/x" --checkpoint-at 'time: 1s' --times 2
error 'a replay with a checkpoint' 'with --checkpoint-at it would be more than one'
run "${boot[@]}" --until never
error 'until when?' '--until "never" is not allowed'

run "${boot[@]}" --cpu=turbo
error 'processors that nobody has' '--cpu=turbo is not allowed; it is soft'
run "${boot[@]}" --cpu=kvm --record "$work/x"
error 'KVM recorded' '--cpu=kvm: --record needs a processor whose every run is the same'
run "${boot[@]}" --cpu=kvm --gdb 1234
error 'KVM with gdb' '--cpu=kvm: --gdb needs'
run "${boot[@]}" --cpu=kvm --digest -- true
expect 126 'a command on KVM, the same every time' err '--cpu=kvm: --digest needs'
run "${boot[@]}" --cpu=auto --digest --kernel "$work/absent"
expect 2 'what --cpu=auto takes is said' err 'auto: the software processor runs the guest: --digest'

run "${boot[@]}" --kernel "$work/absent"
error 'a kernel that is not there' "kernel $work/absent: No such file or directory"
run "${boot[@]}" --kernel "$work"
error 'a kernel that is a directory' 'this is a directory'
: >"$work/empty"
run "${boot[@]}" --kernel "$work/empty"
error 'an empty kernel' "$work/empty"
run "${boot[@]}" --kernel "$work/empty" --initrd "$work/absent"
error 'an initrd that is not there' "initrd $work/absent: No such file or directory"
run "${boot[@]}" --kernel "$work/empty" --replay "$work/absent"
error 'a recording that is not there' "$work/absent"
run "${boot[@]}" --kernel "$work/empty" --replay "$PCILAB"
error 'a recording that is none' "--replay $PCILAB: not a recording of pcilab boot --record"
printf 'pcilabR\n\1\0\0\0' >"$work/cut"
run "${boot[@]}" --kernel "$work/empty" --replay "$work/cut"
error 'a recording that was cut at once' 'cut before anything was recorded'
run "${boot[@]}" --kernel "$work/empty" --record "$work/no/where"
error 'a recording that cannot be made' "$work/no/where"
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

# Kernel trees. The bzImage of this one says its version at 0x200 + 0x300, and nothing more.
run "${boot[@]}" --ktree "$work/absent"
error 'a tree that is not there' "--ktree $work/absent: No such file or directory"
run "${boot[@]}" --ktree "$work/bz"
error 'a tree that is a file' 'not a folder; --kernel takes a file'
tree=$work/tree
mkdir -p "$tree/arch/x86/boot" "$tree/drivers"
run "${boot[@]}" --ktree "$tree"
error 'a tree that is not built' 'there is no arch/x86/boot/bzImage; build it: make bzImage modules'
printf '#\n# DO NOT EDIT.\n# Linux/arm64 6.12.1 Kernel\n' >"$tree/.config"
run "${boot[@]}" --ktree "$tree"
error 'a tree of another architecture' 'configured for arm64; pcilab boots x86-64 kernels'
cp "$work/bz" "$tree/arch/x86/boot/bzImage"
printf '\x00\x03' | dd of="$tree/arch/x86/boot/bzImage" bs=1 seek=526 conv=notrunc 2>/dev/null
printf '6.12.1-mine (me@here) #1\0' |
    dd of="$tree/arch/x86/boot/bzImage" bs=1 seek=1280 conv=notrunc 2>/dev/null
echo drivers/nvme.o >"$tree/modules.order"
run "${boot[@]}" --ktree "$tree" --initrd "$work/empty"
error 'a tree without modules.builtin' "$tree/modules.builtin"
: >"$tree/modules.builtin"
run "${boot[@]}" --ktree "$tree" --initrd "$work/empty"
error 'modules that are not built' "$tree/drivers/nvme.ko is in modules.order but not there"
echo nonsense >"$tree/drivers/nvme.ko"
run "${boot[@]}" --ktree "$tree" --initrd "$work/empty"
error 'a module that is none' 'drivers/nvme.ko is not an x86-64 kernel module'
module() { # module FILE VERSION DEPENDS
    printf 'vermagic=%s SMP\0depends=%s\0' "$2" "$3" >"$work/modinfo"
    echo | ${CC:-cc} -c -xc - -o "$work/plain.o"
    objcopy --add-section .modinfo="$work/modinfo" "$work/plain.o" "$1"
}
module "$tree/drivers/nvme.ko" 6.12.2-other ''
run "${boot[@]}" --ktree "$tree" --initrd "$work/empty"
error 'modules of another version' \
    'drivers/nvme.ko is a module of kernel 6.12.2-other, but the kernel is 6.12.1-mine'
module "$tree/drivers/nvme.ko" 6.12.1-mine nvme-core
run "${boot[@]}" --ktree "$tree" --initrd "$work/empty"
error 'a module that another needs' 'has no module nvme_core, which kernel/drivers/nvme.ko needs'
echo kernel/drivers/nvme-core.ko >"$tree/modules.builtin"
run "${boot[@]}" --ktree "$tree" --initrd "$work/empty" --module vfio
error 'a module that is not there' '--module vfio: kernel 6.12.1-mine has no such module'
run "${boot[@]}" --ktree "$tree"
error 'a tree without a prepared initrd' "$tree"
mv "$work/guest" "$work/guest.away"
run "${boot[@]}" --ktree "$tree"
error 'a tree and nothing prepared' 'no initrd was given and none is prepared'
mv "$work/guest.away" "$work/guest"
rm "$tree/modules.order"
run "${boot[@]}" --ktree "$tree" --initrd "$work/empty" --module vfio
error 'a module where there are none' '--module vfio: there are no modules beside'
mkdir -p "$tree/lib/modules/6.11.0"
run "${boot[@]}" --ktree "$tree" --initrd "$work/empty"
error 'installed modules of another version' "the kernel is 6.12.1-mine, but $tree/lib/modules has"
run "${boot[@]}" --ktree "$tree" --kernel "$work/bz"
error 'two kernels' 'only one of --kernel, --guest, --ktree and --kernel-deb'
run "${boot[@]}" --module vfio
error '--module alone' 'it needs --ktree or --kernel-deb'
export XDG_CACHE_HOME=$work/cache
run "${boot[@]}" --kernel-deb "$work/absent.deb"
error 'a package that is not there' "--kernel-deb $work/absent.deb: No such file or directory"
deb() { # deb ARCHITECTURE: a package with an empty kernel
    rm -rf "$work/package" && mkdir -p "$work/package/DEBIAN" "$work/package/boot"
    printf 'Package: k\nVersion: 1\nMaintainer: me <me@here>\nDescription: k\nArchitecture: %s\n' \
        "$1" >"$work/package/DEBIAN/control"
    : >"$work/package/boot/${2:-vmlinuz-1}"
    dpkg-deb -b "$work/package" "$work/k.deb" >/dev/null
}
if command -v dpkg-deb >/dev/null; then
    run "${boot[@]}" --kernel-deb "$work/empty"
    error 'a file that is no package' "--kernel-deb $work/empty: cannot be read"
    deb arm64
    run "${boot[@]}" --kernel-deb "$work/k.deb"
    error 'a package of another architecture' 'this package is for arm64'
    deb amd64 README
    run "${boot[@]}" --kernel-deb "$work/k.deb"
    error 'a package without a kernel' \
        'there is no boot/vmlinuz-* and no lib/modules/*/vmlinuz in it'
    deb amd64 vmlinuz-11
    run "${boot[@]}" --kernel-deb "$work/k.deb" --initrd "$work/empty"
    error 'a package with an empty kernel' 'boot/vmlinuz-11'
fi

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
error 'bad --trace' 'there is no kind of event "tlps"; there are all, tlp, link'
run "${boot[@]}" --trace=tlp:none,irq
error 'a trace of no component' 'there is no component "none" in this machine'
run "${boot[@]}" --trace=tlp: --from 1s
error 'a component without a name' '"tlp:": a component'
run "${boot[@]}" --trace=tlp --from 2s --to 2000ms
error 'a trace of no time' '--to 2000ms: that is not after --from 2s'
run "${boot[@]}" --from 2s
error 'a time of no trace' 'add --trace'
run "${boot[@]}" --trace --trace-format vcd
error 'bad --trace-format' 'it is text, pcapng or json'
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
run "${boot[@]}" --serve "$work/socket"
error '--serve without a checkpoint' 'add --checkpoint-at WHERE'
at=(--checkpoint-at 'time: 1s')
run "${boot[@]}" "${at[@]}"
error 'a checkpoint for nothing' 'what happens at the checkpoint?'
run "${boot[@]}" "${at[@]}" --serve "$work/socket" --times 3
error '--serve and --times' '--serve leaves it to pcilab fork'
run "${boot[@]}" "${at[@]}" --serve "$work/socket" --log "$work/log"
error '--serve and --log' 'are for one run'
: >"$work/file"
run "${boot[@]}" "${at[@]}" --serve "$work/file"
error 'a file in the place of the socket' 'this is there already and is no socket'
run "${boot[@]}" "${at[@]}" --serve "$work/no/such"
error 'a socket that cannot be made' "--serve $work/no/such: No such file or directory"
run "${boot[@]}" "${at[@]}" --input "$work/absent"
error 'an input that is not there' "$work/absent"
run "${boot[@]}" --checkpoint-at command --serve "$work/socket" -- true
expect 126 '--serve and a command' err 'give the command to pcilab fork'
run "$PCILAB" fork "$work/socket" --
expect 126 'pcilab fork with no command' err 'there is no command after "--"'
run "$PCILAB" fork
error 'pcilab fork without a path' 'one path is needed'
run "$PCILAB" fork "$work/socket"
error 'pcilab fork without a server' "$work/socket: No such file or directory"
run "$PCILAB" fork "$work/file"
error 'pcilab fork of a file' 'this is not the socket of a pcilab boot --serve'
run "$PCILAB" fork "$work/socket" --logs "$work/logs"
error 'pcilab fork --logs for one' 'add --times N or --seeds A..B'
run "$PCILAB" fork "$work/socket" --stop --seed 3
error 'pcilab fork --stop with more' '--stop ends the server'
run "$PCILAB" fork "$work/socket" --limit soon
error 'pcilab fork with a bad limit' '--limit "soon" is not allowed'
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

# A command in the guest: the same, with exit status 126.
error_status=126
run "$PCILAB" boot --
error 'no command after --' 'there is no command after "--"'
run "${boot[@]}" --initrd "$work/empty" -- true
error 'an initrd beside a command' "the initramfs is pcilab's own"
run "${boot[@]}" --shell -- true
error 'a shell and a command' 'For a command on a terminal: --tty'
run "${boot[@]}" --rw "$work/absent" -- true
error '--rw of nothing' "--rw $work/absent: No such file or directory"
run "${boot[@]}" --rw "$work/empty" -- true
error '--rw of a file' "--rw $work/empty: not a folder"
run "${boot[@]}" --unknown -- true
error 'an unknown option before a command' 'pcilab boot --help'
run "${boot[@]}" --kernel "$work/absent" -- true
error 'no kernel for a command' "kernel $work/absent: No such file or directory"
run "${boot[@]}" -- true
error 'a prepared guest without modules' "there are no modules in $work/guest/lib/modules"
rm -rf "${tree:?}/lib"
printf 'drivers/nvme.o\n' >"$tree/modules.order"
run "${boot[@]}" --ktree "$tree" -- true
error 'a kernel that cannot have files of the host' \
    'kernel 6.12.1-mine has no module virtio_pci, nor is it built in: a command needs'
{
    for i in $(seq 1 31); do printf '[virtio-rng r%d]\n' "$i"; done
} >"$work/t.ini"
run "$PCILAB" boot "$work/t.ini" -- true
error 'a root bus that is full' 'the root bus is full'
error_status=2
run "${boot[@]}" --rw "$work"
error '--rw without a command' '--rw is for commands'
run "${boot[@]}" --tty
error '--tty without a command' '--tty is for commands'
run "${boot[@]}" --checkpoint-at command --times 2
error 'a checkpoint at no command' '--checkpoint-at command: there is none'
finish
