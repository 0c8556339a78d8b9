#!/bin/bash
# What a refusal is: sourced by the scripts that try many of them. Whoever sources this has lib.sh, a function `state` that prints
# what stands as far as anybody can tell, and in `stands` what that said last.
# shellcheck disable=SC2154
set -euo pipefail

# refused CODE PART... -- COMMAND...: each part is said, and nothing changed
refused() {
    local code=$1 found=0 part parts=()
    shift
    while [ "$1" != -- ]; do
        parts+=("$1")
        shift
    done
    shift
    checks=$((checks + 1))
    "$@" >"$work/out" 2>"$work/err" </dev/null || found=$?
    [ "$found" = "$code" ] || fault "$*: expected exit $code, found $found: $(head -c 400 "$work/out" "$work/err")"
    for part in "${parts[@]}"; do
        grep -qF -- "$part" "$work/err" || fault "$*: no '$part' in: $(head -c 1000 "$work/err")"
    done
    [ ! -s "$work/out" ] || fault "$*: says on standard output: $(head -c 200 "$work/out")"
    found=$(state)
    is "$*: nothing changed" "$stands" "$found"
    stands=$found
}
