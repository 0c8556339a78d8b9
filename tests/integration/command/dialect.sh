#!/bin/bash
# The dotenv dialect against parsers that are not ours: python-dotenv, and node's dotenv where it is there
# (EMSA_NODE_MODULES or an installed package).
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
/usr/bin/python3 -c 'import dotenv' 2>/dev/null || skip "python3-dotenv is not installed"

modules=${EMSA_NODE_MODULES:-/usr/share/nodejs}
[ -d "$modules/dotenv" ] && command -v node >/dev/null || modules=
echo "node's dotenv: ${modules:-not there}"
mkdir "$work/rows"
holds "init" emsa init
holds "env add" emsa env add prod
holds "the rows" /usr/bin/python3 "$here/dialect.py" "$work/rows" prod/rows ${modules:+"$modules"}
cat "$work/out"

# What emsa writes means the same to all of them, but for what the list in dialect.py says of escapes.
cat >"$work/plain.json" <<'JSON'
{"A": "plain", "B": "two words", "C": "it has \"quotes\"", "D": "${X} $Y", "E": "one\ntwo", "F": "a\\b", "G": "# x", "H": " x "}
JSON
holds "import" emsa import prod/plain "$work/plain.json"
emsa export prod/plain >"$work/plain.env"
# shellcheck disable=SC2016 # python's
holds "python reads the export" /usr/bin/python3 -c '
import json, sys, dotenv
wanted, found = json.load(open(sys.argv[1])), dict(dotenv.dotenv_values(sys.argv[2], interpolate=False))
sys.exit(0 if wanted == found else f"{found}")' "$work/plain.json" "$work/plain.env"
finish
