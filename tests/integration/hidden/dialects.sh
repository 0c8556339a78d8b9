#!/bin/bash
# `.emsa/env` means the same to everybody who reads such files, and `.emsa/json` has all: nasty values and random ones,
# read by shells, python's and node's dotenv, docker compose (both of them) and by systemd's rules (dialects.py).
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
/usr/bin/python3 -c 'import dotenv' 2>/dev/null || skip "python3-dotenv is not installed"

modules=${EMSA_NODE_MODULES:-/usr/share/nodejs}
[ -d "$modules/dotenv" ] && command -v node >/dev/null || modules=
echo "node's dotenv: ${modules:-not there}"
export PYTHONDONTWRITEBYTECODE=1
holds "init" emsa init
holds "env add" emsa env add prod
seed=${EMSA_TEST_SEED:-$RANDOM}
/usr/bin/python3 "$here/dialects.py" write "$seed" "$work/corpus.json"
holds "the corpus" emsa import prod/rows "$work/corpus.json" --new --guess-secrets
mounted "$work/env"
service=$work/env/prod/rows
holds "all readers, seed $seed" /usr/bin/python3 "$here/dialects.py" compare "$work/corpus.json" "$service/.emsa" ${modules:+"$modules"}
cat "$work/out"

# The same by the command's own forms, which are made by the same code.
emsa export prod/rows --reveal --format json >"$work/export.json"
same "export and .emsa/json" "$work/export.json" "$service/.emsa/json"
finish
