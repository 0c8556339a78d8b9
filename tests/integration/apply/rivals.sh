#!/bin/bash
# rivals.sh ROUNDS: two administrators change one service at the same time, by edit, apply and set. No update is lost
# without a message: who comes late is told so (exit status 5), and what he wrote is still there.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

rounds=$(($1 / scale))
[ "$rounds" -gt 3 ] || rounds=4
seed=${EMSA_TEST_SEED:-$((RANDOM * 32768 + RANDOM + 1))}
holds "init" emsa init
holds "env add" emsa env add prod
mounted "$work/env"
holds "$rounds rounds through a server, seed $seed" /usr/bin/python3 "$here/rivals.py" "$work" "$rounds" "$seed"
tail -n 3 "$work/out"
stop_server
# Each command has the store to itself then, and none holds it while its editor runs.
holds "some without" /usr/bin/python3 "$here/rivals.py" "$work" $((rounds / 10 + 4)) "$seed"
tail -n 3 "$work/out"
holds "verify" emsa verify
is "nothing is left in memory" "" "$(find "$work" -maxdepth 1 -name 'emsa-edit*')"
finish
