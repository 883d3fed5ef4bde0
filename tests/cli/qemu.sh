#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# pcilab-qemu: arguments that cannot be honoured are errors that name them, before a guest starts.
. "$SOURCE/tests/cli/lib.sh"
: "${PCILAB_QEMU:?}"
: >"$work/k"
truncate -s 1M "$work/d.img"
truncate -s 1M "$work/e.img"
printf 'QFI\xfb....' >"$work/q.img"
base=("$PCILAB_QEMU" -nographic -kernel "$work/k")
drive=(-drive "if=none,id=d0,file=$work/d.img,format=raw")

# refused TEXT ARGUMENT...: exit status 1, one line "pcilab-qemu: ..." with TEXT in it.
refused() {
    local text=$1 good=0
    shift
    run "${base[@]}" "$@"
    [ "$status" = 1 ] || good=1
    [ "$(wc -l <"$work/err")" = 1 ] || good=1
    [ ! -s "$work/out" ] || good=1
    grep -q '^pcilab-qemu: ' "$work/err" || good=1
    grep -qF -- "$text" "$work/err" || good=1
    point $good "refused: ${*//$work\//}"
}

# taken ARGUMENT...: all is well but the kernel, which is an empty file.
taken() {
    local good=0
    run "${base[@]}" "$@"
    [ "$status" = 1 ] || good=1
    [ "$(grep -cv ': warning: ' "$work/err")" = 1 ] || good=1
    grep -qF -- "$work/k: " "$work/err" || good=1
    point $good "taken: ${*//$work\//}"
}

run "$PCILAB_QEMU" --help
expect 0 'help' out '-kernel' out 'virtio-9p-pci' out 'Refused' out 'Exit status'
run "$PCILAB_QEMU" -version
expect 0 'version' out 'pcilab-qemu version '
run "$PCILAB_QEMU" -device help
expect 0 'list of devices' out 'pcie-root-port'
good=0
"$PCILAB_QEMU" -help | sed -n 's/^  -\([^ ]*\).*/\1/p' >"$work/options"
"$PCILAB_QEMU" -device help | sed -n 's/^  \([^ ]*\) .*/\1/p' >>"$work/options"
while read -r word; do
    grep -q -- "\`-\?${word}[ \`]" "$SOURCE/docs/qemu-words.md" || {
        good=1
        echo "# docs/qemu-words.md does not speak of $word"
    }
done <"$work/options"
[ "$(wc -l <"$work/options")" -gt 50 ] || good=1
status=0
point $good 'the document names every option and device'

run "$PCILAB_QEMU" -nographic
expect 1 'no kernel' err 'no -kernel'
run "$PCILAB_QEMU" -kernel "$work/k"
expect 1 'a window' err 'no graphical display'
run "$PCILAB_QEMU" -nographic -kernel "$work/absent"
expect 1 'no such kernel' err "-kernel: $work/absent: No such file"
run "${base[@]}" -initrd "$work/absent"
expect 1 'no such initrd' err "-initrd: $work/absent: No such file"

taken
taken -nodefaults -no-user-config -no-reboot -name x -parallel none -net none -nic none -vga none \
    -display none -monitor none -serial stdio
taken -m 512 -smp 2
taken -m size=1G,slots=2,maxmem=2G -smp cpus=4,sockets=1,cores=2,threads=2
taken -m 1.5G -smp sockets=2,cores=2
taken -machine q35,accel=kvm:tcg,usb=off -cpu host -rtc base=utc,clock=host
taken -M pc -accel kvm -accel tcg,thread=multi
taken -M microvm,pcie=on,rtc=on -cpu max
taken -cpu Skylake-Server
taken -chardev stdio,id=c,mux=on,signal=off -serial chardev:c -mon chardev=c -echr 1
taken -serial file:"$work/serial" -serial none
taken -chardev file,path="$work/log",id=l -device virtio-serial-pci,id=s \
    -device virtconsole,chardev=l,bus=s.0 -device virtserialport,name=n,bus=s.0
taken "${drive[@]}" -device nvme,drive=d0,serial=1
taken "${drive[@]}" \
    -device virtio-blk-pci,drive=d0,serial=x,num-queues=2,packed=on,disable-legacy=on
taken -drive "file=$work/d.img,if=virtio,cache=none,aio=threads,readonly=on" -snapshot
taken -fsdev "local,id=f,path=$work,security_model=none,readonly=on,multidevs=remap" \
    -device virtio-9p-pci,fsdev=f,mount_tag=/dev/root
taken -virtfs "local,path=$work,mount_tag=x,security_model=passthrough"
taken -object rng-random,id=r,filename=/dev/urandom -device virtio-rng-pci,rng=r
taken -netdev user,id=n,restrict=on \
    -device virtio-net-pci,netdev=n,mac=52:54:00:00:00:01,romfile=
