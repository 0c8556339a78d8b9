#!/bin/bash
# A large load: one file of many keys in a resumable sequence of commits, interrupted and taken up again, and
# all of it there afterwards. EMSA_TEST_KEYS (a million in the slow run) in services of a hundred.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

keys=${EMSA_TEST_KEYS:-$((100000 / scale))}
holds "the input" /usr/bin/python3 "$here/tree_make.py" "$keys" "$work/tree.jsonl"
holds "init" emsa init
holds "env add" emsa env add prod

# Killed when it has committed some of it, as the server tells.
mounted "$work/env"
before=$(revision)
emsa import --tree "$work/tree.jsonl" >/dev/null 2>&1 &
loader=$!
while [ "$(revision)" -le "$((before + 1))" ] && kill -0 "$loader" 2>/dev/null; do :; done
kill -9 "$loader" 2>/dev/null || true
wait "$loader" 2>/dev/null || true
echo "killed at $(emsa status --json | json entries) entries"
holds "verify after kill -9" emsa verify
holds "the load is taken up again" emsa import --tree "$work/tree.jsonl"
is "all entries are there" "$keys" "$(emsa status --json | json entries)"
revision=$(revision)
holds "and once more" emsa import --tree "$work/tree.jsonl"
is "changes nothing" "$revision" "$(revision)"

is "services" "$((keys / 100))" "$(find "$work/env/prod" -mindepth 1 -maxdepth 1 | wc -l)"
holds "values are those of the file" /usr/bin/python3 "$here/tree_make.py" --check "$keys" "$work/env"
holds "verify" emsa verify

printf '{"path":"prod/s00000/k00000000","value":"new"}\nnot json\n' >"$work/bad.jsonl"
revision=$(revision)
ends "a bad line is named" 2 "line 2" emsa import --tree "$work/bad.jsonl"
is "and nothing of the file is there" "$revision" "$(revision)"
finish
