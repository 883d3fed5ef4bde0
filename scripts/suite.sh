# SPDX-License-Identifier: GPL-2.0-or-later
# Kernels of another Debian suite; sourced by scripts/guest and scripts/kernel.
# shellcheck shell=bash
#
# apt works in a world of its own here: sources, preferences, lists, caches and state lie below the
# build folder, and nothing of the machine's is written or refreshed. Of the machine's settings
# those of its apt.conf.d hold (a proxy), but not its hooks. Signatures are checked against Debian's
# keyring only.

debian_keyring=/usr/share/keyrings/debian-archive-keyring.gpg
suite_apt=''

# The mirror from which this machine takes Debian itself.
suite_mirror() {
    local codename uri
    codename=$(. /etc/os-release 2>/dev/null && printf '%s' "${VERSION_CODENAME:-}")
    # shellcheck disable=SC2016
    uri=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' \
        2>/dev/null | awk -v c="$codename" '$2 == c && $1 ~ /debian/ { print $1; exit }')
    printf '%s' "${uri:-http://deb.debian.org/debian/}"
}

suite_prepare() {
    local d=$root/build/apt/$1 mirror
    [ -r "$debian_keyring" ] ||
        die "$debian_keyring is missing: install the package debian-archive-keyring"
    mirror=$(suite_mirror)
    mkdir -p "$d"/{etc/preferences.d,etc/sources.list.d,etc/trusted.gpg.d} \
        "$d"/{lists/partial,cache/archives/partial,state}
    : >"$d/state/status"
    printf 'deb [arch=amd64 signed-by=%s] %s %s main\n' "$debian_keyring" "$mirror" "$1" \
        >"$d/etc/sources.list"
    cat >"$d/apt.conf" <<CONF
Dir::State "$d/state";
Dir::State::lists "$d/lists";
Dir::State::status "$d/state/status";
Dir::Cache "$d/cache";
Dir::Log "$d/state";
Dir::Etc::sourcelist "$d/etc/sources.list";
Dir::Etc::sourceparts "$d/etc/sources.list.d";
Dir::Etc::preferences "$d/etc/preferences";
Dir::Etc::preferencesparts "$d/etc/preferences.d";
Dir::Etc::trusted "$d/etc/trusted.gpg";
Dir::Etc::trustedparts "$d/etc/trusted.gpg.d";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
    suite_apt=$d/apt.conf
    note "asking $mirror for the kernels of $1"
    # A suite that the mirror does not have, a bad signature and no network all end here.
    apt-get -c "$suite_apt" -qq -o APT::Update::Error-Mode=any update 2>"$work/apt.err" || {
        cat "$work/apt.err" >&2
        die "apt cannot read suite $1 of $mirror"
    }
}

# The newest plain kernel: no -rt, no -cloud, no debugging symbols.
suite_newest() {
    apt-cache -c "$suite_apt" pkgnames linux-image- |
        grep -E '^linux-image-[0-9][0-9a-z.~+]*(-[0-9]+)?-amd64(-unsigned)?$' | sort -V |
        tail -n 1 || true
}

# suite_download DIR PACKAGE...
suite_download() {
    mkdir -p "$1"
    (cd "$1" && apt-get -c "$suite_apt" -qq download "${@:2}" 2>"$work/apt.err" >/dev/null) || {
        cat "$work/apt.err" >&2
        die "could not fetch ${*:2}"
    }
}

# suite_fetch SUITE DIR: the packages of that kernel. Up to Linux 6.16 Debian has one; newer ones
# lie in linux-binary-*, linux-modules-* and linux-base-*, on which the image depends.
suite_fetch() {
    local image parts
    suite_prepare "$1"
    image=$(suite_newest)
    [ -n "$image" ] || die "suite $1 has no linux-image-*-amd64"
    mapfile -t parts < <(apt-cache -c "$suite_apt" depends "$image" |
        sed -nE 's/^ +(Pre-)?Depends: (linux-(base|binary|modules)-[0-9].*)$/\2/p')
    note "fetching $image"
    suite_download "$2" "$image" "${parts[@]}"
}

# suite_fetch_source SUITE DIR: the newest linux-source-* of it.
suite_fetch_source() {
    local package
    suite_prepare "$1"
    package=$(apt-cache -c "$suite_apt" pkgnames linux-source- |
        grep -E '^linux-source-[0-9.]+$' | sort -V | tail -n 1 || true)
    [ -n "$package" ] || die "suite $1 has no linux-source-*"
    note "fetching $package"
    suite_download "$2" "$package"
}
