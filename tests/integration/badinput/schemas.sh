#!/bin/bash
# Schemas that are wrong, wrong uses of them, and what a schema in force refuses: what each must exit with and say, with
# every fault of every file at once, each at its place, and nothing changed. Twice: in the command's own process, and
# through a server.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

printf 'correct-horse-battery' >"$work/secret"
holds "init" emsa init
holds "environments" emsa env add dev prod
holds "a service" emsa set prod/billing PORT=8080 LEVEL=info OLD=1 --secret-file "TOKEN=$work/secret"
holds "another" emsa set dev/billing PORT=80
holds "and another" emsa set prod/web PORT=80
holds "locked" emsa lock prod/web/PORT -m "behind the firewall"
cat >"$work/good.yaml" <<'END'
service: billing
strict: true
keys:
  PORT:  {type: port, required: true}
  LEVEL: {type: enum, values: [debug, info], default: info}
  TOKEN: {type: string, secret: true, min_length: 10}
  COUNT: {type: int, min: 1, max: 10}
  DEBUG: {type: bool, in: [dev]}
  SLOW:  {type: string, pattern: "(a*)*b"}
  OLD:   {deprecated: true}
END
holds "a schema" emsa schema set "$work/good.yaml"

state() {
    {
        revision
        emsa tree --json
        emsa lock --json
        emsa schema show billing
    } | sha256sum
}

# shellcheck source=refused.sh
. "$here/refused.sh"

# wrong TEXT LINE...: the file's faults are exactly these lines ("3:5: ..."), whoever reads it
wrong() {
    local lines count
    printf '%s' "$1" >"$work/wrong.yaml"
    shift
    lines=$(printf "$work/wrong.yaml:%s\n" "$@")
    count=$#
    for command in "schema set" "check --against"; do
        # shellcheck disable=SC2086 # two words
        refused 2 "emsa: $count fault$([ "$count" = 1 ] || echo s) in what was read: nothing is changed" -- emsa $command "$work/wrong.yaml"
        is "$command of: $(head -c 60 "$work/wrong.yaml")" "$lines" "$(head -n -1 "$work/err")"
    done
}

files() {
    local key="'KEY' must be a mapping of what is asked of it: {type: string}"
    wrong '' "1:1: there is no schema in it"
    wrong '# nothing
' "1:1: there is no schema in it"
    wrong '- a' "1:1: the schema must be a mapping with 'service' and 'keys'"
    wrong 'keys: {}' "1:1: the schema does not say of which service it is: 'service' is missing"
    wrong 'service: s' "1:1: the schema declares no keys: 'keys' is missing"
    wrong 'service: [s
keys: {}' "2:5: while parsing a flow sequence: did not find expected ',' or ']'"
    wrong $'service: s\nkeys: {}\nx: "\xff"' "3:5: invalid leading UTF-8 octet"
    wrong 'service: a b
keys: {}' "1:10: service must be a service's name: letters, digits, '_', '.' and '-', first a letter or digit"
    wrong 'service: s
strict: yes
description: []
keys: {KEY: 5}' "2:9: strict must be true or false" "3:14: description must be a text" "4:8: $key"
    wrong 'service: s
keys:
  KEY: {tipe: int}
  KEY: {type: integr}
  OTHER: {type: int}
  OTHER: {type: int}' "3:9: tipe of 'KEY' is none of the members: did you mean 'type'?" \
        "4:3: the key 'KEY' stands in line 3 already" "6:3: the key 'OTHER' stands in line 5 already"
    wrong 'service: s
