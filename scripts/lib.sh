# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by the scripts of this folder; sourced by bash, never run by itself.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
guest_dir=${PCILAB_GUEST_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pcilab/guest}

# What a build needs, and what more is needed to judge a change.
packages_build=(gcc libc6-dev meson ninja-build pkg-config libglib2.0-dev libssl-dev zlib1g-dev
    libzstd-dev liblzma-dev liblz4-dev libjson-glib-dev libslirp-dev liblua5.4-dev
    check acpica-tools pciutils)
packages_guest=(binutils coreutils cpio gcc kmod libc6-dev xz-utils)
packages_kernel=(bc binutils bison ccache coreutils flex gcc kmod libc6-dev libelf-dev make patch
    util-linux xz-utils)
packages_selftests=(libcap-dev rsync uuid-dev)
packages_test=(gdb git python3 clang-format-14 shellcheck e2fsprogs fio nvme-cli accel-config
    accel-config-test)
packages_full=(clang-14 libclang-rt-14-dev)
packages_test+=(graphviz udev)
packages_full+=(parallel slurm-wlm chromium tshark)

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' dim='' red='' green='' plain=''
fi

say() { printf '%s\n' "${bold}==>${plain} $*"; }
note() { printf '%s\n' "    ${dim}$*${plain}"; }
die() {
    printf '%s\n' "${red}${0##*/}:${plain} $*" >&2
    exit "${status:-1}"
}

# The wall clock in milliseconds: these scripts time themselves, the simulator never does.
now_ms() {
    local t=${EPOCHREALTIME/[.,]/}
    printf '%s' "$((t / 1000))"
}

seconds() { printf '%d.%d' "$(($1 / 1000))" "$(($1 % 1000 / 100))"; }

# stage NAME starts a timed stage; stages_show prints what each has taken so far.
stage_names=() stage_times=() stage_name='' stage_since=0
stage_end() {
    [ -n "$stage_name" ] || return 0
    stage_names+=("$stage_name")
    stage_times+=("$(($(now_ms) - stage_since))")
    stage_name=''
}
stage() {
    stage_end
    stage_name=$1 stage_since=$(now_ms)
    say "$1"
}
stages_show() {
    stage_end
    local i total=0
    for i in "${!stage_names[@]}"; do
        printf '    %-58s %6s s\n' "${stage_names[i]}" "$(seconds "${stage_times[i]}")"
        total=$((total + stage_times[i]))
    done
    printf '    %-58s %6s s\n' total "$(seconds "$total")"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "need root (or sudo) for: $*"
    fi
}

package_present() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Install those of the named packages that are missing; silent when none is.
need_packages() {
    local missing=() p
    for p in "$@"; do
        package_present "$p" || missing+=("$p")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null ||
        die "these packages are missing, and there is no apt-get to install them: ${missing[*]}"
    note "installing ${missing[*]}"
    if ! apt-cache show "${missing[@]}" >/dev/null 2>&1; then
        as_root apt-get -qq update || note "could not refresh the package lists; going on"
    fi
    if ! install_packages "${missing[@]}" 2>/dev/null; then
        # Lists of yesterday name packages that are gone.
        as_root apt-get -qq update || true
        install_packages "${missing[@]}" || die "apt-get could not install: ${missing[*]}"
    fi
}
install_packages() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 install "$@" >/dev/null
}

# configure DIR [meson option...]: configure a build folder once.
configure() {
    local dir=$1
    shift
    if [ -f "$dir/build.ninja" ]; then
        return 0
    fi
    rm -rf "$dir"
    meson setup "$dir" "$root" "$@" >"$dir.log" 2>&1 || {
        cat "$dir.log" >&2
        die "meson could not configure $dir"
    }
    rm -f "$dir.log"
}

# build DIR [target...]: compile quietly, show everything when it fails.
build() {
    local log
    log=$(mktemp)
    if ! ninja -C "$@" >"$log" 2>&1; then
        cat "$log" >&2
        rm -f "$log"
        die "the build in $1 failed"
    fi
    if grep -q 'warning:' "$log"; then
        grep -A4 'warning:' "$log" >&2
    fi
    rm -f "$log"
}
