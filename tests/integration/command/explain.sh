#!/bin/bash
# explain, refs and find: where values come from, who uses them, and where keys are.
# shellcheck disable=SC2016 # ${...} is a template's
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=told.sh
. "$here/told.sh"

fill() {
    local env
    for env in "$1-dev" "$1-prod"; do
        holds "env add" emsa env add "$env"
        holds "values" emsa set "$env/shared" HOST="db.$env" USER=app
        holds "a secret" secret "$env/shared/PASSWORD" "hunter2/hunter2/$env"
        holds "share" emsa share "$env/shared/PASSWORD" --with billing -m "its own database"
        holds "a link" emsa link "$env/billing/HOST" shared/HOST
    done
    holds "in all" emsa set --template all/billing/URL 'pg://${shared/USER}:${shared/PASSWORD|url}@${HOST}/x'
    holds "in all" emsa set all/billing LEVEL=info
    holds "covered" emsa set "$1-prod/billing" LEVEL=warn
}

explained() {
    local dev=$1-dev prod=$1-prod
    holds "explain" emsa explain "$prod/billing/URL"
    is "masked" "$prod/billing/URL = ********" "$(head -n 1 "$work/out")"
    is "each step" "$prod/billing/URL template all|$prod/shared/USER plain own|$prod/shared/PASSWORD|url secret own|$prod/billing/HOST link own|$prod/shared/HOST plain own" \
        "$(sed -n 4,8p "$work/out" | awk '{ print $1, $2, $3 }' | paste -sd '|')"
    told "who shared it" "PASSWORD|url .* shared with 'billing' at '$prod/shared/PASSWORD' in rev .* by uid 0 (root), signed by id:administrator: its own database" "$work/out"
    told "what it is elsewhere" "^$dev/billing/URL  *secret .*\*\*\*" "$work/out"
    told "and the text in all" "^all/billing/URL  *template " "$work/out"
    holds "as JSON" emsa explain "$prod/billing/URL" --json
    cat "$work/out" >>"$work/all"
    holds "a covered one" emsa explain "$prod/billing/LEVEL"
    told "its value" "^$prod/billing/LEVEL = warn" "$work/out"
    told "what it covers" "^all/billing/LEVEL  *plain  *[0-9]*  info" "$work/out"
    told "elsewhere" "^$dev/billing/LEVEL  *plain  *all  *[0-9]*  info" "$work/out"
    holds "a locked one" emsa lock "$prod/billing" -m "for the night"
    holds "explain" emsa explain "$prod/billing/LEVEL"
    told "tells of the lock" "'$prod/billing' was locked in rev .*: for the night" "$work/out"
    holds "unlock" emsa unlock "$prod/billing"
    holds "only one has it" emsa set "$dev/billing" DEBUG=1
    refuses "what is not there" 3 "'billing/DEBUG' is there in '$dev'" emsa explain "$prod/billing/DEBUG"
    refuses "a misspelling" 3 "did you mean 'LEVEL'" emsa explain "$prod/billing/LEVLE"
    refuses "no key" 2 "is not a key" emsa explain "$prod/billing"
    refuses "too much" 2 "usage" emsa explain "$prod/billing/URL" "$prod/billing/HOST"
}

used() {
    local dev=$1-dev prod=$1-prod
    holds "refs" emsa refs "$prod/shared/HOST"
    is "by whom" "$prod/billing/HOST link own |$prod/billing/URL template all through" \
        "$(grep "^$prod" "$work/out" | awk '{ print $1, $2, $3, $5 }' | paste -sd '|')"
    told "with whom" "shared with every service" "$work/out"
    holds "of a secret" emsa refs "$dev/shared/PASSWORD"
    told "who shared it" "shared with 'billing' at '$dev/shared/PASSWORD' in rev" "$work/out"
    is "as JSON" "$dev/billing/URL" "$(emsa refs "$dev/shared/PASSWORD" --json | json referrers 0 path)"
    holds "of what nobody uses" emsa refs "$prod/billing/LEVEL"
    told "says so" "nothing refers to '$prod/billing/LEVEL'" "$work/out"
    holds "a base" emsa env add "$dev-1" --base "$dev"
    holds "refs of it" emsa refs "$dev/shared/HOST"
    told "are also of who stands on it" "^$dev-1/billing/HOST  *link  *base" "$work/out"
    refuses "a misspelling" 3 "did you mean 'HOST'" emsa refs "$prod/shared/HOTS"
    refuses "no key" 2 "is not a key" emsa refs "$prod"
}

paths() {
    awk '{ print $1 }' | paste -sd ' '
}

found() {
    local dev=$1-dev prod=$1-prod
    is "by key" "$prod/billing/LEVEL" "$(emsa find LEVEL | paths | tr ' ' '\n' | grep "^$prod")"
    is "by pattern" "$dev/shared/PASSWORD $dev-1/shared/PASSWORD" "$(emsa find "$dev*/shared/PASS*" | paths)"
    is "by service" "" "$(emsa find 'shared/LEVEL' | paths)"
    is "by value" "$dev/billing/HOST $dev/shared/HOST $dev-1/billing/HOST $dev-1/shared/HOST" \
        "$(emsa find '*' --value "db.$dev" | paths)"
    is "never a secret's" "" "$(emsa find '*' --value "hunter2/hunter2/$dev")"
    is "as JSON" "$prod/billing/LEVEL" "$(emsa find "$prod/*/LEVEL" --json | json items 0 path)"
    refuses "too many parts" 2 "more parts" emsa find a/b/c/d
    refuses "nothing" 2 "empty" emsa find ''
    refuses "no pattern" 2 "usage" emsa find
}

all() {
    fill "$1"
    explained "$1"
    used "$1"
    found "$1"
    checks=$((checks + 1))
    ! grep -q hunter2 "$work/all" || fault "a secret is seen"
    holds "gone" emsa env rm "$1-dev-1" --all
    holds "gone" emsa env rm "$1-dev" "$1-prod" --all
    holds "gone" emsa service rm all/billing --all
}

holds "init" emsa init
all local
served
all served
holds "verify" emsa verify
finish