keys:
  A: {type: imt}
  B: {type: enum}
  C: {type: enum, values: []}
  D: {type: enum, values: [a, a]}
  E: {type: int, min: 2, max: 1}
  F: {type: int, min: "2"}
  G: {type: int, default: one}
  H: {secret: true, default: x}
  I: {type: string, min: 1}
  J: {type: regex, pattern: "("}
  K: {required: true, deprecated: true}
  L: {required: [prod], in: [dev]}
  M: {type: url, schemes: [HTTP]}
  N: {type: duration, max: 5}
  O: {default: ~}' "3:13: type of 'A' names no type: did you mean 'int'?" \
        "4:3: values of 'B' is missing: an enum lists what it may be" \
        "5:27: values of 'C' must be a list of texts, and this one is empty" \
        "6:27: values of 'D' has 'a' twice" "7:23: min of 'E' is above max" "8:23: min of 'F' must be a whole number" \
        "9:27: default of 'G' must be a whole number" \
        "10:30: default of 'H' is plain, and the key is a secret: set it where it is needed" \
        "11:26: min of 'I' is for numbers and durations, and this is a string" \
        "12:29: pattern of 'J' must be a regular expression: column 2: missing closing parenthesis" \
        "13:17: required of 'K' cannot be: what is deprecated is on its way out" \
        "14:17: required of 'L' names 'prod', where 'in' does not let it be" \
        "15:27: schemes of 'M' names 'HTTP', which is none: lower-case letters, digits, '+', '-' and '.', first a letter" \
        "16:28: max of 'N' must be a duration, such as 250ms or 1h30m" \
        "17:16: default of 'O' is empty: write \"\" for an empty text"
    # of several files and documents, all of it
    printf 'service: billing\nkeys: {A: 1}\n---\nkeys: {}\n' >"$work/one.yaml"
    printf 'service: web\nkeys: {A: {type: x}}\n' >"$work/two.yaml"
    refused 2 "one.yaml:2:8: 'A' must be" "one.yaml:4:1: the schema does not say" "two.yaml:2:18: type of 'A' must be one of string, int" \
        "emsa: 3 faults" -- emsa schema set "$work/one.yaml" "$work/two.yaml"
    refused 2 "good.yaml:1:10: 'billing' has a schema already, in '$work/good.yaml'" -- emsa schema set "$work/good.yaml" "$work/good.yaml"
    # a value is not shown, which may be a secret that stands in the wrong file
    printf 'service: s\nkeys:\n  A: {type: port, default: hunter2}\n' >"$work/telling.yaml"
    refused 2 "default of 'A' must be a port (1 to 65535)" -- emsa schema set "$work/telling.yaml"
    is "no value is shown" 0 "$(grep -c hunter2 "$work/err")"
}

uses() {
    refused 3 "nothing.yaml" -- emsa schema set "$work/nothing.yaml"
    refused 3 "no environment 'prd'" "did you mean 'prod'" -- emsa schema set "$work/good.yaml" --env prd
    sed 's/billing/ledger/' "$work/good.yaml" >"$work/ledger.yaml"
    refused 3 "'prod/ledger'" "emsa service add prod/ledger" -- emsa schema set "$work/ledger.yaml" --env prod
    refused 2 "the name of an environment" -- emsa schema set "$work/good.yaml" --env prod/billing
    refused 2 "something is missing" -- emsa schema set
    refused 2 "schema" -- emsa schema
    refused 2 "schema" -- emsa schema sett "$work/good.yaml"
    refused 3 "'prod/web' has no schema" -- emsa schema show prod/web
    refused 3 "no service 'all/wbe'" -- emsa schema show wbe
    refused 2 "ENVIRONMENT/SERVICE" -- emsa schema show prod/billing/PORT
    refused 3 "schema" -- emsa schema rm prod/web
    refused 3 "no environment 'prd'" -- emsa schema rm prd/web
    refused 2 "to itself" -- emsa schema promote prod prod billing
    refused 4 "is that of 'all'" -- emsa schema promote prod dev billing
    refused 3 "'prod/web' has no schema" -- emsa schema promote prod dev web
    refused 2 "write ENVIRONMENT/SERVICE" -- emsa schema infer prod
    refused 3 "no service 'prod/none'" -- emsa schema infer prod/none
    refused 3 "no environment 'prd'" -- emsa check prd
    refused 3 "no service 'prod/bill'" -- emsa check prod/bill
    refused 2 "a whole service" -- emsa check prod/billing/PORT
    refused 2 "two environments" -- emsa check --parity prod
    refused 2 "is named twice" -- emsa check --parity prod,prod
    refused 2 "no list" -- emsa check --parity prod,,dev
    refused 3 "no environment 'prd'" -- emsa check --parity dev,prd
    refused 2 "nothing runs in 'all'" -- emsa check all --against "$work/good.yaml"
    refused 2 "none of the schemas is of 'web'" -- emsa check prod/web --against "$work/good.yaml"
    refused 3 "nothing.yaml" -- emsa check --against "$work/nothing.yaml"
    refused 2 "both want stdout" -- emsa check --junit - --json
    refused 3 "cannot open '$work/none/junit.xml'" -- emsa check --junit "$work/none/junit.xml"
}