taken -nic user,model=virtio-net-pci
taken -machine q35,kernel-irqchip=split \
    -device intel-iommu,intremap=on,caching-mode=on,x-scalable-mode=on,aw-bits=48,eim=on,pt=off
taken -watchdog i6300esb -watchdog-action reset -device i6300esb,id=watchdog0 -bios qboot.rom
taken -device pcie-root-port,id=a,chassis=1,slot=1,addr=2.0,multifunction=on \
    -device pcie-root-port,id=b,chassis=1,slot=2,addr=2.1,x-speed=8,x-width=4 \
    -device x3130-upstream,bus=a,id=up -device xio3130-downstream,bus=up,id=d0,chassis=2 \
    -device xio3130-downstream,bus=up,id=d1,chassis=3 -device virtio-rng-pci,bus=d1,addr=0 \
    -device pxb-pcie,id=p,bus_nr=0x80 -device pcie-root-port,bus=p,id=c -device virtio-rng-pci,bus=c

refused '-foo: this option cannot be honoured' -foo
refused 'did you mean "-kernel"?' -kernl
refused '-m: its argument is missing' -m
refused "$work/d.img: a disk image is said with -drive" "$work/d.img"
refused '-m 12X: "12X" is no size' -m 12X
refused '-m 1M: memory can be 64M to 256G' -m 1M
refused '-m 2G,maxmem=1G: maxmem=1G is less' -m 2G,maxmem=1G
refused '-m 1G,foo=1: the property "foo" is not known' -m 1G,foo=1
refused '-smp 9: there can be 1 to 8' -smp 9
refused 'cpus=0,cores=9: there can be 1 to 8' -smp cpus=0,cores=9
refused '-smp 2,maxcpus=4: processors cannot be added' -smp 2,maxcpus=4
refused '-smp 3,cores=2,threads=2' -smp 3,cores=2,threads=2
refused '-smp 99999999999: ' -smp 99999999999
refused '-machine virt: there is no such machine' -machine virt
refused '-machine q35,foo=on: the property "foo"' -M q35,foo=on
refused '-accel kvm: this accelerator' -accel kvm
refused '-enable-kvm: this accelerator' -enable-kvm
refused 'q35,accel=kvm (accel=kvm): this accelerator' -machine q35,accel=kvm
refused '-cpu max,-avx: the features' -cpu max,-avx
refused '-seed x: ' -seed x
refused '-rtc base=2020-01-01: the date' -rtc base=2020-01-01
refused '-monitor stdio: only none' -monitor stdio
refused '-mon chardev=x: there is no monitor' -mon chardev=x
refused '-display gtk: there is no display' -display gtk
refused '-echr 2: only 1' -echr 2
refused '-serial pty: it can be stdio' -serial pty
refused '-serial stdio: there is one serial port' -serial none -serial stdio
refused '-serial chardev:x: there is no -chardev' -serial chardev:x
refused "file:$work/no/such: $work/no/such: No such file" -serial "file:$work/no/such"
refused '-chardev socket,id=c,path=x: there are stdio, file and null only' \
    -chardev socket,id=c,path=x
refused '-chardev null: id=ID is missing' -chardev null
refused '-chardev null,id=c: there is a -chardev with id=c already' \
    -chardev null,id=c -chardev null,id=c
refused '-chardev file,id=c: path=FILE is missing' -chardev file,id=c
refused '-chardev stdio,id=c,mux=maybe: mux=maybe is not allowed' -chardev stdio,id=c,mux=maybe
refused 'standard input and output belong to -chardev stdio,id=c' \
    -chardev stdio,id=c -chardev stdio,id=d
refused '-chardev null,id=c is in use already' -chardev null,id=c -serial chardev:c \
    -device virtio-serial-pci -device virtconsole,chardev=c
refused '-device nvm,drive=x: there is no such device here' -device nvm,drive=x
refused 'aw-bits= is 39 or 48' -device intel-iommu,aw-bits=40
refused 'device-iotlb=on cannot be honoured' -device intel-iommu,device-iotlb=on
refused 'there is an intel-iommu already' -device intel-iommu -device intel-iommu
refused '-device nvme: drive=ID is missing' -device nvme
refused '-device nvme,drive=x: there is no -drive with id=x' -device nvme,drive=x
refused '-device nvme,drive=d0: serial=TEXT is missing' "${drive[@]}" -device nvme,drive=d0
refused 'the property "foo" is not known' "${drive[@]}" -device nvme,drive=d0,serial=1,foo=2
refused 'did you mean "serial"?' "${drive[@]}" -device nvme,drive=d0,serial=1,seriel=2
refused 'is in use already' "${drive[@]}" -device nvme,drive=d0,serial=1 \
    -device virtio-blk-pci,drive=d0
