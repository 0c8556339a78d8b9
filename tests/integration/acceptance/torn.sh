#!/bin/bash
# No torn read and no old value after a commit was answered: see torn.c.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

seed=${EMSA_TEST_SEED:-$((RANDOM * 32768 + RANDOM + 1))}
echo "seed $seed"
holds "init" emsa init
holds "env add" emsa env add dev
holds "service add" emsa service add dev/torn
mounted "$work/env"
holds "torn reads and freshness" "$EMSA_BIN/torn" "$EMSA_STORE/socket" "$work/env/dev/torn" dev/torn \
    100 $((${EMSA_TEST_COMMITS:-10000} / scale)) 3 "$seed"
cat "$work/out"
is "no request ended with an error" 0 "$(emsa status --json | json errors)"
holds "verify" emsa verify
finish
