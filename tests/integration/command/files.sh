#!/bin/bash
# import and export: what is taken, what is asked about, what is refused, and both ways byte for byte.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=told.sh
. "$here/told.sh"

kind() {
    emsa ls "$1" --json | json items 0 kind
}

marks() {
    local place=$1
    printf 'PORT=1\nAPI_TOKEN=abc\nDB=postgres://u:p@h/%s\nPEM="-----BEGIN PRIVATE KEY-----\n%s"\n' "$place" "$place" >"$work/x.env"
    ends "all suspects are listed" 4 "API_TOKEN" emsa import "$place" "$work/x.env"
    is "each of them" "3" "$(grep -c "line [0-9]" "$work/err")"
    is "by line" "1" "$(grep -c "PEM (line 4)" "$work/err")"
    ends "a mark for each is wanted" 4 "DB" emsa import "$place" "$work/x.env" --secret API_TOKEN --plain PEM
    ends "a mark for no key" 3 "OTHER" emsa import "$place" "$work/x.env" --secret OTHER
    ends "two marks for one key" 2 "choose" emsa import "$place" "$work/x.env" --secret PEM --plain PEM
    ends "nothing was made" 3 "" emsa ls "$place"
    holds "all marked" emsa import "$place" "$work/x.env" --secret API_TOKEN --secret DB --plain PEM
    is "a secret" secret "$(kind "$place/API_TOKEN")"
    is "marked plain" plain "$(kind "$place/PEM")"
    holds "guessed" emsa import "$place" "$work/x.env" --guess-secrets
    is "guessed a secret" secret "$(kind "$place/PEM")"
    is "not guessed" plain "$(kind "$place/PORT")"
    holds "a dry run" emsa import "$place-dry" "$work/x.env" --guess-secrets --dry-run
    ends "makes nothing" 3 "" emsa ls "$place-dry"
}

formats() {
    local place=$1
    printf '{"A": "x", "N": 8080, "T": true, "E": "", "B": {"base64": "AP8="}, "L": "one\\ntwo"}' >"$work/x.json"
    holds "json by its name" emsa import "$place" "$work/x.json"
    is "a number as it is written" 8080 "$(emsa get "$place/N")"
    is "a word" true "$(emsa get "$place/T")"
    is "bytes" "00ff" "$(emsa get "$place/B" | hex)"
    holds "json by its format, from stdin" bash -c "emsa import $place - --format json <'$work/x.json'"
    ends "an unknown format" 2 "dotenv" emsa import "$place" "$work/x.json" --format yaml
    printf '{"A": {"B": 1}}' >"$work/nested.json"
    ends "nested" 2 "'A'" emsa import "$place" "$work/nested.json"
    printf '{"A": null}' >"$work/null.json"
    ends "null" 2 "null" emsa import "$place" "$work/null.json"
    ends "NUL in a dotenv export" 2 "json" emsa export "$place"
    holds "rm" emsa rm "$place/B"
    printf 'A=1\n# again\nA=2\n' >"$work/twice.env"
    holds "a key twice" emsa import "$place" "$work/twice.env"
    told "is told" "line 3" "$work/err"
    is "and the last holds" 2 "$(emsa get "$place/A")"
    printf '\n' >"$work/empty.env"
    ends "an empty file" 2 "nothing" emsa import "$place" "$work/empty.env"
    ends "a folder" 2 "folder" emsa import "$place" "$work"
}

# Values that every form has its trouble with, there and back.
both_ways() {
    local place=$1 form
    /usr/bin/python3 - "$work/values" <<'PYTHON'
import json, os, random, sys
seed = int(os.environ.get("EMSA_TEST_SEED", random.randrange(1 << 30)))
print("seed", seed, "(EMSA_TEST_SEED)")
random.seed(seed)
often = "'\"\\$\n\r\t #={}`ab"
values = {f"K{i}": "".join(random.choice(often) for _ in range(random.randrange(12))) for i in range(200)}
values.update({"EMPTY": "", "UNICODE": "\u00e4\u20ac\U0001f600", "TRAIL": "x ", "LEAD": " x", "SLASH": "a\\"})
json.dump(values, open(sys.argv[1] + ".json", "w"))
PYTHON
    holds "the values" emsa import "$place" "$work/values.json"
    mounted "$work/env"
    for form in dotenv json; do
        holds "export $form" emsa export "$place" --format "$form"
        cp "$work/out" "$work/exported.$form"
        holds "import $form" emsa import "$place-$form" "$work/exported.$form" --format "$form"
        holds "is the same" diff -r "$work/env/$place" "$work/env/$place-$form"
    done
    emsa export "$place" --format shell >"$work/exported.sh"
    bash -c ". '$work/exported.sh'; env -0" >"$work/env0"
    # shellcheck disable=SC2016 # python's, not the shell's
    holds "a shell has the same" /usr/bin/python3 -c '
import json, sys
wanted = json.load(open(sys.argv[1]))
found = dict(p.split(b"=", 1) for p in open(sys.argv[2], "rb").read().split(b"\0") if p)
wrong = [k for k, v in wanted.items() if found.get(k.encode()) != v.encode()]
sys.exit(f"not the same: {wrong}" if wrong else 0)' "$work/values.json" "$work/env0"
    emsa umount "$work/env"
}

