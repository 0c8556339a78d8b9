#!/bin/bash
# Requests that kill every server they are given to: refused the third time, and nobody else notices. Once where the
# kernel sends again what a dead server had in its hands, once where that is found in the shared memory.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
fill
mkdir "$work/env" "$work/programs"
cp "$EMSA_BIN/emsad_poisoned" "$work/programs/emsad"
PATH=$work/programs:$PATH
# A sanitizer that spoke of the faults that are meant would hide others.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0
export TSAN_OPTIONS=${TSAN_OPTIONS:+$TSAN_OPTIONS:}handle_segv=0
for option in "" --replay; do
    # shellcheck disable=SC2086 # none is no argument
    begin $option --mount "$work/env"
    is "ready" "ready" "$said"
    holds "readers beside requests that kill ($option)" /usr/bin/python3 "$here/poison.py" "$work/env/prod/web" \
        "$EMSA_STORE/socket" "$work/log"
    cat "$work/out"
    is "each is told" 5 "$(grep -c 'answered with an error: two servers died of it' "$work/log")"
    inode=$(stat -c %i "$work/env/prod/web/PORT")
    is "and which it was" 1 "$(grep -c "READ for inode $inode " "$work/log")"
    over TERM
    is "its end" 0 "$code"
done
finish
