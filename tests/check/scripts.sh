#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every shell script passes shellcheck.
cd "$(dirname "$0")/../.." || exit 1
if ! command -v shellcheck >/dev/null; then
    echo '1..0 # SKIP shellcheck is not installed'
    exit 0
fi
n=0
status=0
for f in scripts/* guest/* tests/*/*.sh tests/*/*/*.sh bench/* .ci/run; do
    [ -f "$f" ] && head -n 2 "$f" | grep -qE '^#!/bin/(ba)?sh|shellcheck' || continue
    n=$((n + 1))
    if out=$(shellcheck -S warning -x -e SC1091 -e SC2154 -e SC2034 "$f" 2>&1); then
        echo "ok $n - $f"
    else
        echo "not ok $n - $f"
        echo "$out" | sed 's/^/# /'
        status=1
    fi
done
echo "1..$n"
exit $status
