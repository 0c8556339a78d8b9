#!/bin/bash
# Projects made at random, from what docker-compose and emsa both know: compared key by key. EMSA_TEST_SEED gives
# the seed back.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=support.sh
. "$here/support.sh"

seed=${EMSA_TEST_SEED:-$RANDOM}
echo "seed $seed (EMSA_TEST_SEED)"
for round in 1 2 3 4 5 6; do
    rm -rf "$work/project"
    /usr/bin/python3 "$here/project.py" "$((seed + round))" "$work/project"
    compared "seed $((seed + round))" "$work/project" dotenv
done
finish
