# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# The part of the demo about Virtual Functions, for machines whose devices have them.

# Every group with its functions.
show_groups() {
    for group in $(ls /sys/kernel/iommu_groups | sort -n); do
        printf 'group %-3s %s\n' "$group" \
            "$(ls "/sys/kernel/iommu_groups/$group/devices" | tr '\n' ' ')"
    done
}

# nvme_vf DISK: the first Virtual Function of its controller gets queues, interrupts and 16 MiB.
nvme_vf() {
    c=/dev/$(nvme_controller "$1")
    pf=/sys/class/nvme/${c#/dev/}/device
    echo 0 >"$pf/sriov_drivers_autoprobe"
    echo 1 >"$pf/sriov_numvfs" || return 1
    echo 1 >"$pf/sriov_drivers_autoprobe"
    vf=$(basename "$(readlink -f "$pf/virtfn0")")
    {
        nvme virt-mgmt "$c" -c 1 -r 0 -n 3 -a 8 && nvme virt-mgmt "$c" -c 1 -r 1 -n 3 -a 8 &&
            nvme virt-mgmt "$c" -c 1 -a 9 && nvme create-ns "$c" -s 32768 -c 32768 -f 0 &&
            nvme attach-ns "$c" -n 2 -c 1
    } >/tmp/nvme.log 2>&1 || {
        cat /tmp/nvme.log
        return 1
    }
    echo "$vf" >/sys/bus/pci/drivers/nvme/bind || return 1
    echo "$vf, group $(basename "$(readlink "/sys/bus/pci/devices/$vf/iommu_group")")," \
        'has two queue pairs and a namespace of 16 MiB'
    for _ in $(seq 100); do
        for block in /sys/block/nvme*n*; do
            case $(readlink -f "$block") in
            */"$vf"/*) [ -b "/dev/${block##*/}" ] && break 2 ;;
            esac
        done
        block=
        usleep 50000
    done
    [ -n "$block" ] || {
        echo 'its namespace did not appear'
        return 1
    }
    disk_verify "/dev/${block##*/}" 4
}

# igb_vf INTERFACE: 4 MiB from a Virtual Function to the Physical one by the internal switch, each
# in a network namespace of its own.
igb_vf() {
    dev=/sys/class/net/$1/device
    # The Physical Function answers Virtual ones when it is up.
    ip addr add 10.9.0.1/24 dev "$1"
    ip link set "$1" up
    sleep 1
    echo 1 >"$dev/sriov_numvfs" && modprobe igbvf || return 1
    for _ in $(seq 50); do
        vf_eth=$(ls "$dev/virtfn0/net" 2>/dev/null) && [ -n "$vf_eth" ] && break
        usleep 20000
    done
    [ -n "$vf_eth" ] || {
        echo 'no Virtual Function'
        return 1
    }
    vf=$(basename "$(readlink -f "$dev/virtfn0")")
    echo "$vf, group $(basename "$(readlink "/sys/bus/pci/devices/$vf/iommu_group")")," \
        "is $vf_eth, driven by $(basename "$(readlink "/sys/bus/pci/devices/$vf/driver")")"
    unshare -n sleep 1000 &
    other=$!
    usleep 100000
    ip link set "$vf_eth" netns "$other"
    nsenter -t "$other" -n ip addr add 10.9.0.2/24 dev "$vf_eth"
    nsenter -t "$other" -n ip link set "$vf_eth" up
    sleep 1
    ping -c 1 -W 5 10.9.0.2 >/tmp/ping 2>&1 || {
        cat /tmp/ping
        return 1
    }
    dd if=/dev/urandom of=/tmp/data bs=1M count=4 2>/dev/null
    nsenter -t "$other" -n timeout 60 nc -l -p 7 </tmp/data >/dev/null &
    usleep 500000
    nc 10.9.0.2 7 </dev/console >/tmp/got
    kill "$other"
    echo "sent by the VF    sha256 $(sum_of </tmp/data)"
    echo "received          sha256 $(sum_of </tmp/got)"
    cmp /tmp/data /tmp/got
}
