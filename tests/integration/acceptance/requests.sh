#!/bin/bash
# How many FUSE requests a warm operation makes, counted by the kernel.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

holds "init" emsa init
holds "env add" emsa env add prod
printf 'sixty-four bytes or so' >"$work/value"
for n in $(seq 20); do printf '{"path":"prod/web/KEY%s","value":"a plain value"}\n' "$n"; done >"$work/lines"
holds "plain values" emsa import --tree "$work/lines"
holds "a secret" emsa set prod/web --secret-file "SECRET=$work/value"
mounted "$work/env"
mounted "$work/cached" --cache

# counted HOW FILE
counted() {
    local code=0
    checks=$((checks + 1))
    /usr/bin/python3 "$here/requests.py" "$EMSA_BIN/measure" "$1" "$2" >"$work/out" 2>"$work/err" || code=$?
    [ $code != 77 ] || skip "$(cat "$work/err")"
    cat "$work/out"
    [ $code = 0 ] || fault "more requests than needed: $(cat "$work/err")"
}
counted default "$work/env/prod/web/KEY7"
counted default "$work/env/prod/web/SECRET"
counted cache "$work/cached/prod/web/KEY7"
finish
