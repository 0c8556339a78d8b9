#!/bin/bash
# What is derived from the log made anew by the command: of a store with everything in it, after every kind of change; not beside
# a server, not of a log that is not whole, and never against the pin.
# shellcheck disable=SC2119 # begin may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
command -v mdb_dump >/dev/null || skip "LMDB's own tools (lmdb-utils) are not here"

# dumped: all records of the store
dumped() {
    mdb_dump -a "$EMSA_STORE"
}

# edited EDIT...: the store, edited through LMDB's tools
edited() {
    dumped | /usr/bin/python3 -B "$here/attacker.py" "$@" >"$work/dump" || fault "no edit: $*"
    rm "$EMSA_STORE/data.mdb" "$EMSA_STORE/lock.mdb"
    mdb_load -f "$work/dump" "$EMSA_STORE"
    chmod 600 "$EMSA_STORE"/*
}

# but the seal of the whole ("whole"), which is of a file
unsealed() {
    dumped | awk '$0 == " 77686f6c65" { getline; next } { print }'
}

# same WHAT: all records are what they were
same() {
    unsealed >"$work/after"
    holds "$1: every record as it was" cmp "$work/before" "$work/after"
}

# A history with everything that a log can say.
emsa init >/dev/null
emsa env add prod dev >/dev/null
emsa env add vault --protected --signed >/dev/null
emsa env add preview --base dev --ttl 7d >/dev/null
emsa set prod/web PORT=80 HOST=x.example --new -m "first" >/dev/null
printf 'Kx9#a secret of some length' | emsa set prod/web/PASSWORD - --raw --secret >/dev/null
printf 'Zw4!another-production-token' | emsa set vault/web/TOKEN - --raw --secret --new --override lock -m "first" >/dev/null
# shellcheck disable=SC2016 # a template
emsa set prod/web --template 'URL=http://${HOST}:${PORT}/' >/dev/null
emsa set dev/web SOON=1 --ttl 1d --new >/dev/null
emsa link prod/web/LINK web/PORT >/dev/null
emsa service add prod/worker >/dev/null
emsa share prod/web/PASSWORD --with worker >/dev/null
emsa share prod/web/PORT --with '*' >/dev/null
emsa unshare prod/web/PORT --with '*' >/dev/null
emsa lock prod/web/PORT -m "so it stays" >/dev/null
emsa cp prod/web/PASSWORD prod/web/PASSWORD2 >/dev/null
printf 'service: web\nkeys:\n  PORT: {type: port, default: 8080}\n  LEVEL: {type: string, default: low}\n' >"$work/schema"
emsa schema set "$work/schema" --env prod >/dev/null
emsa schema set "$work/schema" -m "for all" >/dev/null
emsa schema rm all/web -m "not for all" >/dev/null
host=$(emsa identity new host --out "$work/host.identity" 2>/dev/null | grep -o 'emsa1[0-9a-f]*')
ci=$(emsa identity new ci --out "$work/ci.identity" 2>/dev/null | grep -o 'emsa1[0-9a-f]*')
emsa tag v1 >/dev/null
emsa grant prod --to user:alice --list --read >/dev/null
emsa grant prod/web --to id:host --key "$host" --read >/dev/null
emsa grant prod --to id:ci --key "$ci" --read --set >/dev/null
printf 'Qq7!set-when-both-could-read' | emsa set prod/web/LATER - --raw --secret >/dev/null
emsa revoke prod/web --from id:host >/dev/null
emsa rotate keys prod >/dev/null
emsa tag v2 >/dev/null
emsa tag --rm v1 >/dev/null
emsa set all/shared ZONE=eu --new -m "for all" >/dev/null
emsa rollback prod/web --to 6 --override lock -m "as it was" >/dev/null
emsa rm dev/web/SOON >/dev/null
emsa service rm dev/web --all >/dev/null
emsa set dev/web AGAIN=1 --new >/dev/null
emsa env rm preview --all >/dev/null
emsa --sign none set dev/web UNSIGNED=1 >/dev/null
holds "the store" emsa verify
emsa log --json >"$work/log.before"
unsealed >"$work/before"

holds "a whole store" emsa verify --rebuild
is "and is written down" "rebuild $(id -u) $(revision)" \
    "$(emsa --json audit | json lines -1 event) $(emsa --json audit | json lines -1 uid) $(emsa --json audit | json lines -1 rev)"
is "nothing was wrong" 1 "$(emsa verify --rebuild | grep -c '0 derived records were wrong')"
same "a whole store"
for edit in "grant user:mallory" "key" "drop current" "drop history" "drop outcome" "drop key" "drop leak" "drop request" "drop meta"; do
    # shellcheck disable=SC2086 # words
    edited $edit
    holds "$edit: rebuilt" emsa verify --rebuild
    same "$edit"
done
edited drop presence
is "what was wrong" "1 True 1" "$(emsa verify --rebuild --json | /usr/bin/python3 -c 'import json, sys
told = json.load(sys.stdin)
print(told["wrong"], told["rebuilt"], {row["database"]: row["missing"] for row in told["databases"]}["presence"])')"
same "told in JSON"
emsa log --json >"$work/log.after"
holds "the log is the same" cmp "$work/log.before" "$work/log.after"
is "a secret" "Kx9#a secret of some length" "$(emsa get prod/web/PASSWORD --reveal)"
holds "verify" emsa verify

# A log that is not whole stays as it is.
cp "$EMSA_STORE/data.mdb" "$work/whole.mdb"
for edit in "value 80 81" "drop log" "drop commit" "drop value" "secrets" "author root r00t"; do
    # shellcheck disable=SC2086 # words
    edited $edit
    cp "$EMSA_STORE/data.mdb" "$work/hurt.mdb"
    ends "$edit: refused" 6 "" emsa verify --rebuild
    holds "$edit: nothing changed" cmp "$work/hurt.mdb" "$EMSA_STORE/data.mdb"
    cp "$work/whole.mdb" "$EMSA_STORE/data.mdb"
done
is "nothing beside it" "" "$(ls -d "$EMSA_STORE/rebuild" 2>/dev/null)"

# Nor is an older copy of it taken for the newest.
cp -r "$EMSA_STORE" "$work/older"
emsa set dev/web MORE=1 >/dev/null
cp -r "$EMSA_STORE" "$work/newest"
rm -r "$EMSA_STORE"
cp -r "$work/older" "$EMSA_STORE"
ends "an older head" 6 "an older head" emsa verify --rebuild
rm -r "$EMSA_STORE"
cp -r "$work/newest" "$EMSA_STORE"
unsealed >"$work/before"

# What a rebuild that was cut off left is gone with the next that opens the store; what is none of its stays, and is in the way.
mkdir "$EMSA_STORE/rebuild"
touch "$EMSA_STORE/rebuild/data.mdb"
holds "a leftover" emsa get dev/web/MORE
is "is gone" "" "$(ls -d "$EMSA_STORE/rebuild" 2>/dev/null)"
mkdir "$EMSA_STORE/rebuild"
touch "$EMSA_STORE/rebuild/mine"
ends "a folder of somebody's" 4 "is in the way" emsa verify --rebuild
rm -r "$EMSA_STORE/rebuild"

# Without an identity the leak guard knows nothing, and that is said, with what to do.
mv "$EMSA_STORE.identity" "$work/away"
ends "no identity" 0 "the leak guard has no fingerprint" emsa verify --rebuild
is "and how" 1 "$(grep -c "with an identity that opens them" "$work/err")"
mv "$work/away" "$EMSA_STORE.identity"
holds "with one again" emsa verify --rebuild
same "fingerprints and all"

# Wrong use, and beside a server.
ends "with --accept-head" 2 "first the one, then the other" emsa verify --rebuild --accept-head
ends "on another machine" 4 "is of the machine that it runs on" emsa --host ssh://nowhere.example verify --rebuild
begin
ends "beside a server" 1 "'emsa stop' ends a server" emsa verify --rebuild
over TERM
same "after all that"
finish
