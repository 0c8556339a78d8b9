#!/bin/bash
# The head's pin: a copy of the store from before, another history, another store, in its place; seen by the command and
# by a server, accepted by who meant it, and nothing served meanwhile.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
pin=$EMSA_STORE.pin
mkdir "$work/mount"

# placed FOLDER: that store in the place of ours
placed() {
    rm -rf "$EMSA_STORE"
    cp -r "$1" "$EMSA_STORE"
}

# From the beginning: what is put in its place before it was ever opened is another store.
EMSA_STORE=$work/somebodys holds "somebody's store" emsa init
holds "a store" emsa init
cp -r "$EMSA_STORE" "$work/first"
placed "$work/somebodys"
ends "another one, at once" 6 "another store" emsa env ls
placed "$work/first"
holds "an environment" emsa env add prod
is "only for its owner" 600 "$(stat -c %a "$pin")"
holds "a value" emsa set prod/web A=1 --new
holds "verified" emsa verify
is "and pinned" 1 "$(grep -c ': pinned$' "$work/out")"
cp -r "$EMSA_STORE" "$work/backup"
holds "a second value" emsa set prod/web A=2
cp "$pin" "$work/seen.pin"

# A backup: nothing is read of it or written to it before somebody says that it was meant.
placed "$work/backup"
ends "a read" 6 "an older head" emsa get prod/web/A
ends "how to go on" 6 "emsa verify --accept-head" emsa get prod/web/A
ends "a change" 6 "an older head" emsa set prod/web A=3
ends "a proof" 6 "an older head: the store stands at revision 3, and stood at revision 4" emsa verify
ends "a server" 6 "an older head" emsa mount "$work/mount"
same "the pin stays" "$work/seen.pin" "$pin"
ends "it is accepted" 0 "accepted: an older head" emsa verify --accept-head
ends "once" 0 "nothing to accept" emsa verify --accept-head
is "it is read" 1 "$(emsa get prod/web/A)"

# Another history of as many commits, and a longer one.
holds "our history" emsa set prod/web A=2
cp "$pin" "$work/seen.pin"
cp -r "$EMSA_STORE" "$work/ours"
placed "$work/backup"
rm "$pin"
holds "theirs" emsa set prod/web A=4
cp "$work/seen.pin" "$pin"
ends "as long" 6 "a second head: commit 4" emsa get prod/web/A
cp -r "$EMSA_STORE" "$work/theirs"
rm "$pin"
holds "more of theirs" emsa set prod/web A=5
cp "$work/seen.pin" "$pin"
ends "longer" 6 "a second head: commit 4" emsa get prod/web/A
ends "by a server" 6 "a second head" emsa mount "$work/mount"

# What is damaged is not accepted.
placed "$work/theirs"
/usr/bin/python3 -c 'import sys
path = sys.argv[1]
data = open(path, "rb").read()
open(path, "wb").write(data.replace(b"uid 0 (root)", b"uid 0 (toor)"))' "$EMSA_STORE/data.mdb"
ends "a damaged one" 6 "" emsa verify --accept-head
placed "$work/theirs"
ends "is still not accepted" 6 "a second head" emsa get prod/web/A
placed "$work/ours"
is "ours is, as ever" 2 "$(emsa get prod/web/A)"

# Another store; a store made anew in the same place.
holds "another" emsa --store "$work/other" init
placed "$work/other"
ends "another store" 6 "another store" emsa status
rm -rf "$EMSA_STORE"
holds "made anew" emsa init
holds "and used" emsa env add prod

# Written by a server, which need not ask for it.
mounted "$work/mount"
holds "by a server" emsa set prod/web A=1 --new
holds "and again" emsa set prod/web A=2
is "it says so" True "$(emsa verify --json | json pinned)"
ends "nothing to accept" 0 "there is nothing to accept" emsa verify --accept-head
cp "$pin" "$work/seen.pin"
kill -KILL "$(server_pid)"
holds "after a death" emsa set prod/web A=3
is "the next one writes it" 1 "$(cmp -s "$pin" "$work/seen.pin" && echo 0 || echo 1)"
stop_server

# A pin elsewhere; a damaged one; none to be had.
mkdir "$work/elsewhere"
EMSA_PIN=$work/elsewhere/pin holds "elsewhere" emsa verify
is "there it is" 256 "$(stat -c %s "$work/elsewhere/pin")"
head -c 256 /dev/zero >"$pin"
ends "a damaged pin" 6 "the pin is damaged" emsa get prod/web/A
ends "accepted" 0 "accepted: the pin is damaged" emsa verify --accept-head
mv "$pin" "$work/its.pin"
ln -s "$work/its.pin" "$pin"
ends "a link in its place" 4 "is no file" emsa get prod/web/A
ends "nor is it verified" 4 "name its place" emsa verify
rm "$pin"
mkdir "$pin"
ends "a folder" 4 "is no file" emsa get prod/web/A
rmdir "$pin"
mkfifo "$pin"
ends "a pipe" 4 "is no file" emsa get prod/web/A
rm "$pin"
mv "$work/its.pin" "$pin"
EMSA_PIN=$work/nowhere/pin ends "without one" 0 "not pinned: .*nowhere/pin" emsa verify
EMSA_PIN=$work/nowhere/pin ends "nothing to accept it with" 4 "cannot be accepted" emsa verify --accept-head
finish
