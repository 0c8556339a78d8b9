#!/bin/bash
# The seal of the whole: what somebody did to a store with LMDB's own tools and every hash made right is not served, by
# the command or by a server; what is only damaged is, with an error in its place; and what is accepted, and how.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
command -v mdb_dump >/dev/null || { echo "no LMDB tools here"; exit 77; }
pin=$EMSA_STORE.pin
mkdir "$work/mount"

# again: the store and its pin as they were
again() {
    rm -rf "$EMSA_STORE"
    cp -r "$work/whole" "$EMSA_STORE"
    cp "$work/whole.pin" "$pin"
}

# loaded EDIT...: the store with that edit of its records
loaded() {
    again
    mdb_dump -a "$EMSA_STORE" | /usr/bin/python3 -B "$here/attacker.py" "$@" >"$work/dump" || fault "no edit: $*"
    rm "$EMSA_STORE/data.mdb" "$EMSA_STORE/lock.mdb"
    mdb_load -f "$work/dump" "$EMSA_STORE"
}

holds "a store" emsa init
holds "environments" emsa env add dev prod
holds "values" emsa set prod/web PORT=8080 HOST=db.example --new
printf 'Kx9-of-production' | emsa set prod/web/PASSWORD - --raw --secret --new >/dev/null
printf 'Ty7-of-production' | emsa set prod/api/TOKEN - --raw --secret --new >/dev/null
holds "shared" emsa share prod/web/PASSWORD --with api
cp -r "$EMSA_STORE" "$work/whole"
cp "$pin" "$work/whole.pin"

# Every record as it was, in pages that LMDB's tools made anew: the same store.
again
mdb_dump -a "$EMSA_STORE" | sed '/^db_pagesize=/d' >"$work/dump"
rm "$EMSA_STORE/data.mdb" "$EMSA_STORE/lock.mdb"
mdb_load -f "$work/dump" "$EMSA_STORE"
is "loaded anew" 8080 "$(emsa get prod/web/PORT)"
is "without a word" "" "$(emsa get prod/web/PORT 2>&1 >/dev/null)"

# Forged or dropped, by the hashes: nothing is served of it, whatever is asked for, and verify says what it is.
refused() { # refused WHAT WORDS EDIT...
    local what=$1 words=$2
    shift 2
    loaded "$@"
    cp "$pin" "$work/seen.pin"
    ends "$what: a read" 6 "the store is not opened" emsa get prod/web/HOST
    ends "$what: how to go on" 6 "emsa verify" emsa get prod/web/HOST
    ends "$what: a change" 6 "the store is not opened" emsa set prod/web PORT=1
    ends "$what: verification" 6 "$words" emsa verify
    ends "$what: is not accepted" 6 "$words" emsa verify --accept-head
    same "$what: the pin stays" "$work/seen.pin" "$pin"
}
refused "a value" "value does not match its hash" value 8080 6666
ends "a server" 6 "the store is not opened" emsa mount "$work/mount"
refused "a right" "grant" grant user:mallory
refused "a key" "the key's record does not match the log" key
refused "a share less" "share" drop share
refused "an entry less" "current" drop current

# What the log says nothing of: who meant it says so, and not twice.
loaded fingerprint
ends "a fingerprint less" 6 "fingerprints of the leak guard" emsa get prod/web/PORT
ends "by verify" 6 "the seal" emsa verify
ends "accepted" 0 "accepted: the seal" emsa verify --accept-head
is "it is read" 8080 "$(emsa get prod/web/PORT)"
ends "once" 0 "nothing to accept" emsa verify --accept-head

# No record another, and a page that the next commit would take.
again
/usr/bin/python3 -B "$here/free.py" "$EMSA_STORE" || fault "no page was made free"
ends "a page made free" 6 "a page has two uses" emsa get prod/web/PORT
ends "is found" 6 "a page has two uses" emsa verify

# Damage: one value is an error, the others are right, and it can be set anew.
again
/usr/bin/python3 -c 'import sys
path = sys.argv[1]
data = open(path, "rb").read()
open(path, "wb").write(data.replace(b"db.example", b"db.exbmple"))' "$EMSA_STORE/data.mdb"
ends "what is damaged" 6 "does not match its hash" emsa get prod/web/HOST
ends "raises the alarm" 0 "alarm: records are damaged" emsa get prod/web/PORT
is "the others are right" 8080 "$(emsa get prod/web/PORT 2>/dev/null)"
holds "set anew" emsa set prod/web HOST=db2.example
is "is read" db2.example "$(emsa get prod/web/HOST 2>/dev/null)"

# Of a large store the bodies are read while it is served: an alarm tells of one that nobody reads.
again
/usr/bin/python3 -c 'import json
for key in "ABCDEFGHIJ":
    print(json.dumps({"path": "prod/web/" + key, "value": "large " + key * 1000000}))' >"$work/lines"
holds "a large one" emsa import --tree "$work/lines" --new
/usr/bin/python3 -c 'import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(file.read().rindex(b"large G") + 500000)
    file.write(b"g")' "$EMSA_STORE/data.mdb"
is "opens without a word" 8080 "$(emsa get prod/web/PORT 2>&1)"
ends "what is damaged there" 6 "does not match its hash" emsa get prod/web/G
mounted "$work/mount"
is "is served" 8080 "$(cat "$work/mount/prod/web/PORT")"
until emsa status --json | grep -q '"alarms": *1\b'; do :; done
stop_server

# Written without its pin, or with another: verified, and sealed again.
again
EMSA_PIN=$work/none/pin holds "without a pin" emsa set prod/web PORT=8081
ends "is told of" 0 "was written without this pin" emsa get prod/web/PORT
is "once" "" "$(emsa get prod/web/PORT 2>&1 >/dev/null)"
EMSA_PIN=$work/other.pin holds "by another pin" emsa set prod/web PORT=8082
is "is read" 8082 "$(emsa get prod/web/PORT 2>/dev/null)"
is "by both" 8082 "$(EMSA_PIN=$work/other.pin emsa get prod/web/PORT 2>/dev/null)"

# Somebody writes to the file of a server that runs.
again
mounted "$work/mount"
is "served" 8080 "$(cat "$work/mount/prod/web/PORT")"
mdb_dump -s tag "$work/whole" | sed '/^db_pagesize=/d; s/^DATA=END/ 61\n 62\nDATA=END/' >"$work/dump"
mdb_load -f "$work/dump" "$EMSA_STORE"
ends "nothing more is" 6 "somebody else has written" emsa get prod/web/PORT
stop_server
finish
