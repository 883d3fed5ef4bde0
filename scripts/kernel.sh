# SPDX-License-Identifier: GPL-2.0-or-later
# The steps of scripts/kernel; sourced by it.
# shellcheck shell=bash
# shellcheck disable=SC2154

stamp=.pcilab-kernel
# Without --with: what makes nothing slower.
default_fragments=(iommufd p2pdma dpc endpoint-test dmatest dsa iommu-debug)
source_mib=2200 built_mib=900

# --- fragments ----------------------------------------------------------------------------------

fragment_file() {
    case $1 in
    */* | *.config) printf '%s' "$1" ;;
    *) printf '%s' "$fragments_dir/$1.config" ;;
    esac
}
fragments_check() {
    local f file
    for f; do
        file=$(fragment_file "$f")
        [ -f "$file" ] && continue
        case $f in */* | *.config) status=2 die "--with $f: there is no such file" ;; esac
        status=2 die "--with $f: no such fragment in configs/kernel; there are" \
            "$(cd "$fragments_dir" && echo *.config | sed 's/\.config//g')"
    done
}
# fragments_merge FILE FRAGMENT...: base first, each once, the later one wins.
fragments_merge() {
    local out=$1 f
    shift
    [ $# -gt 0 ] || set -- "${default_fragments[@]}"
    names=base
    for f; do
        case " $names " in *" $f "*) ;; *) names+=" $f" ;; esac
    done
    for f in $names; do
        cat "$(fragment_file "$f")"
    done >"$out"
}
# The lines that kconfig is given.
fragment_lines() {
    sed -nE 's/^((# )?CONFIG_[A-Za-z0-9_]+(=[^#]*[^# ]| is not set)) *(#.*)?$/\1/p' "$1"
}

# --- the source ---------------------------------------------------------------------------------

