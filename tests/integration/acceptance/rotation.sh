#!/bin/bash
# A changed value is seen by every way of looking, by who was there before too, when the commit is answered.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

holds "init" emsa init
holds "env add" emsa env add prod
holds "services" emsa service add prod/web prod/cached
mounted "$work/env"
mounted "$work/cached" --cache

# rotated SERVICE DIRECTORY
rotated() {
    holds "every change, by every way, in $2" /usr/bin/python3 "$here/rotation.py" "$EMSA_STORE/socket" "$2/prod/$1" \
        "prod/$1" $((${EMSA_TEST_ROUNDS:-15} / scale))
    cat "$work/out" "$work/err"
}
rotated web "$work/env"
rotated cached "$work/cached"
is "no request ended with an error" 0 "$(emsa status --json | json errors)"
finish
