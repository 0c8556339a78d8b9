#!/bin/bash
# From one environment to another: what is promoted, what is not, and that it says where it came from.
# shellcheck disable=SC2016,SC2317 # what is in single quotes is for emsa; functions are called by holds
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

secret() { printf '%s' "$2" | emsa set "$1" - --raw --secret "${@:3}" >/dev/null; }
says() {
    checks=$((checks + 1))
    grep -q -- "$2" "$work/out" || fault "$1: nothing like '$2' in: $(head -c 600 "$work/out")"
}
says_not() {
    checks=$((checks + 1))
    ! grep -q -- "$2" "$work/out" || fault "$1: '$2' in: $(head -c 600 "$work/out")"
}

holds "init" emsa init
holds "environments" emsa env add ground other
holds "one with a base" emsa env add staging --base ground
holds "a protected one" emsa env add prod --protected -m "for real"
holds "of the base" emsa set ground/billing GROUND=1 --new
holds "of staging" emsa set staging/billing PORT=80 HOST=staging.db URL=http
holds "what ends" emsa set staging/billing SOON=1 --ttl 1h
holds "a template" emsa set --template staging/billing 'DSN=pg://${HOST}:${PORT}'
holds "a secret" secret staging/billing/PASSWORD password-of-staging
holds "another service" emsa set staging/web X=1 --new
holds "for all" emsa set all/billing LOG=info SAME=1
holds "of prod" emsa set prod/billing PORT=80 HOST=prod.db EXTRA=1 LOG=warn -m first
before=$(revision)

holds "tried" emsa promote staging/billing prod/billing -m "release 12" --dry-run
cp "$work/out" "$work/dry"
holds "done" emsa promote staging/billing prod/billing -m "release 12"
is "one commit" "$((before + 1))" "$(revision)"
diff <(grep -v '^dry run\|^revision' "$work/dry") <(grep -v '^dry run\|^revision' "$work/out") >"$work/diff" || fault "a dry run prints another list: $(cat "$work/diff")"
says "what is new" '+  prod/billing/URL'
says "what is another" '~  prod/billing/HOST'
says "of the base" '+  prod/billing/GROUND'
says "a secret" "staging/billing/PASSWORD is not promoted: a secret, which has to be named"
says "what ends" "staging/billing/SOON is not promoted: it ends by itself"
says "what is only there" "prod/billing/EXTRA stays as it is: the other one has no such key"
says "what is for all" "prod/billing/LOG stays as it is: the other one has that of 'all'"
says "what is equal" "= 1 key is equal already"
says_not "what is the same everywhere" SAME
is "a template is one" pg://staging.db:80 "$(emsa get prod/billing/DSN)"
holds "and resolves there" emsa set prod/billing HOST=mine -m mine
is "as it would" pg://mine:80 "$(emsa get prod/billing/DSN)"
holds "who" emsa blame prod/billing/URL
says "why" "release 12"
says "and where from" "from staging/billing/URL of rev"
holds "again" emsa promote staging/billing prod/billing HOST -m again
says_not "only what is named" PORT
ends "nothing left" 0 "nothing to change" emsa promote staging/billing prod/billing HOST -m again

# A secret: by its name, and since it is the same one in two environments only where that is meant.
ends "the same secret in two environments" 4 "equal to a secret of another environment" emsa promote staging/billing prod/billing PASSWORD -m why
holds "on purpose" emsa promote staging/billing prod/billing PASSWORD -m why --allow-equal
is "it is" password-of-staging "$(emsa get --reveal prod/billing/PASSWORD)"
holds "equal already" emsa promote staging/billing prod/billing PASSWORD -m why
says "so" "= 1 key is equal already"

# What a schema says belongs to one environment.
printf 'service: billing\nkeys:\n  HOST: {type: string, promote: false}\n  TRY: {type: bool, in: [staging]}\n' >"$work/schema"
holds "a schema" emsa schema set "$work/schema"
holds "others" emsa set staging/billing HOST=new.db PORT=81 TRY=true
holds "is kept" emsa promote staging/billing prod/billing -m why
says "told" "staging/billing/HOST is not promoted: the schema says that it belongs to its environment"
says "nor what may not be there" "staging/billing/TRY is not promoted: by the schema it may not be there"
says "others are not" '~  prod/billing/PORT'
holds "named too" emsa promote staging/billing prod/billing HOST -m why
says "still" "staging/billing/HOST is not promoted"
is "as it was" staging.db "$(emsa get prod/billing/HOST)"

# Environments: services that both have.
holds "placed" emsa set prod/other Y=1 --new -m why
holds "whole" emsa promote staging prod -m why
says "not placed" "prod/web is not placed: 'emsa service add' places it"
holds "place it" emsa service add prod/web -m why
holds "whole" emsa promote staging prod -m why
says "now" '+  prod/web/X'
holds "a service that is new" emsa promote staging/web other/web --new
is "is there" 1 "$(emsa get other/web/X)"
holds "under another name" emsa promote staging/web other/website --new
is "is there too" 1 "$(emsa get other/website/X)"

holds "another" emsa set staging/billing URL=https
head=$(revision)
ends "down" 4 "'prod' is protected and 'other' is not: nothing is promoted down from it" emsa promote prod/billing other/billing
ends "down, whole" 4 "nothing is promoted down" emsa promote prod other
ends "within one" 2 "is one environment" emsa promote staging/web staging/billing
ends "of two depths" 2 "name two services, or two environments" emsa promote staging/web other
ends "keys of an environment" 2 "keys are named of a service" emsa promote staging other KEY
ends "keys by themselves" 2 "name two services" emsa promote staging/web/X other/web/X
ends "no name of a key" 2 "key name 'a/b' is not allowed" emsa promote staging/web other/web a/b
ends "all that are missing" 3 "no key 'staging/web/NO'" emsa promote staging/web other/web X NO NEITHER
is "at once" 2 "$(grep -c "no key" "$work/err")"
ends "what is defined for all" 3 "is not defined there" emsa promote staging/billing other/billing LOG
ends "no such service" 3 "no service 'staging/wib'" emsa promote staging/wib other/wib
ends "no reason" 4 "every change of it needs a reason" emsa promote staging/billing prod/billing PORT GROUND URL
is "nothing changed" "$head" "$(revision)"
holds "verified" emsa verify
finish
