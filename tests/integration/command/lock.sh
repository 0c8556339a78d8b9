#!/bin/bash
# lock and unlock: nothing that would change what is in effect at a locked place is taken, wherever it is set.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=told.sh
. "$here/told.sh"

locks() {
    local env=$1 rev
    holds "env add" emsa env add "$env"
    holds "values" emsa set "$env/web" PORT=80 NAME=one
    holds "linked" emsa set "$env/shared" HOST=db1
    holds "linked" emsa link "$env/web/HOST" shared/HOST
    holds "in all" emsa set all/web ZONE=eu
    is "nothing is locked" "" "$(emsa lock)"
    holds "a key" emsa lock "$env/web/PORT" -m "behind the firewall rule"
    told "says so" "+  $env/web/PORT  (locked)" "$work/out"
    rev=$(revision)
    refuses "set" 4 "'$env/web/PORT' is locked by '$env/web/PORT' since revision $rev: behind the firewall rule (emsa unlock $env/web/PORT)" \
        emsa set "$env/web/PORT=81"
    refuses "rm" 4 "is locked by" emsa rm "$env/web/PORT"
    refuses "mv" 4 "is locked by" emsa mv "$env/web/PORT" "$env/web/P"
    refuses "a ttl" 4 "lock" emsa set "$env/web/PORT" 80 --ttl 1h
    refuses "service rm" 4 "is locked by" emsa service rm "$env/web" --all
    holds "the same value" emsa set "$env/web/PORT=80"
    holds "another key" emsa set "$env/web/NAME=two"
    holds "again" emsa lock "$env/web/PORT"
    told "is as it was" "as it was" "$work/out"
    holds "a service" emsa lock "$env/web" -m "all of it"
    refuses "through a link" 4 "'$env/web/HOST' is locked by '$env/web'" emsa set "$env/shared/HOST=db2"
    refuses "from all" 4 "'$env/web/ZONE' is locked by '$env/web'" emsa set all/web ZONE=us
    refuses "a new key from all" 4 "'$env/web/MORE' is locked by '$env/web'" emsa set all/web MORE=1
    refuses "several reasons at once" 4 "'$env/web/HOST' is locked" emsa set "$env/shared/HOST=db2" "$env/web/NAME=three"
    told "and the other" "'$env/web/NAME' is locked" "$work/err"
    holds "an environment" emsa lock "$env" --json
    is "as JSON" "locked" "$(json lines 0 note <"$work/out")"
    refuses "a new service" 4 "is locked by '$env'" emsa service add "$env/api"
    holds "a list" emsa lock
    is "of all of them" "$env $env/web $env/web/PORT" "$(awk '{ print $1 }' "$work/out" | paste -sd ' ')"
    told "with the reason" "behind the firewall rule" "$work/out"
    is "as JSON" "all of it" "$(emsa lock --json | json locks 1 reason)"

    refuses "one that is not" 3 "is not locked itself" emsa unlock "$env/web/NAME"
    refuses "no such key" 3 "NONE" emsa lock "$env/web/NONE"
    refuses "no such environment" 3 "no environment" emsa lock none
    refuses "no path" 2 "" emsa lock a/b/c/d
    refuses "nothing" 2 "usage" emsa unlock
    holds "a dry run" emsa unlock "$env" --dry-run
    refuses "changes nothing" 4 "is locked by '$env'" emsa service add "$env/api"
    refuses "not since then" 5 "" emsa unlock "$env" --if-rev 1
    holds "unlocked" emsa unlock "$env" "$env/web" "$env/web/PORT" -m "done"
    told "says so" "-  $env/web  *(unlocked)" "$work/out"
    holds "changes again" emsa set "$env/web/PORT=81" all/web/ZONE=us
    holds "show" emsa show "$(($(revision) - 1))"
    told "has a word for it" "-  $env/web/PORT  unlock" "$work/out"
    holds "gone" emsa env rm "$env" --all
    holds "gone" emsa service rm all/web --all
}

# Protected: every change says why, and it stays.
protected() {
    local env=$1-prod
    holds "env add" emsa env add "$env" --protected
    is "is seen" "protected" "$(emsa env ls | awk -v e="$env" '$1 == e { print $7 }')"
    refuses "without a reason" 4 "'$env' is protected: every change of it needs a reason" emsa set "$env/site" A=1
    holds "with one" emsa set "$env/site" A=1 -m "it is time"
    refuses "env rm" 4 "is protected" emsa env rm "$env" --all -m "away"
    refuses "as a base" 4 "cannot stand on '$env'" emsa env add "$1-x" --base "$env"
    refuses "protected on a base" 4 "cannot stand" emsa env add "$1-x" --base "$1-y" --protected
}

both() {
    holds "env add" emsa env add "$1-y"
    locks "$1"
    protected "$1"
}

holds "init" emsa init
holds "all" emsa env add all
both local
served
both served
holds "verify" emsa verify
finish
