#!/bin/bash
# A table of wrong uses: what each must exit with and say, with nothing changed. The whole of it twice: in the
# command's own process, and through a server.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

holds "init" emsa init
holds "env add" emsa env add prod dev
printf 's3cret' >"$work/password"
holds "values" emsa set prod/billing PORT=8080 LOG_LEVEL=info
holds "a secret" emsa set prod/billing --secret-file "PASSWORD=$work/password"
holds "values of another" emsa set dev/web PORT=80
first=$(revision)
holds "a later change" emsa set prod/billing LOG_LEVEL=warn

long64=$(printf 'a%.0s' {1..64}) long256=$(printf 'K%.0s' {1..256})
head -c 1048577 /dev/zero >"$work/large"
printf 'GOOD=1\nBAD LINE\nALSO=2\n' >"$work/malformed.env"
printf 'GOOD=1\nOPEN="never closed\n' >"$work/unclosed.env"
printf '{"GOOD": "1", "BAD": ' >"$work/malformed.json"
printf '{"GOOD": {"NESTED": 1}}' >"$work/nested.json"
printf '{"path":"prod/billing/A\\u0000B","value":"x"}\n' >"$work/nul.jsonl"
printf 'API_TOKEN=abc\nURL=https://user:pass@host/\nPLAIN=1\n' >"$work/secrets.env"

# bad CODE WORDS COMMAND...: also, that the store stands where it stood
bad() {
    local code=$1 words=$2
    shift 2
    ends "$*" "$code" "$words" "$@"
    [ ! -s "$work/out" ] || [ "$code" = 4 ] || fault "$*: a failure speaks on standard error, not: $(head -c 200 "$work/out")"
    is "$*: nothing changed" "$stands" "$(revision)"
}

table() {
    stands=$(revision)
    # What is no use of the command at all.
    bad 2 "usage\|help" emsa
    bad 2 "frobnicate" emsa frobnicate
    bad 2 "did you mean\|'get'\|help" emsa gte prod/billing/PORT
    bad 2 "\-\-no-such" emsa get --no-such prod/billing/PORT
    bad 2 "set" emsa set
    bad 2 "KEY=" emsa set prod/billing
    bad 2 "if-rev" emsa set prod/billing A=1 --if-rev yesterday
    bad 3 "yesterday" emsa show yesterday

    # Names.
    bad 2 "name" emsa env add "pr od"
    bad 2 "name" emsa env add ""
    bad 2 "name" emsa env add ".hidden"
    bad 2 "63" emsa env add "$long64"
    bad 2 "name" emsa env add good "b/ad/x"
    bad 2 "name" emsa set "prod/bill ing" A=1
    bad 2 "63" emsa set "prod/$long64" A=1
    bad 2 "name\|key" emsa set prod/billing "..=1"
    bad 2 "name\|key" emsa set prod/billing "..x=1"
    bad 2 "\.emsa" emsa set prod/billing ".emsa=1"
    bad 2 "name\|key" emsa set prod/billing "=1"
    bad 2 "255" emsa set prod/billing "$long256=1"
    bad 2 "xff" emsa set prod/billing $'K\xff=1'
    bad 2 "xc3" emsa set prod/billing $'K\xc3\xa4=1'
    bad 2 "name\|path" emsa get "prod/../billing/PORT"
    bad 2 "path\|name" emsa get "prod/billing/PORT/MORE"
    bad 2 "line 1" emsa import --tree "$work/nul.jsonl"

    # What is not there, with the nearest name.
    bad 3 "prod" emsa set prdo/billing A=1
    bad 3 "prod" emsa get prdo/billing/PORT
    bad 3 "PORT" emsa get prod/billing/PROT
    bad 3 "billing" emsa get prod/biling/PORT
    bad 3 "NOTHING" emsa rm prod/billing/NOTHING
    bad 3 "9999" emsa show 9999
    bad 3 "staging" emsa ls staging
    bad 3 "staging" emsa export staging/web
    bad 3 "staging" emsa exec staging/web -- true
    bad 3 "no-such-file" emsa set prod/billing/A --file "$work/no-such-file"
    bad 3 "no-such-file" emsa import prod/billing "$work/no-such-file"

    # Against a rule.
    bad 4 "billing" emsa set prod/biling A=1
    bad 4 "all" emsa env add all --protected
    bad 4 "all" emsa set all/billing --secret-file "A=$work/nul.jsonl"
    bad 4 "\-\-all" emsa env rm prod
    bad 4 "reveal" emsa get prod/billing/PASSWORD
    bad 4 "reveal" emsa export prod/billing
    bad 4 "API_TOKEN" emsa import prod/billing "$work/secrets.env"
    bad 4 "URL" emsa import prod/billing "$work/secrets.env"
    bad 4 "stdin\|-file\| -$" emsa set --secret prod/billing NEW_PASSWORD=visible

    # Values and files.
    bad 2 "1 MiB\|1048576" emsa set prod/billing/LARGE --file "$work/large"
    bad 2 "1 MiB\|1048576" emsa set prod/billing --secret-file "LARGE=$work/large"
    bad 2 "line 2" emsa import prod/billing "$work/malformed.env"
    bad 2 "line 2" emsa import prod/billing "$work/unclosed.env"
    bad 2 "line" emsa import prod/billing "$work/malformed.json" --format json
    bad 2 "GOOD" emsa import prod/billing "$work/nested.json" --format json

    # Somebody was quicker.
    bad 5 "$((first + 1))" emsa set prod/billing LOG_LEVEL=debug --if-rev "$first"
    bad 5 "LOG_LEVEL" emsa rm prod/billing/LOG_LEVEL --if-rev "$first"

    # Two values for one key.
    bad 2 "prod/billing/PORT' is given twice" emsa set prod/billing PORT=1 PORT=2
    bad 2 "prod/billing/PORT' is given twice" emsa set prod/billing PORT=1 --secret-file "PORT=$work/nested.json"

    # A dry run of what is well says so and does nothing.
    ends "a dry run" 0 "PORT" emsa set prod/billing PORT=1 --dry-run
    is "changes nothing" "$stands" "$(revision)"
    is "and nothing of a bad file came in" "LOG_LEVEL PASSWORD PORT" \
        "$(emsa export prod/billing --reveal --format json | /usr/bin/python3 -c 'import json, sys; print(*sorted(json.load(sys.stdin)))')"
}

table
mounted "$work/env"
table

# What a reason says is shown, and steers no terminal and is no line of ours.
holds "a reason of several lines" emsa set prod/billing PORT=8099 -m $'first\e[31m\n+  prod/forged  set'
is "log" "first?[31m ..." "$(emsa log -n 1 | grep -o 'first.*')"
is "show" "reason    first?[31m|          +  prod/forged  set" "$(emsa show "$(revision)" | grep -A 1 reason | paste -s -d '|')"
is "JSON has it as it is" $'first\e[31m\n+  prod/forged  set' "$(emsa show "$(revision)" --json | json commit reason)"
holds "verify" emsa verify
finish
