#!/bin/bash
# cp and mv: keys, and whole services, each in one commit.
# shellcheck disable=SC2016 # ${...} is a template's
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=told.sh
. "$here/told.sh"

keys() {
    local env=$1
    holds "cp" emsa cp "$env/web/A" "$env/web/A2"
    is "its value" "1 1" "$(emsa get "$env/web/A"; echo -n ' '; emsa get "$env/web/A2")"
    holds "over another" emsa cp "$env/web/B" "$env/web/A2"
    told "says what was there" "~  $env/web/A2  (was rev" "$work/out"
    holds "a link is copied as one" emsa cp "$env/web/L" "$env/web/L2"
    is "and follows" "2" "$(emsa set "$env/shared/X" 2 >/dev/null; emsa get "$env/web/L2")"
    holds "a secret beside itself" emsa cp "$env/web/S" "$env/web/S2"
    is "is the same" "correct-horse-$env" "$(emsa get --reveal "$env/web/S2")"
    holds "to a service: by its name" emsa cp "$env/web/A" "$env/api"
    is "A" "1" "$(emsa get "$env/api/A")"
    holds "mv" emsa mv "$env/web/A2" "$env/web/A3" -m "a better name"
    ends "is gone there" 3 "A2" emsa get "$env/web/A2"
    is "and here" "two" "$(emsa get "$env/web/A3")"
    holds "a dry run" emsa mv "$env/web/A3" "$env/web/A4" --dry-run
    is "as JSON" "+" "$(emsa cp "$env/web/A3" "$env/web/A4" --json | json lines 0 mark)"

    refuses "what is used" 4 "'$env/api/USES' refers to 'web/SHARED', which is not there" emsa mv "$env/web/SHARED" "$env/web/OTHER"
    refuses "no such key" 3 "NONE" emsa cp "$env/web/NONE" "$env/web/X"
    refuses "no such environment" 3 "none" emsa cp "$env/web/A" none/web/A
    refuses "to itself" 2 "to itself" emsa mv "$env/web/A" "$env/web/A"
    refuses "a service to a key" 2 "two keys or two services" emsa cp "$env/web" "$env/web/A"
    refuses "an environment" 2 "emsa env cp" emsa cp "$env" "$env-2"
    refuses "one argument" 2 "usage" emsa mv "$env/web/A"
    refuses "mv to another environment" 4 "two environments" emsa mv "$env/web/A" "$env-2/web/A"
    holds "a secret of another service" secret "$env/accounts/S" "one-account-$env"
    refuses "a secret to another" 4 "would be equal to a secret" emsa cp "$env/accounts/S" "$env-2/web/S"
    refuses "without a reason" 2 "needs a reason" emsa cp "$env/accounts/S" "$env-2/web/S" --allow-equal
    holds "but where it is meant" emsa cp "$env/accounts/S" "$env-2/web/S" --allow-equal -m "one account"
    is "which the log says" "True" "$(emsa show "$(revision)" --json | /usr/bin/python3 -c 'import json, sys
print(any(done.get("allowed_equal") for done in json.load(sys.stdin)["operations"]))')"
    refuses "not since then" 5 "" emsa cp "$env/web/A" "$env/web/X" --if-rev 1
}

services() {
    local env=$1 rev
    rev=$(revision)
    holds "cp of a service" emsa cp "$env/web" "$env/shop"
    is "is one commit" $((rev + 1)) "$(revision)"
    is "has all of it" "$(emsa tree "$env/web" | sed 's|.*/||')" "$(emsa tree "$env/shop" | sed 's|.*/||')"
    is "its own template" "1+2" "$(emsa set "$env/shop/A=1" >/dev/null; emsa get "$env/shop/T")"
    refuses "one that has keys" 4 "has keys already" emsa cp "$env/web" "$env/api"
    refuses "one that is used" 4 "'$env/api/USES'" emsa mv "$env/web" "$env/site"
    holds "nobody any more" emsa rm "$env/api/USES"
    rev=$(revision)
    holds "mv of a service" emsa mv "$env/web" "$env/site"
    is "is one commit" $((rev + 1)) "$(revision)"
    ends "is gone" 3 "" emsa ls "$env/web"
    is "and with whom it is shared goes along" "api" "$(emsa refs "$env/site/SHARED" --json | json shares 0 with)"
    is "a secret too" "correct-horse-$env" "$(emsa get --reveal "$env/site/S")"
    refuses "no such service" 3 "none" emsa mv "$env/none" "$env/other"
    refuses "a misspelling of another" 4 "looks like a misspelling" emsa cp "$env/site" "$env/sitee"
    holds "unless it is one" emsa cp "$env/site" "$env/sitee" --new
}

all() {
    local env=$1
    holds "env add" emsa env add "$env" "$env-2"
    holds "values" emsa set "$env/web" A=1 B=two
    holds "shared" emsa set "$env/shared" X=1
    holds "a link" emsa link "$env/web/L" shared/X
    holds "a template" emsa set --template "$env/web/T" '${A}+${L}'
    holds "a secret" secret "$env/web/S" "correct-horse-$env"
    holds "its key" emsa set "$env/web/SHARED" yes
    holds "share" emsa share "$env/web/SHARED" --with api
    holds "used" emsa link "$env/api/USES" web/SHARED
    keys "$env"
    services "$env"
}

holds "init" emsa init
all local
served
all served
holds "verify" emsa verify
finish
