#!/bin/bash
# Wrong files of definitions: each fault with FILE:LINE:COLUMN, all of them at once, and nothing changed.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

holds "init" emsa init
holds "env add" emsa env add prod dev
holds "values" emsa set prod/billing PORT=8080
stands=$(revision)

# bad CODE TEXT WORDS...: that file is refused so, with each of the words, and the store stands where it stood
bad() {
    local code=$1 words found=0
    printf '%s\n' "$2" >"$work/f.yaml"
    shift 2
    checks=$((checks + 1))
    emsa apply "$work/f.yaml" >"$work/out" 2>"$work/err" </dev/null || found=$?
    [ "$found" = "$code" ] || fault "$(cat "$work/f.yaml"): expected exit $code, found $found: $(cat "$work/err")"
    for words in "$@"; do
        grep -qF -- "$words" "$work/err" || fault "$(cat "$work/f.yaml"): no '$words' in: $(cat "$work/err")"
    done
    [ ! -s "$work/out" ] || fault "$(cat "$work/f.yaml"): says on standard output: $(cat "$work/out")"
    is "$(cat "$work/f.yaml"): nothing changed" "$stands" "$(revision)"
}

in_keys() {
    printf 'environments:\n  prod:\n    services:\n      billing:\n        keys:\n          %s\n' "$1"
}

bad 2 "" "f.yaml:1:1: there is nothing in it"
bad 2 "environments: {" "f.yaml:2:1:"
bad 2 "rev: 1
rev: 2
environments: {prod: }" "f.yaml:2:1: the key 'rev' stands in line 1 already"
bad 2 "environmnets: {prod: }" "f.yaml:1:1: a file has no member 'environmnets': did you mean 'environments'?"
bad 2 "environments: {prod: {servces: {}}}" "f.yaml:1:23: an environment has no member 'servces': did you mean 'services'?"
bad 2 "environments: {prod: {services: {billing: {key: {}}}}}" "f.yaml:1:44: a service has no member 'key': did you mean 'keys'?"
bad 2 "environments: {prod: }
rev: new" "f.yaml:2:6: a revision is a number"
bad 2 "environments: {}" "names no environment"
bad 2 "$(in_keys 'PORT:')" "f.yaml:6:16: there is no value: '' is the empty one"
bad 2 "$(in_keys 'PORT: !lnik shared/X')" "f.yaml:6:17: no tag '!lnik': did you mean '!link'?"
bad 2 "$(in_keys 'PORT: {value: 1, ttl: soon}')" "f.yaml:6:33: 'soon' of --ttl is no time to live"
bad 2 "$(in_keys 'PASSWORD: {value: hunter22, secret: true}')" "f.yaml:6:29: the value of a secret stands in no file"
bad 2 "$(in_keys 'PASSWORD: !secret-file not-there')" "f.yaml:6:21: cannot open" "not-there"
bad 2 "$(in_keys 'A: 1
          A: 2
          B: !link x
          "C D": 3')" "f.yaml:7:11: the key 'A' stands in line 6" "f.yaml:8:14: a link is written SERVICE/KEY" \
    "f.yaml:9:11: key name 'C D'" "3 faults"
bad 2 "$(in_keys "BIG: $(head -c 1048577 /dev/zero | tr '\0' x)")" "f.yaml:6:16: the value is over 1048576 bytes"
bad 2 "a: &a [*a]" "f.yaml:1:"
bad 4 "$(in_keys 'PASSWORD: !secret')" "f.yaml:6:21: there is no secret 'prod/billing/PASSWORD' that could stay"
bad 4 "$(in_keys 'PORT: !secret')" "f.yaml:6:17: 'prod/billing/PORT' is no secret"
bad 4 "environments: {prod: {protected: true}, dev: {base: prod}}" "f.yaml:1:34: 'prod' is there, and is not protected" \
    "f.yaml:1:53: 'dev' is there, and stands on no other"
bad 4 "$(in_keys 'HOST: !link shared/NONE')" "shared/NONE"
bad 3 "environments: {new: {base: none}}" "none"
bad 5 "rev: 1
$(in_keys 'PORT: 81')" "which it was written at" "prod/billing/PORT"
bad 5 "rev: 4711
$(in_keys 'PORT: 81')" "no revision 4711"
ends "no file" 3 "nowhere.yaml" emsa apply "$work/nowhere.yaml"
ends "a folder" 2 "folder" emsa apply "$work"
ends "none given" 2 "usage" emsa apply
ends "a place that is not there" 3 "prod" emsa export prdo --format yaml
ends "a key" 2 "key" emsa export prod/billing/PORT --format yaml
ends "shown and left out" 2 "reveal" emsa export prod --format yaml --reveal --no-secrets
ends "no place" 2 "ENV/SERVICE" emsa export
finish
