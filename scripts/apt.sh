# SPDX-License-Identifier: GPL-2.0-or-later
# Packages that are fetched and unpacked, not installed; for scripts/guest and scripts/kernel.
# shellcheck shell=bash
#
# $work is a folder for what is temporary; lists of our own, for who may not refresh the machine's,
# go to $apt_lists.

apt_options=()
apt_private_lists() {
    # shellcheck disable=SC2154
    local d=$apt_lists
    mkdir -p "$d/lists/partial" "$d/cache/archives/partial"
    apt_options=(-o "Dir::State::lists=$d/lists" -o "Dir::Cache=$d/cache")
}
refresh_lists() {
    note 'refreshing the package lists'
    [ "$(id -u)" = 0 ] || apt_private_lists
    apt-get "${apt_options[@]}" -qq update || true
}
# fetch DIR PACKAGE...
fetch() {
    local dir=$1
    shift
    mkdir -p "$dir"
    if ! download "$dir" "$@"; then
        # Lists of yesterday name packages that are gone.
        refresh_lists
        download "$dir" "$@" || {
            cat "$work/apt.err" >&2
            die "could not fetch: $*"
        }
    fi
}
download() {
    # The sandbox user of apt cannot write here; that is only a warning.
    (cd "$1" && apt-get "${apt_options[@]}" -qq download "${@:2}" 2>"$work/apt.err" >/dev/null)
}
