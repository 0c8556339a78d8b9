#!/bin/bash
# A day of everything at once, in short: see soak.py. EMSA_TEST_SECONDS (ten minutes in the slow run), else a number
# of steps; EMSA_TEST_SEED takes the steps of another run again.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

seed=${EMSA_TEST_SEED:-$((RANDOM * 32768 + RANDOM + 1))}
echo "seed $seed"
holds "init" emsa init
holds "env add" emsa env add dev prod
for place in dev/api dev/web prod/api prod/web; do holds "service add" emsa service add "$place"; done
mounted "$work/view0"
code=0
timeout -k 20 "$((${EMSA_TEST_SECONDS:-0} + ${EMSA_TEST_PATIENCE:-240}))" /usr/bin/python3 "$here/soak.py" "$work" "$EMSA_STORE" "$seed" \
    "$((600 / scale))" "${EMSA_TEST_SECONDS:-0}" || code=$?
is "every answer is the model's (seed $seed)" 0 "$code"
is "no request ended with an error" 0 "$(emsa status --json | json errors)"
holds "verify" emsa verify
finish