refused 'a -drive with id=d0 already' "${drive[@]}" -drive "if=none,id=d0,file=$work/e.img"
refused 'a -device with id=a already' -device virtio-rng-pci,id=a -device virtio-rng-pci,id=a
refused 'choose another' -device virtio-rng-pci,id=pcie.0
refused 'if=ide cannot be honoured' -drive "file=$work/d.img"
refused 'id=ID is missing' -drive "if=none,file=$work/d.img"
refused 'file=FILE is missing' -drive if=none,id=d0
refused 'format=qcow2 cannot be read' -drive "if=virtio,file=$work/d.img,format=qcow2"
refused 'is a qcow2 image' -drive "if=virtio,file=$work/q.img"
refused "$work/absent" -drive "if=virtio,file=$work/absent"
refused 'the property "foo" is not known' -drive "if=virtio,file=$work/d.img,foo=1"
refused 'there is no -fsdev with id=f' -device virtio-9p-pci,fsdev=f,mount_tag=x
refused 'mount_tag= has to be' -device virtio-9p-pci,fsdev=f
refused 'security_model= has to be none' -fsdev "local,id=f,path=$work,security_model=mapped" \
    -device virtio-9p-pci,fsdev=f,mount_tag=x
refused 'only local file systems' -fsdev "proxy,id=f" -device virtio-9p-pci,fsdev=f,mount_tag=x
refused "$work/absent" -virtfs "local,path=$work/absent,mount_tag=x,security_model=none"
refused 'there are rng-random' -object memory-backend-ram,id=m,size=1G
refused 'there is no -object with id=r' -device virtio-rng-pci,rng=r
refused 'there is no virtio-serial before it' -device virtconsole
refused 'there is no virtio-serial x.0 before it' -device virtio-serial-pci \
    -device virtconsole,bus=x.0
refused 'there is no bus "rp0" before it' -device virtio-rng-pci,bus=rp0
refused 'behind a port there is device 0 only' -device pcie-root-port,id=a \
    -device virtio-rng-pci,bus=a,addr=1
refused 'bus a is full' -device pcie-root-port,id=a -device virtio-rng-pci,bus=a \
    -device virtio-rng-pci,bus=a
refused 'addr=20 is not allowed' -device virtio-rng-pci,addr=20
refused 'addr=1.8 is not allowed' -device virtio-rng-pci,addr=1.8
refused 'addr=1.1x is not allowed' -device virtio-rng-pci,addr=1.1x
refused '05.0 of bus pcie.0 is taken' -device virtio-rng-pci,addr=5 -device virtio-rng-pci,addr=5
refused '00.0 of bus pcie.0 is taken' -device pcie-root-port,addr=0
refused 'only ports can be other functions' -device virtio-rng-pci,addr=5.1
refused 'has other functions but no function 0' -device pcie-root-port,id=a,addr=5.1
refused 'slot 3 of chassis 1 is taken' -device pcie-root-port,id=a,chassis=1,slot=3 \
    -device pcie-root-port,id=b,chassis=1,slot=3
refused 'hotplug=on cannot be honoured' -device pcie-root-port,id=a,hotplug=on
refused 'x-speed=7 cannot be honoured' -device pcie-root-port,id=a,x-speed=7
refused 'this device does not fit there' -device x3130-upstream,bus=pcie.0
refused 'has no downstream port' -device pcie-root-port,id=a -device x3130-upstream,bus=a,id=u
refused 'leave out device 00' -device pcie-root-port,id=a -device x3130-upstream,bus=a,id=u \
    -device xio3130-downstream,bus=u,addr=1
refused 'bus_nr=NUMBER is missing' -device pxb-pcie,id=p
refused 'bus number 128 is that of p' -device pxb-pcie,id=p,bus_nr=128 \
    -device pxb-pcie,id=r,bus_nr=0x80
refused '-S: say -s or -gdb' -S
refused '-gdb dev: only tcp' -gdb dev
refused '-hda x: there is no IDE' -hda x
refused '-net user: say it with -netdev' -net user
refused '-netdev user: id=ID is missing' -netdev user
refused 'there is no -netdev with id=n' -device virtio-net-pci,netdev=n
refused 'netdev=ID is missing' -device virtio-net-pci
refused 'only user networks' -netdev tap,id=n -device virtio-net-pci,netdev=n
refused 'mac=01:00:00:00:00:00 is not' -nic user,model=virtio-net-pci,mac=01:00:00:00:00:00
refused 'mac=x is not' -netdev user,id=n -device virtio-net-pci,netdev=n,mac=x
refused 'is in use already' -netdev user,id=n -device virtio-net-pci,netdev=n \
    -device virtio-net-pci,netdev=n
refused '"x" is not allowed; it is tcp|udp:' -netdev user,id=n,hostfwd=x \
    -device virtio-net-pci,netdev=n
refused 'tcp::99999-:22' -netdev user,id=n,hostfwd=tcp::99999-:22 -device virtio-net-pci,netdev=n
refused 'the property "foo"' -netdev user,id=n,foo=1 -device virtio-net-pci,netdev=n
refused 'model= has to be virtio-net-pci' -nic user
finish
