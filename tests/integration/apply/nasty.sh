#!/bin/bash
# Values that are hard to write as YAML: what export writes is read by PyYAML, by libyaml's other callers and by apply as
# the very bytes; and files that others write are read as they stand.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "there is no PyYAML"
seed=${EMSA_TEST_SEED:-$((RANDOM * 32768 + RANDOM + 1))}
echo "seed $seed"
holds "init" emsa init
holds "env add" emsa env add prod
holds "values" /usr/bin/python3 "$here/nasty.py" make "$seed" $((3000 / scale)) "$work/values.jsonl"
holds "set" emsa import --tree "$work/values.jsonl"
holds "export" emsa export --format yaml
cp "$work/out" "$work/all.yaml"
holds "PyYAML reads the bytes" /usr/bin/python3 "$here/nasty.py" compare "$work/values.jsonl" "$work/all.yaml"
cat "$work/out"
holds "nothing is another" emsa apply "$work/all.yaml"
is "for emsa" 1 "$(grep -c "nothing to change" "$work/out")"
emsa --store "$work/second" init >/dev/null
grep -v '^rev:' "$work/all.yaml" >"$work/free.yaml"
holds "an empty store" emsa --store "$work/second" apply "$work/free.yaml"
same "has the same" <(emsa --store "$work/second" export --format yaml | grep -v '^rev:') "$work/free.yaml"
# as PyYAML writes it, with its own quotes, folds and flows
holds "PyYAML writes them" /usr/bin/python3 "$here/nasty.py" write "$work/values.jsonl" "$work/theirs.yaml"
holds "and emsa reads them" emsa apply "$work/theirs.yaml"
is "as what they are" 1 "$(grep -c "nothing to change" "$work/out")"
finish
