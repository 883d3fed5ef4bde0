# SPDX-License-Identifier: GPL-2.0-or-later
# TAP for shell tests of the built program, which $PCILAB names; $SOURCE is the source folder.
: "${PCILAB:?}" "${SOURCE:?}"
set -u
count=0
failed=0
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

# run COMMAND...: leaves its exit status in $status, its streams in $work/out and $work/err.
run() {
    "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

point() { # point GOOD NAME
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        failed=$((failed + 1))
        echo "not ok $count - $2"
        echo "# exit status $status"
        sed 's/^/# out: /' "$work/out" | head -n 20
        sed 's/^/# err: /' "$work/err" | head -n 20
    fi
}

# expect STATUS NAME [STREAM TEXT]...: each TEXT stands in that stream (out or err).
expect() {
    local want=$1 name=$2 good=0
    shift 2
    [ "$status" = "$want" ] || good=1
    while [ $# -gt 0 ]; do
        grep -qF -- "$2" "$work/$1" || good=1
        shift 2
    done
    point $good "$name"
}

error_status=2
# error NAME TEXT: exit status $error_status, one line on stderr with TEXT in it, nothing on stdout.
error() {
    local good=0
    [ "$status" = "$error_status" ] || good=1
    [ "$(wc -l <"$work/err")" = 1 ] || good=1
    [ ! -s "$work/out" ] || good=1
    grep -qF -- "$2" "$work/err" || good=1
    point $good "$1"
}

finish() {
    echo "1..$count"
    [ "$failed" = 0 ]
}