# Sets source: the unpacked source of this suite, '' if there is none yet.
source_find() {
    local known=$kernels/source/.${suite:-default}
    source=''
    [ -n "$refresh" ] || [ ! -f "$known" ] || source=$kernels/source/$(cat "$known")
    [ -f "$source/Kconfig" ] || source=''
    [ -n "$source" ] || [ -z "$find" ] || die "no source has been unpacked yet"
    # The key needs it.
    [ -n "$source" ] || source_unpack
}
need_space() {
    local free
    free=$(df -Pm "$kernels" | awk 'NR == 2 { print $4 }')
    [ "$free" -ge "$1" ] ||
        die "no room for $2: $kernels needs $1 MiB and has $free (scripts/kernel --clean)"
}
# Sets archive and source_name.
source_fetch() {
    local deb
    if [ -n "$suite" ]; then
        suite_fetch_source "$suite" "$work/debs"
    else
        [ -z "$refresh" ] && apt-cache show linux-source-6.12 >/dev/null 2>&1 || refresh_lists
        apt-cache "${apt_options[@]}" show linux-source-6.12 >/dev/null 2>&1 ||
            die "apt offers no linux-source-6.12 here; try --suite trixie-backports"
        note 'fetching linux-source-6.12'
        fetch "$work/debs" linux-source-6.12
    fi
    deb=$(echo "$work"/debs/linux-source-*.deb)
    source_name=$(dpkg-deb -f "$deb" Package)_$(dpkg-deb -f "$deb" Version)
    source_name=${source_name//[:\/]/_}
    [ ! -f "$kernels/source/$source_name/Kconfig" ] || return 0
    dpkg-deb --fsys-tarfile "$deb" |
        tar -x -C "$work" --wildcards './usr/src/linux-source-*.tar.*' ||
        die "$deb is not a whole Debian package"
    archive=$(echo "$work"/usr/src/linux-source-*.tar.*)
}
source_unpack() {
    need_space $source_mib 'the source'
    mkdir -p "$kernels/source"
    source_fetch
    source=$kernels/source/$source_name
    if [ ! -f "$source/Kconfig" ]; then
        note "unpacking $source_name"
        mkdir "$work/unpacked"
        tar -x -C "$work/unpacked" --strip-components=1 -f "$archive" ||
            die "could not unpack $archive"
        [ -f "$work/unpacked/Kconfig" ] || die "$archive holds no kernel"
        rm -rf "$source"
        mv "$work/unpacked" "$source"
    fi
    printf '%s\n' "$source_name" >"$kernels/source/.${suite:-default}"
}

# --- the kernel ---------------------------------------------------------------------------------

kernel_key() {
    {
        # What this script does to them counts as well.
        echo 1
        basename "$source"
        gcc --version | head -n 1
        fragment_lines "$work/wanted.config"
        for p in "${patches[@]}"; do sha256sum <"$p"; done
    } | sha256sum | cut -c1-16
}
kernel_describe() {
    echo "release: $(cat "$tree/include/config/kernel.release")"
    echo "source: $(basename "$source")"
    echo "fragments: $names"
    for p in "${patches[@]}"; do echo "patch: $(basename "$p")"; done
}

# explain_patch FILE OUTPUT: what GNU patch had to say, in one line for each hunk.
explain_patch() {
    awk -v patch="$1" '
        /^(patching|checking) file / { file = $3 }
        /^can.t find file to patch/ { missing = 1 }
        /^[|]?(---|\+\+\+) / && missing && $1 ~ /\+\+\+/ {
            print "  " $2 ": the source has no such file"; missing = 0; bad = 1 }
        /^Hunk #[0-9]+ FAILED/ {
            sub(/\.$/, "")
            print "  " file ": hunk " substr($2, 2) " fails, at line " $5; bad = 1 }
        /^Hunk #[0-9]+ ignored/ { bad = 1 }
        /Reversed \(or previously applied\)/ { print "  " file ": already there"; bad = 1 }
        /Only garbage was found/ { print "  there is no patch in it"; bad = 1 }
        END { if (!bad) exit 1 }' "$2" || sed 's/^/  /' "$2"
}
apply_patches() {
    local p
    for p in "${patches[@]}"; do
        # All of it or nothing of it, and as strict about the context as git is. patch(1) puts a new
        # file in the place of each that it changes: the source keeps what it had.
        if ! patch -p1 -F0 --dry-run --force --directory="$1" <"$p" >"$work/patch.log" 2>&1; then
            printf '%s\n' "${red}kernel:${plain} $p does not apply to $(basename "$source"):"
            explain_patch "$p" "$work/patch.log"
            rm -rf "$1" "$tree.lock"
            exit 1
        fi
        patch -p1 -F0 --force --silent --no-backup-if-mismatch --directory="$1" <"$p" ||
            die "$p: could not be applied"
        note "with $(basename "$p")"
    done
}

