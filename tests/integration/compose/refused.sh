#!/bin/bash
# Compose files that cannot be taken in: one message with the file and its line, exit 2, and nothing is imported.
# shellcheck disable=SC2016 # references that compose is to expand
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

emsa init >/dev/null
before=$(revision)
cd "$work"

# refused LINE WORDS: compose.yaml is refused at that line
refused() {
    ends "$2" 2 "compose.yaml, line $1: .*$2" emsa import --format compose compose.yaml demo
    is "$2: nothing is there" "$before" "$(revision)"
    is "$2: no environment" "" "$(emsa env ls | grep demo || true)"
}

printf 'services:\n  a:\n   image: [x\n  b: {}\n' >compose.yaml
refused 4 "did not find expected"
printf 'services:\n  a:\n    image: x\n  a:\n    image: y\n' >compose.yaml
refused 4 "'a' stands in line 2 already"
printf 'services:\n  a: {image: x}\nb: *nobody\n' >compose.yaml
refused 3 "no '&nobody' before"
printf 'services:\n  a:\n    environment:\n      - GOOD=1\n      - BAD=${OPEN\n' >compose.yaml
refused 5 "never closed"
printf 'services:\n  a:\n    environment:\n      - PASSWORD hush\n' >compose.yaml
refused 4 "no NAME=VALUE and no NAME"
is "and is not shown" 0 "$(grep -c hush "$work/err")"
printf 'services:\n  a:\n    image: x:${TAG:?which one}\n' >compose.yaml
refused 3 "'TAG' is required, and not set: which one"
printf 'services:\n  a:\n    environment:\n      LIST: [x]\n' >compose.yaml
refused 4 "the value of 'LIST' is no text"
printf 'services:\n  a:\n    environment: {DAY: 2024-01-02}\n' >compose.yaml
refused 3 "put it into quotes"
printf 'services:\n  shared:\n    image: x\n' >compose.yaml
refused 2 "cannot be named 'shared'"
printf 'services:\n  a:\n    extends: b\n  b:\n    extends: a\n' >compose.yaml
refused 5 "extends itself"
printf 'services:\n  a:\n    image: x\n\tb: y\n' >compose.yaml
refused 4 "found a tab character"
printf 'services:\n  a:\n    image: "\001"\n' >compose.yaml
refused 3 "control characters"
printf 'kind: Pod\n' >compose.yaml
refused 1 "no 'services:'"
: >compose.yaml
refused 1 "nothing is there"

printf 'services:\n  a:\n    environment: [X]\n' >compose.yaml
printf 'X=1\nY="open\n' >dotenv
ends "a dotenv file with an open quote" 2 "dotenv, line 2: the quote" \
    emsa import --format compose compose.yaml --dotenv dotenv demo
printf 'X=1\nY=${X\n' >dotenv
ends "a dotenv file with an open reference" 2 "dotenv, line 2: a '\${' that is never closed" \
    emsa import --format compose compose.yaml --dotenv dotenv demo
ends "no dotenv file" 3 "none" emsa import --format compose compose.yaml --dotenv none demo
ends "no compose file" 3 "none.yaml" emsa import --format compose none.yaml demo
printf 'services:\n  a:\n    env_file: none.env\n' >compose.yaml
ends "no env_file" 3 "compose.yaml, line 3: the env_file of 'a': .*none.env" \
    emsa import --format compose compose.yaml demo
printf 'services:\n  a:\n    env_file: bad.env\n' >compose.yaml
printf 'X=1\nno assignment\n' >bad.env
ends "a bad env_file" 2 "bad.env, line 2: no '='" emsa import --format compose compose.yaml demo

printf 'services:\n  a:\n    environment: [X=1]\n' >compose.yaml
ends "an environment's name" 2 "a/b" emsa import --format compose compose.yaml a/b
ends "--ttl" 2 "stands without --ttl" emsa import --format compose compose.yaml demo --ttl 1h
ends "--dotenv of another format" 2 "--format compose only" emsa import demo/x --dotenv dotenv dotenv
ends "an unknown format" 2 "compose and kubernetes can" emsa import --format toml demo/x compose.yaml
ends "a mark for nothing" 3 "no key 'NOPE' there" emsa import --format compose compose.yaml demo --secret NOPE
ends "a mark of both kinds" 2 "choose one" emsa import --format compose compose.yaml demo --secret X --plain a/X
is "nothing was imported by any of them" "$before" "$(revision)"

printf 'services:\n  a:\n    environment:\n      - API_TOKEN=hush-hush-hush\n      - DB_URL=pg://u:hush-hush-hush@h/\n' >compose.yaml
ends "what looks like a secret" 4 "a/API_TOKEN (compose.yaml, line 4): its name has TOKEN" \
    emsa import --format compose compose.yaml demo
is "all of it at once" 1 "$(grep -c "a/DB_URL (compose.yaml, line 5)" "$work/err")"
is "and never shown" 0 "$(grep -c hush "$work/err")"
is "nothing is there" "$before" "$(revision)"
holds "a dry run" emsa import --format compose compose.yaml demo --guess-secrets --dry-run
is "changes nothing" "$before" "$(revision)"
holds "marked" emsa import --format compose - demo --secret a/API_TOKEN --secret DB_URL <compose.yaml
is "in one revision" $((before + 1)) "$(revision)"
is "it is a secret" "secret" "$(emsa ls demo/a --json | json items 0 kind)"
finish