exports() {
    local place=$1
    printf s3 | emsa set --secret "$place/S" - >/dev/null
    holds "values" emsa set "$place" A=1 x.y=2
    ends "a secret wants a word" 4 "no-secrets" emsa export "$place"
    is "nothing is printed" "0" "$(stat -c %s "$work/out")"
    is "without secrets" "A=1 x.y=2" "$(emsa export "$place" --no-secrets | paste -sd ' ')"
    is "with them" "A=1 S=s3 x.y=2" "$(emsa export "$place" --reveal | paste -sd ' ')"
    is "shell leaves away what is no variable" "export A='1' export S='s3'" \
        "$(emsa export "$place" --reveal --format shell 2>"$work/err" | paste -sd ' ')"
    told "and says so" "x.y" "$work/err"
    ends "or with --strict is an error" 2 "x.y" emsa export "$place" --reveal --format shell --strict
    is "json" "2" "$(emsa export "$place" --reveal --json | json x.y)"
    holds "an empty service" emsa service add "$place-none"
    is "is an empty object" "{}" "$(emsa export "$place-none" --format json | tr -d '\n')"
}

trees() {
    local rev
    printf '{"path":"prod/t1/A","value":"1"}\n\n{"path":"prod/t2/SECRET","value":"s","secret":true}\n' >"$work/t.jsonl"
    printf '{"secret":false,"path":"prod/t2/TOKEN_COUNT","base64":"AP8="}' >>"$work/t.jsonl"
    holds "a tree" emsa import --tree "$work/t.jsonl" --json
    is "its keys" 3 "$(json keys <"$work/out")"
    is "a secret" secret "$(kind prod/t2/SECRET)"
    is "marked as none" plain "$(kind prod/t2/TOKEN_COUNT)"
    is "bytes" "00ff" "$(emsa get prod/t2/TOKEN_COUNT | hex)"
    rev=$(revision)
    holds "again" emsa import --tree "$work/t.jsonl"
    is "is no commit" "$rev" "$(revision)"
    holds "one changed since" emsa set prod/t1/A 2
    holds "is set again" emsa import --tree "$work/t.jsonl"
    is "as the file says" 1 "$(emsa get prod/t1/A)"
    rev=$(revision)
    printf '{"path":"prod/t1/A","value":"9"}\n{"path":"prod/t1/API_KEY","value":"x"}\n' >"$work/bad.jsonl"
    ends "suspects" 4 "API_KEY (line 2)" emsa import --tree "$work/bad.jsonl"
    printf '{"path":"prod/t1/A","value":"9"}\n{"path":"nowhere/t1/B","value":"x"}\n' >"$work/bad.jsonl"
    ends "an unknown environment" 3 "line 2" emsa import --tree "$work/bad.jsonl"
    printf '{"path":"prod/t1/A","value":"9"}\n{"path":"prod/t1","value":"x"}\n' >"$work/bad.jsonl"
    ends "no key" 2 "line 2" emsa import --tree "$work/bad.jsonl"
    is "nothing of them was done" "$rev" "$(revision)"
    ends "a pipe" 2 "file" emsa import --tree /dev/stdin
    ends "with a place" 2 "tree" emsa import prod/t1 --tree "$work/t.jsonl"
}

holds "init" emsa init
holds "env add" emsa env add prod
marks prod/marks
formats prod/formats
both_ways prod/both
exports prod/exports
trees
mounted "$work/env"
marks prod/marks2
formats prod/formats2
exports prod/exports2
finish
