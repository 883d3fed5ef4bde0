#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts/kernel, on a source that builds in no time: options, patches, fragments, the cache.
. "$SOURCE/tests/cli/lib.sh"
export PCILAB_KERNEL_DIR=$work/kernels
kernel=("$SOURCE/scripts/kernel")
source=$work/kernels/source/tiny

# Nothing is installed, and nothing compiled that has to be remembered.
mkdir -p "$work/bin" "$source"
printf '#!/bin/sh\necho installed\n' >"$work/bin/dpkg-query"
printf '#!/bin/sh\nexec "$@"\n' >"$work/bin/ccache"
chmod +x "$work"/bin/*
PATH=$work/bin:$PATH
echo tiny >"$work/kernels/source/.default"
touch "$source/Kconfig" "$source/Kbuild"
printf 'one\ntwo\nthree\nfour\nfive\nsix\nseven\n' >"$source/code.c"
sed 's/^ \+/\t/' >"$source/Makefile" <<'MAKE'
allnoconfig:
    @grep -v IMPOSSIBLE "$$KCONFIG_ALLCONFIG" >.config
kernelrelease:
    @echo 6.12.0-tiny
bzImage:
    @echo '  CC      code.o'
    @echo built >>../../log
    @! grep broken code.c || { echo 'code.c:1: error: broken'; exit 1; }
    @mkdir -p arch/x86/boot include/config
    @cp code.c arch/x86/boot/bzImage
    @echo 6.12.0-tiny >include/config/kernel.release
modules:
MAKE
holds() { # holds NAME COMMAND...
    local good=0
    "${@:2}" || good=1
    point $good "$1"
}
builds() { wc -l <"$work/kernels/log"; }

run "${kernel[@]}" --help
expect 0 '--help' out 'Examples:' out '--patch FILE' out 'Exit status:'
run "${kernel[@]}" --nope
expect 2 'an unknown option' err 'unknown option --nope'
run "${kernel[@]}" --with nope
expect 2 'an unknown fragment' err '--with nope: no such fragment' err 'iommufd'
run "${kernel[@]}" --with ./nope.config
expect 2 'a fragment file that is not there' err './nope.config: there is no such file'
run "${kernel[@]}" --patch "$work/nope"
expect 2 'a patch that is not there' err "$work/nope: there is no such file"
run "${kernel[@]}" --suite ../x
expect 2 'a suite that is none' err '--suite ../x'
run "${kernel[@]}" --name ../x
expect 2 'a name that is none' err '--name ../x'
run "${kernel[@]}" --tree "$work" --with base
expect 2 'a tree that is none' err "$work: this is not the top"
run "${kernel[@]}" --tree "$work" --patch "$source/code.c"
expect 2 'a patch for a tree' err '--tree builds what is there'
run "${kernel[@]}" --find
expect 1 'nothing built yet' err 'not built yet'

run "${kernel[@]}" --name tests
first=$(cat "$work/out")
expect 0 'a kernel' err 'Building 6.12.0-tiny with base iommufd' out "$work/kernels/built/"
holds 'its name leads to it' test "$work/kernels/tests/arch/x86/boot/bzImage" -ef \
    "$first/arch/x86/boot/bzImage"
run "${kernel[@]}"
holds 'asked for again it is there' test "$(cat "$work/out") $(builds)" = "$first 1"
run "${kernel[@]}" --find
holds 'and found' test "$(cat "$work/out") $(builds)" = "$first 1"
run "${kernel[@]}" --with base
holds 'other fragments make another one' test "$(cat "$work/out")" != "$first" -a "$(builds)" = 2

sed 's/four/FOUR/' "$source/code.c" >"$work/new.c"
diff -u --label a/code.c --label b/code.c "$source/code.c" "$work/new.c" >"$work/good.patch"
run "${kernel[@]}" --patch "$work/good.patch"
patched=$(cat "$work/out")
expect 0 'a patch' err 'with good.patch'
holds 'it is in the kernel' grep -q FOUR "$patched/arch/x86/boot/bzImage"
holds 'and not in the source' grep -qx four "$source/code.c"
run "${kernel[@]}" --patch "$work/good.patch" --patch "$work/good.patch"
expect 1 'the same patch twice' err 'does not apply' err 'code.c: hunk 1 fails, at line 1'
sed 's/^ two/ zwei/' "$work/good.patch" >"$work/bad.patch"
run "${kernel[@]}" --patch "$work/bad.patch"
expect 1 'a patch that does not apply' err "$work/bad.patch does not apply" \
    err 'code.c: hunk 1 fails, at line 1'
sed 's/code\.c/other.c/' "$work/good.patch" >"$work/other.patch"
run "${kernel[@]}" --patch "$work/other.patch"
expect 1 'a patch for another file' err 'other.c: the source has no such file'
run "${kernel[@]}" --patch "$source/Makefile"
expect 1 'a patch that is none' err 'there is no patch in it'
sed 's/+FOUR/+broken/' "$work/good.patch" >"$work/broken.patch"
run "${kernel[@]}" --patch "$work/broken.patch"
expect 1 'a kernel that does not compile' err 'code.c:1: error: broken' err 'does not compile'
run "${kernel[@]}" --find --patch "$work/broken.patch"
expect 1 'is not there afterwards' err 'not built yet'

echo CONFIG_IMPOSSIBLE=y >"$work/my.config"
run "${kernel[@]}" --with "iommufd $work/my.config"
expect 1 'an option that cannot be had' err 'this source cannot have' err 'CONFIG_IMPOSSIBLE=y'
echo 'CONFIG_IMPOSSIBLE=y # if exists' >"$work/my.config"
run "${kernel[@]}" --with "iommufd $work/my.config"
expect 0 'one that need not be there' err 'with base iommufd'

mine=$work/kernels/own/mine
mkdir -p "${mine%/*}"
cp -r "$source" "$mine"
echo eight >>"$mine/code.c"
run "${kernel[@]}" --tree "$mine" --with "iommufd kasan"
expect 0 'a tree of our own' err 'with base iommufd kasan' out "$mine"
holds 'is built where it is' grep -qx eight "$mine/arch/x86/boot/bzImage"
holds 'with the fragments' grep -qx CONFIG_KASAN=y "$mine/.config"
echo broken >>"$mine/code.c"
run "${kernel[@]}" --tree "$mine" --with base
expect 1 'and again after an edit' err 'does not compile'

run "${kernel[@]}" --list
expect 0 '--list' out '* iommufd' out '  kasan' out ', good.patch' out '= tests'
run "${kernel[@]}" --clean
holds '--clean' test ! -e "$work/kernels/built" -a ! -e "$work/kernels/tests"
finish
