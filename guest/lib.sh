# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
# Shared by the demo and the tests that run inside the guest.

# --- TAP ----------------------------------------------------------------------------------------
tap_count=0
tap_failed=0
# check NAME COMMAND...: one line of TAP, with the command's output when it fails.
check() {
    tap_count=$((tap_count + 1))
    tap_name=$1
    shift
    if tap_output=$("$@" 2>&1); then
        echo "ok $tap_count - $tap_name"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_count - $tap_name"
        echo "$tap_output" | sed 's/^/# /'
    fi
}
# none NAME TEXT: nothing may be there.
check_none() {
    tap_name=$1
    shift
    check "$tap_name" sh -c '[ -z "$1" ] || { echo "$1"; exit 1; }' sh "$*"
}
tap_done() {
    echo "1..$tap_count"
    [ "$tap_failed" = 0 ]
}

# --- PCI ----------------------------------------------------------------------------------------
# Every function with a link: address, what it is now, what it can at most, its name.
show_links() {
    for dev in /sys/bus/pci/devices/*; do
        speed=$(cat "$dev/current_link_speed" 2>/dev/null) || continue
        width=$(cat "$dev/current_link_width")
        [ "$width" != 0 ] || continue
        printf '%s  %-14s x%-3s (max %-14s x%s)\n' "${dev##*/}" "${speed% PCIe}" "$width" \
            "$(sed 's/ PCIe//' "$dev/max_link_speed")" "$(cat "$dev/max_link_width")"
    done
}

# Interrupts of a driver, as many as arrived, with their kind (MSI, MSI-X or a line).
show_msix() {
    grep -E "MSI.* $1" /proc/interrupts | awk '{
        n = 0
        for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++)
            n += $i
        kind = $i
        address = $(i + 1) ~ /^[0-9]+-/ ? $(i + 1) : $(i + 1)
        printf "IRQ %-5s %8d  %-16s %-12s %s\n", $1, n, kind, address, $NF
    }'
}
msix_total() {
    show_msix "$1" | awk '$4 ~ /MSIX|MSI-X/ { n += $3 } END { print n + 0 }'
}

# --- NVMe ---------------------------------------------------------------------------------------
# The driver probes in the background: wait for its first disk and print its name.
wait_for_nvme() {
    for _ in $(seq 100); do
        for disk in /sys/block/nvme*n1; do
            if [ -b "/dev/${disk##*/}" ]; then
                echo "${disk##*/}"
                return 0
            fi
        done
        usleep 100000
    done
    return 1
}
nvme_controller() { echo "${1%n*}"; }

sum_of() { sha256sum | cut -d' ' -f1; }
# disk_verify DEVICE MIB: write pseudo-random data, read it with O_DIRECT, compare.
disk_verify() {
    dd if=/dev/urandom of=/tmp/data bs=1M count="$2" 2>/dev/null || return 1
    dd if=/tmp/data of="$1" bs=1M oflag=direct conv=fsync 2>/dev/null || {
        echo "write to $1 failed"
        return 1
    }
    wrote=$(sum_of </tmp/data)
    read_back=$(dd if="$1" bs=1M count="$2" iflag=direct 2>/dev/null | sum_of)
    echo "written    sha256 $wrote"
    echo "read back  sha256 $read_back"
    rm -f /tmp/data
    [ "$wrote" = "$read_back" ] || {
        echo 'they differ'
        return 1
    }
    echo 'verified'
}
