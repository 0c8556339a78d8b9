#!/bin/bash
# Keys with an end: gone for every reader when their moment has come, by a commit of the store's own; also when
# nobody served the store then, or the server died.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"

# vanishes WHAT FILE: waits until it is not there any more
vanishes() {
    checks=$((checks + 1))
    /usr/bin/python3 -c 'import os, select, sys
for _ in range(3000):
    if not os.path.lexists(sys.argv[1]):
        sys.exit(0)
    select.select([], [], [], 0.01)
sys.exit(1)' "$2" || fault "$1: '$2' is still there"
}

# past NANOSECONDS: waits until the clock says so
past() {
    /usr/bin/python3 -c 'import select, sys, time
while time.time_ns() < int(sys.argv[1]):
    select.select([], [], [], (int(sys.argv[1]) - time.time_ns()) / 1e9)' "$1"
}

# expires KEY: the moment at which it ends, in nanoseconds
expires() {
    emsa get --reveal --json "$1" | json expires
}

fill
mkdir "$work/env"
web=$work/env/prod/web
begin --mount "$work/env"
is "ready" "ready" "$said"

# One command, several keys, plain and secret: one commit when they end.
holds "plain ones" emsa set prod/web TOKEN=a LEASE=b --ttl 4s
set_in=$(revision)
is "it says until when" "$(expires prod/web/TOKEN)" "$(emsa status --json | json next_expiry)"
is "two end" 2 "$(emsa status --json | json expiring)"
shown=$(getfattr --only-values -n user.emsa.expires "$web/TOKEN")
is "as an attribute" "$(expires prod/web/TOKEN)" "$(date -d "$shown" +%s%N)"
ends "not of what stays" 1 "no such attribute" getfattr -n user.emsa.expires "$web/PORT"
vanishes "the first" "$web/TOKEN"
vanishes "the other" "$web/LEASE"
is "by one commit" $((set_in + 1)) "$(revision)"
is "of the store's own" "emsa (expiry of rev $set_in)" "$(emsa show $((set_in + 1)) --json | json commit author)"
is "which says what it was" "expire" "$(emsa show $((set_in + 1)) --json | json operations 0 kind)"
ends "the command knows too" 3 "no key" emsa get prod/web/TOKEN
is "nothing ends any more" 0 "$(emsa status --json | json expiring)"
is "the others are there" 8080 "$(cat "$web/PORT")"
holds "a secret" emsa set prod/web --secret-file "BRIEF=$work/password" --ttl 1s
set_in=$(revision)
same "is read" "$work/password" "$web/BRIEF"
told=$(emsa watch prod/web/BRIEF --from "$set_in" | sed -n '/  - /{s/.*[0-9]  - //p;q}')
is "who watches is told when it ends" "prod/web/BRIEF  emsa (expiry of rev $set_in)" "${told%%)*})"
is "and it is gone then" "" "$(find "$web" -name BRIEF)"
holds "made again" emsa set prod/web TOKEN=again
is "it is there" again "$(cat "$web/TOKEN")"

# A set moves the end, or takes it away.
holds "two with an end" emsa set prod/web MOVED=1 KEPT=1 --ttl 1s
holds "for longer" emsa set prod/web MOVED=1 --ttl 1h
holds "for good" emsa set prod/web KEPT=1
holds "one that ends after they would have" emsa set prod/web LAST=1 --ttl 1s
vanishes "it" "$web/LAST"
is "they stay" 11 "$(cat "$web/MOVED" "$web/KEPT")"
is "one of them for an hour" "" "$(emsa ls prod/web --json | grep -c expires | grep -v '^[1-9]' || true)"
ends "for good is for good" 1 "" getfattr -n user.emsa.expires "$web/KEPT"

# The server dies with something pending; nobody serves the store when its moment comes.
holds "one for a second" emsa set prod/web SOON=1 --ttl 1s
kill -9 "$(process server)"
vanishes "the next server removes it" "$web/SOON"
holds "one more" emsa set prod/web SOON=2 --ttl 1s
moment=$(expires prod/web/SOON)
before=$(revision)
over TERM
past "$moment"
begin --mount "$work/env"
is "gone before anything was served" "" "$(find "$web" -name SOON)"
is "by the first commit of that server" $((before + 1)) "$(revision)"
holds "and another" emsa set prod/web SOON=3 --ttl 1s
moment=$(expires prod/web/SOON)
over TERM
past "$moment"
ends "a command that opens the store itself" 3 "no key" emsa get prod/web/SOON
is "made the commit" "emsa (expiry of rev $((before + 2)))" "$(emsa log -n 1 --json | json commits 0 author)"

# A file of keys; what is refused; what only says what it would do.
printf 'ONE=1\nTWO=2\n' >"$work/keys.env"
holds "imported with an end" emsa import prod/web "$work/keys.env" --ttl 1h30m
is "in 90 minutes" 5400 "$(($(emsa get --json prod/web/ONE | json expires) / 1000000000 -
    $(emsa get --json prod/web/ONE | json time) / 1000000000))"
ends "a tree with an end" 2 "without --ttl" emsa import --tree "$work/keys.env" --ttl 1h
ends "no time" 2 "at least 1s" emsa set prod/web NONE=1 --ttl 0s
ends "too long" 2 "ten years" emsa set prod/web NONE=1 --ttl 3651d
ends "no unit" 2 "write 30s" emsa set prod/web NONE=1 --ttl 30
ends "of a removal" 2 "no option '--ttl'" emsa rm prod/web/ONE --ttl 1h
before=$(revision)
ends "on a condition that does not hold" 5 "changed" emsa set prod/web ONE=1 --ttl 1h --if-rev 3
holds "dry" emsa set prod/web ONE=1 --ttl 2h --dry-run
is "nothing was changed" "$before" "$(revision)"
holds "verify" emsa verify
finish
