#!/bin/bash
# One open is one snapshot, while commits change every key: 50 keys below an opened `.emsa/head/`, and `.emsa/env` and `.emsa/json`
# by every way that programs read them (snapshot.py). ROUNDS widens it.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
rounds=$((${ROUNDS:-120} / scale + 20))
holds "init" emsa init
holds "env add" emsa env add prod
mounted "$work/env"
holds "$rounds rounds" /usr/bin/python3 -B "$here/snapshot.py" "$work/env" "$rounds"
cat "$work/out"
finish