# What would make wrong what is right is refused, all of it at once; what is wrong may be made better.
values() {
    refused 4 "'prod/billing/PORT' must be a port (1 to 65535)" "'prod/billing/COUNT' must be from 1 to 10" \
        "'prod/billing/DEBUG' may exist in dev only" "'prod/billing/MORE' is not declared" -- \
        emsa set prod/billing PORT=80808 COUNT=11 DEBUG=true MORE=1
    refused 4 "'prod/billing/PORT' is required" -- emsa rm prod/billing/PORT
    refused 4 "'prod/billing/LEVEL' must be one of debug, info" -- emsa set prod/billing LEVEL=warning
    refused 4 "'dev/billing/LEVEL'" -- emsa set all/billing LEVEL=warning COUNT=3 --dry-run
    refused 4 "'prod/billing/TOKEN'" -- emsa set prod/billing TOKEN=visible-to-everybody
    printf 'short' >"$work/short"
    refused 4 "'prod/billing/TOKEN' must have at least 10 bytes" -- emsa set prod/billing --secret-file "TOKEN=$work/short"
    # shellcheck disable=SC2016 # for emsa
    refused 4 "'prod/billing/PORT' must be a port" -- emsa set --template prod/billing/PORT 'x${LEVEL}'
    refused 4 "'prod/billing/SLOW'" -- emsa set prod/billing "SLOW=$(printf 'a%.0s' {1..200})"
    refused 2 "needs a reason" -- emsa set prod/billing COUNT=11 --override schema
    refused 2 "schema, lock and share" -- emsa set prod/billing COUNT=11 --override rules -m why
    refused 4 "'prod/billing/COUNT' must be from 1 to 10" -- emsa set prod/billing COUNT=11 --override lock,share -m why
    refused 4 "'prod/web/PORT' is locked" -- emsa set prod/web PORT=81 --override schema -m why
}

table() {
    stands=$(state)
    files
    uses
    values
}

table
mounted "$work/env"
table

# Over it, for the one who may; and told until it is cured.
holds "over the schema" emsa set prod/billing COUNT=11 --override schema -m "the shop is open"
holds "over a lock" emsa set prod/web PORT=81 --override lock -m "the shop is open"
holds "over what is not shared" emsa link prod/web/LEVEL billing/LEVEL --override share -m "the shop is open"
ends "check" 4 "prod/billing/COUNT *must be from 1 to 10" emsa check prod
for part in "prod/web/PORT *was changed over the lock" "prod/billing/LEVEL *was shared with 'web' by an override"; do
    grep -q "$part" "$work/out" || fault "check: no '$part' in $(cat "$work/out")"
done
holds "what is wrong may be bettered" emsa set prod/billing COUNT=10
holds "locked anew" emsa unlock prod/web/PORT -m "it works"
holds "locked anew" emsa lock prod/web/PORT -m "it works"
holds "no reference any more" emsa rm prod/web/LEVEL
holds "unshared" emsa unshare prod/billing/LEVEL --with web
holds "cured" emsa check prod
is "nothing is left" 0 "$(grep -c 'over\|must' "$work/out")"
holds "verify" emsa verify
finish
