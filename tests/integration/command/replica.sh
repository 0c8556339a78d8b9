#!/bin/bash
# env cp, and environments that stand on others: made in one commit, without a secret, and whole once they are set.
# shellcheck disable=SC2016 # ${...} is a template's
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=told.sh
. "$here/told.sh"

fill() {
    local env=$1
    holds "env add" emsa env add "$env"
    holds "values" emsa set "$env/shared" HOST=db1
    holds "a secret" secret "$env/shared/PASSWORD" "correct-horse/$env"
    holds "share" emsa share "$env/shared/PASSWORD" --with billing
    holds "a service" emsa set "$env/billing" LEVEL=info
    holds "a link" emsa link "$env/billing/HOST" shared/HOST
    holds "a link to the secret" emsa link "$env/billing/PASSWORD" shared/PASSWORD
    holds "a template" emsa set --template "$env/billing/URL" 'pg://app:${PASSWORD}@${HOST}/'
    holds "an empty one" emsa service add "$env/worker"
    holds "one that ends" emsa set "$env/billing/LEASE" me --ttl 1h
}

copied() {
    local env=$1 new=$1-copy rev
    rev=$(revision)
    holds "a dry run" emsa env cp "$env" "$new" --dry-run
    is "changes nothing" "$rev" "$(revision)"
    holds "env cp" emsa env cp "$env" "$new" -m "for a look"
    is "is one commit" $((rev + 1)) "$(revision)"
    is "has all that can stand" "$new/billing/HOST $new/billing/LEASE $new/billing/LEVEL $new/shared/HOST" \
        "$(emsa tree "$new" | grep -v '/$' | paste -sd ' ')"
    is "and each service" "billing shared worker" "$(emsa service ls "$new" | awk '{ print $1 }' | paste -sd ' ')"
    is "what ends there ends here" "$(ending "$env")" "$(ending "$new")"
    told "names the secrets" "^  emsa set --secret $new/shared/PASSWORD -" "$work/out"
    told "and what needs them" "emsa cp $env/billing/URL $new/billing/URL  (needs billing/PASSWORD)" "$work/out"
    sed -n 's/^  \(emsa [a-z]* .*\)/\1/p' "$work/out" | sed 's/  (needs.*//' >"$work/todo"
    is "in their order" "set share cp cp" "$(awk '{ print $2 }' "$work/todo" | paste -sd ' ')"
    printf 'another-horse-%s' "$env" >"$work/secret"
    # what it said, done
    bash -e "$work/todo" <"$work/secret" >"$work/out" 2>"$work/err" || fault "what env cp said to do: $(cat "$work/err")"
    is "makes it whole" "$(emsa tree "$env" | sed 's|^[^/]*||')" "$(emsa tree "$new" | sed 's|^[^/]*||')"
    is "with its own secret" "pg://app:another-horse-$env@db1/" "$(emsa get --reveal "$new/billing/URL")"
    is "as JSON" "$env-third/shared/PASSWORD" "$(emsa env cp "$env" "$env-third" --json | json secrets 0 path)"

    refuses "one that is there" 4 "there already" emsa env cp "$env" "$new"
    refuses "one that is not there" 3 "did you mean '$env'" emsa env cp "${env}x" "$new-2"
    refuses "all" 4 "in effect in every environment" emsa env cp all "$new-2"
    refuses "a service" 2 "not the name of an environment" emsa env cp "$env/billing" "$new-2"
    refuses "one argument" 2 "usage" emsa env cp "$env"
    refuses "not since then" 5 "" emsa env cp "$env" "$new-2" --if-rev 1
    refuses "both" 4 "protected" emsa env cp "$env" "$new-2" --protected --ttl 1d -m why
    holds "protected" emsa env cp "$env" "$new-2" --protected -m why
    holds "of a protected one" emsa env cp "$new-2" "$new-3" --ttl 1d
    told "which ends" "until" "$work/out"
}

# What is inherited and needs a secret keeps its service out.
inherited() {
    local env=$1 new=$1-late
    holds "another service" emsa set "$env/ledger" LEVEL=info
    holds "its secret" secret "$env/ledger/PASSWORD" "some-other-horse/$env"
    holds "in all" emsa set --template all/ledger/ALL 'x:${PASSWORD}'
    holds "env cp" emsa env cp "$env" "$new"
    told "the service" "emsa service add $new/ledger  (ALL, which is inherited, needs ledger/PASSWORD)" "$work/out"
    told "and its keys" "emsa cp $env/ledger/LEVEL $new/ledger/LEVEL" "$work/out"
    is "is not placed" "billing shared worker" "$(emsa service ls "$new" | awk '{ print $1 }' | paste -sd ' ')"
    holds "its secret places it" secret "$new/ledger/PASSWORD" "a-third-horse/$env"
    is "with what is inherited" "x:a-third-horse/$env" "$(emsa get --reveal "$new/ledger/ALL")"
    holds "gone" emsa rm all/ledger/ALL
}

# When the lease ends, to the hour: the copy counts whole seconds.
ending() {
    emsa ls "$1/billing" --json | /usr/bin/python3 -c 'import json, sys
ends = [item["expires"] for item in json.load(sys.stdin)["items"] if item["name"] == "LEASE"]
print(round(ends[0] / 1e9 / 3600))'
}

bases() {
    local base=$1-base rev
    holds "a base" emsa env add "$base"
    holds "its values" emsa set "$base/web" A=1 B=2
    holds "and a secret" secret "$base/web/S" "hidden-and-long-$base"
    holds "two on it" emsa env add "$base-1" "$base-2" --base "$base" --ttl 7d
    is "are seen" "$base-1 on $base" "$(emsa env ls | awk -v e="$base-1" '$1 == e { print $1, $7, $8 }')"
    is "have its values" "1" "$(emsa get "$base-1/web/A")"
    is "and its secrets" "hidden-and-long-$base" "$(emsa get --reveal "$base-1/web/S")"
    is "ls says so" "from base" "$(emsa ls "$base-1/web" | awk '$1 == "A" { print $7, $8 }')"
    holds "its own" emsa set "$base-1/web" A=9
    is "covers it" "9 1" "$(emsa get "$base-1/web/A"; echo -n ' '; emsa get "$base-2/web/A")"
    refuses "a base goes last" 4 "is what '$base-1' stands on" emsa env rm "$base" --all
    refuses "no such base" 3 "none" emsa env add x --base none
    refuses "no base of a base" 4 "one level" emsa env add x --base "$base-1"
    refuses "all is no base" 4 "beneath every environment" emsa env add x --base all
    refuses "no time" 2 "no time at all" emsa env add x --ttl 0s
    holds "a copy of one" emsa env cp "$base-1" "$base-3"
    is "stands on the same" "$base-3 on $base" "$(emsa env ls | awk -v e="$base-3" '$1 == e { print $1, $7, $8 }')"
    is "has its own, and all of the base" "9 2 hidden-and-long-$base" \
        "$(emsa get "$base-3/web/A"; echo -n ' '; emsa get "$base-3/web/B"; echo -n ' '; emsa get --reveal "$base-3/web/S")"
    rev=$(revision)
    holds "all of it" emsa env rm "$base-1" "$base-2" "$base-3" --all
    is "in one commit" $((rev + 1)) "$(revision)"
}

all() {
    fill "$1"
    copied "$1"
    inherited "$1"
    bases "$1"
}

holds "init" emsa init
holds "all" emsa env add all
all local
served
all served
holds "verify" emsa verify
finish
