#!/bin/bash
# A store that the command made, with everything in it that one commit can mean in other places: what is derived is what
# the log alone comes to (emsa_settle.py).
# shellcheck disable=SC2016 # templates are not for the shell
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

# settled WHAT: all that is derived is as it must be, and the store finds so itself
settled() {
    checks=$((checks + 1))
    /usr/bin/python3 -B "$here/emsa_settle.py" "$EMSA_STORE" --identity "$EMSA_STORE.identity" >"$work/out" 2>&1 ||
        fault "$1: $(head -c 3000 "$work/out")"
    holds "$1, verified" emsa verify
}

# past NANOSECONDS: waits until the clock says so
past() {
    /usr/bin/python3 -c 'import select, sys, time
while time.time_ns() < int(sys.argv[1]):
    select.select([], [], [], (int(sys.argv[1]) - time.time_ns()) / 1e9)' "$1"
}

# secret PATH VALUE [OPTION...]
secret() {
    local path=$1 value=$2
    shift 2
    printf '%s' "$value" | emsa set "$path" - --raw --secret "$@" >/dev/null
}

holds "a store" emsa init
settled "an empty store"

# Definitions of each kind, in environments, a base, and all.
holds "environments" emsa env add prod dev
holds "values" emsa set prod/web PORT=80 HOST=here --new
holds "values of dev" emsa set dev/web PORT=8080 DEBUG=1 --new
holds "for all" emsa set all/web LOG=info PORT=1 DEBUG=0
holds "shared ones" emsa set all/shared PG_HOST=db.example PG_PORT=5432
holds "shown in all" emsa set all/web LEVEL=7
secret prod/postgres/PASSWORD 'a "pass" of prod/€'
secret dev/postgres/PASSWORD 'the pass of dev'
holds "one with a base" emsa env add preview --base dev
is "of the base" 1 "$(emsa get preview/web/DEBUG)"
is "of all" 0 "$(emsa get prod/web/DEBUG)"
settled "layers"

# Shares, links, templates.
holds "with one" emsa share prod/postgres/PASSWORD --with web
holds "with all" emsa share dev/postgres/PASSWORD --with '*'
holds "a link" emsa link prod/web/PG_PASSWORD postgres/PASSWORD
holds "a link in the base" emsa link dev/web/PG_PASSWORD postgres/PASSWORD
holds "a template" emsa set prod/web --template 'URL=pg://web:${PG_PASSWORD|url}@${shared/PG_HOST}:${shared/PG_PORT}/$$'
holds "one for all" emsa set all/web --template 'AT=${shared/PG_HOST|json} ${PORT|base64}'
holds "a link to a template" emsa link prod/web/AGAIN web/URL
settled "references"
holds "what many refer to" emsa set all/shared PG_HOST=db2.example
holds "in one of them" emsa set dev/shared PG_HOST=db.dev
secret prod/postgres/PASSWORD 'another one'
settled "changes from afar"

# The same value at another place; a value that hides another, and shows it again.
holds "what it was" emsa set prod/web LOG=info
holds "and is" emsa rm prod/web/LOG
holds "hides" emsa set preview/web DEBUG=2 PORT=9
holds "and shows" emsa rm preview/web/DEBUG
holds "and not that of the base" emsa rm dev/web/DEBUG dev/web/PORT
holds "nor that of all" emsa rm all/web/DEBUG
holds "a value as a secret" secret prod/web/HOST here --allow-equal -m "the same bytes"
settled "layers that move"

# Copies and moves, places that go and come back.
holds "a copy" emsa cp prod/web/PORT prod/postgres/PORT
holds "a secret's copy" emsa cp prod/postgres/PASSWORD prod/postgres/OLD
holds "a move" emsa mv prod/postgres/OLD prod/postgres/OLDER
holds "a service" emsa cp dev/web dev/web2 --new
holds "a service's move" emsa mv dev/web2 dev/worker --new
holds "it goes" emsa service rm dev/worker --all
holds "and comes" emsa service add dev/worker
holds "one without a key" emsa service add prod/worker
holds "for all of them" emsa set all/worker QUEUE=jobs
holds "not with one" emsa share dev/postgres/PASSWORD --with web
holds "but with all" emsa unshare dev/postgres/PASSWORD --with web
holds "another environment" emsa env add prod2
holds "with values" emsa set prod2/web PORT=2 --new
holds "one like it" emsa env cp prod2 prod3
settled "places"

# Locks, protection.
holds "a lock of a key" emsa lock prod/web/PORT -m "asked for"
holds "of a service" emsa lock prod2/web -m "asked for"
holds "of an environment" emsa lock preview -m "asked for"
holds "again" emsa lock prod/web/PORT -m "asked again"
ends "what is locked" 4 "is locked" emsa set all/web LEVEL=8
holds "no longer" emsa unlock preview prod2/web
holds "a vault" emsa env add vault --protected
holds "with a reason" emsa set vault/web KEY=1 --new -m "why"
holds "into all" emsa set all/web LEVEL=8 -m "why"
settled "locks"

# What ends by itself: over something that is there, over what would be faulty, with an environment.
holds "what is beneath" emsa set all/web OVER=beneath NEXT=later -m "why"
holds "over it" emsa set prod/web OVER=over --ttl 1s
holds "over what will be faulty" emsa set preview/web FAULTY=not --ttl 1s
holds "in the base only" emsa set dev/billing TARGET=1 --new
holds "shared there" emsa share dev/billing/TARGET --with '*'
holds "faulty above" emsa link dev/web/FAULTY billing/TARGET
holds "one that goes" emsa env add passing --base dev --ttl 2s
holds "with something in it" emsa set passing/web OVER=passing
settled "before they end"
past $(($(date +%s%N) + 2100000000))
holds "they go" emsa status
ends "the environment" 3 "" emsa ls passing
is "what is beneath" beneath "$(emsa get prod/web/OVER)"
ends "and not what is faulty" 3 "" emsa get preview/web/FAULTY
settled "ends"
holds "it is touched" emsa set dev/web FAULTY=healed
is "and shown" healed "$(emsa get preview/web/FAULTY)"

holds "a whole environment" emsa env rm prod2 --all
holds "made again" emsa env add prod2 --base dev
holds "the base's" emsa rm all/web/NEXT -m why
settled "the end"
finish