# kernel_configure DIR: nothing but what the fragments ask for and what that depends on.
kernel_configure() {
    local line lost=() optional
    fragment_lines "$work/wanted.config" >"$work/all.config"
    KCONFIG_ALLCONFIG=$work/all.config make -s -C "$1" ARCH=x86_64 allnoconfig \
        >"$work/config.log" 2>&1 || {
        cat "$work/config.log"
        die "could not configure $1"
    }
    optional=" $(sed -nE 's/^(CONFIG_[A-Za-z0-9_]+)=.*# if exists.*/\1/p' "$work/wanted.config" |
        tr '\n' ' ')"
    # The last word on each option.
    while read -r line; do
        grep -qxF "$line" "$1/.config" && continue
        [[ $line != *=m ]] || ! grep -qx "${line%m}y" "$1/.config" || continue
        [[ $line != *'is not set' ]] || continue
        [[ $optional != *" ${line%%=*} "* ]] || continue
        lost+=("$line")
    done < <(tac "$work/all.config" | sed 's/^# //' |
        awk '{ key = $1; sub(/=.*/, "", key) } !seen[key]++' | grep '=')
    [ ${#lost[@]} = 0 ] ||
        die "this source cannot have (a dependency is missing, or there is no such option):" \
            "${lost[*]}"
}

# Where it was interrupted, compiling goes on.
kernel_prepare() {
    steps=$(basename "$source")
    need_space $built_mib 'a kernel'
    local new=$tree.new
    resumed=yes
    if [ ! -d "$tree" ]; then
        resumed=''
        rm -rf "$new"
        cp -al "$source" "$new"
        apply_patches "$new"
        kernel_configure "$new"
        mv "$new" "$tree"
    fi
}

# Reads make's lines; $1: how many there were the last time.
show_progress() {
    local n=0 line what='' since=$SECONDS shown=$SECONDS left percent
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$work/make.log"
        case $line in '  '[A-Z]*) ;; *) continue ;; esac
        n=$((n + 1))
        what=${line##* }
        percent=$((n < $1 ? n * 100 / $1 : 99))
        if [ -t 2 ]; then
            left=''
            if [ $n -gt 50 ] && [ $((SECONDS - since)) -gt 4 ] && [ $n -lt "$1" ]; then
                left="$(((SECONDS - since) * ($1 - n) / n)) s left"
            fi
            printf '\r\e[K    %3d%%  %-10s %s' "$percent" "$left" "${what:0:60}"
        elif [ $((SECONDS - shown)) -ge 30 ]; then
            shown=$SECONDS
            note "$percent%  $what"
        fi
    done
    [ ! -t 2 ] || printf '\r\e[K'
    echo "$n" >"$work/steps"
}
kernel_compile() {
    local dir=$1 expected since=$SECONDS
    expected=$(cat "$kernels/steps/$steps" 2>/dev/null || echo 2000)
    say "Building $(make -s -C "$dir" ARCH=x86_64 LOCALVERSION=-pcilab kernelrelease) with $names"
    : >"$work/make.log"
    # Nothing of when and where it was built is in it. ccache is told to go by the files that the
    # compiler names: preprocessing everything first would take a third more.
    CCACHE_DEPEND=1 nice make -C "$dir" -j"$jobs" ARCH=x86_64 CC='ccache gcc' HOSTCC='ccache gcc' \
        LOCALVERSION=-pcilab KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' \
        KBUILD_BUILD_USER=pcilab KBUILD_BUILD_HOST=pcilab bzImage modules 2>&1 |
        show_progress "$expected" || {
        grep -E -A3 'error|undefined reference|No space left|\*\*\*' "$work/make.log" |
            head -n 40
        cp "$work/make.log" "$dir.log"
        die "this kernel does not compile; all that was said is in $dir.log"
    }
    # Of a run that was not interrupted.
    if [ "$steps" != own ] && [ -z "$resumed" ]; then
        mkdir -p "$kernels/steps"
        cp "$work/steps" "$kernels/steps/$steps"
    fi
    note "built in $(((SECONDS - since) / 60)):$(printf '%02d' $(((SECONDS - since) % 60)))"
}

# Into their own folders of the tree.
kernel_selftests() {
    local dir=$1 target targets=()
    for target in iommu vfio; do
        [ ! -f "$dir/tools/testing/selftests/$target/Makefile" ] || targets+=("$target")
    done
    note "compiling its tests: ${targets[*]}"
    # Debian's 6.12.117 has tests that are newer than its headers.
    {
        make -s -C "$dir" -j"$jobs" ARCH=x86_64 headers &&
            make -s -k -C "$dir/tools/testing/selftests" -j"$jobs" TARGETS="${targets[*]}" \
                FORCE_TARGETS=1
    } >"$work/selftests.log" 2>&1 ||
        note "not all of them compile: $(grep -m1 error: "$work/selftests.log")"
}

kernel_list() {
    local f d link
    echo 'Fragments (configs/kernel):'
    for f in "$fragments_dir"/*.config; do
        name=$(basename "$f" .config)
        d=' '
        case " base ${default_fragments[*]} " in *" $name "*) d='*' ;; esac
        printf '  %s %-14s %s\n' "$d" "$name" "$(sed -n '1s/^# //p' "$f")"
    done
    echo '  (*: without --with)'
    echo
    echo "Kernels ($kernels/built):"
    for f in "$kernels"/built/*/"$stamp"; do
        [ -f "$f" ] || {
            echo '  none'
            break
        }
        d=$(dirname "$f")
        printf '  %s  %s, %s' "${d##*/}" "$(sed -n 's/^source: //p' "$f")" \
            "$(sed -n 's/^fragments: //p' "$f")"
        sed -n 's/^patch: /, /p' "$f" | tr -d '\n'
        for link in "$kernels"/*; do
            [ ! -L "$link" ] || [ ! "$link" -ef "$d" ] || printf ' = %s' "${link##*/}"
        done
        echo
    done
}
