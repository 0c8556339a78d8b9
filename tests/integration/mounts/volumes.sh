#!/bin/bash
# Volumes: from VolumeCreate to VolumeRemove they stand, whatever dies and whoever takes them away.
# shellcheck disable=SC2119,SC2317 # begin may be given nothing; functions are called by holds
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
fill
emsa set prod/billing KEY=value >/dev/null
at=$EMSA_STORE/volumes

# create NAME PATH [OPTIONS]: the reply
create() { call VolumeCreate "{\"name\": \"$1\", \"options\": {\"path\": \"$2\"${3:+, $3}}}"; }
named() { call "$1" "{\"name\": \"$2\"}"; }
# seen: what the two volumes show
seen() { cat "$at/web/prod/web/PORT" "$at/flat/KEY" 2>&1 | paste -sd' '; }

begin
holds "made" create web prod/web
is "where it is" "$at/web" "$(json volume mountpoint <"$work/out")"
holds "flat" create flat prod/billing '"layout": "flat", "uid": 5, "mode": 288'
is "they show what they are of" "8080value" "$(cat "$at/web/prod/web/PORT" "$at/flat/KEY")"
is "as they were asked for" "5 440" "$(stat -c '%u %a' "$at/flat/KEY")"
is "nobody else gets there" "700" "$(stat -c %a "$at")"
holds "the same once more" create web prod/web
ends "with other options" 1 "Refused.*other options" create web prod/billing
ends "of what is not there" 1 "NotFound.*billing" create other prod/biling
ends "with an option that is none" 1 "Invalid.*layout" create other prod/web '"colour": 1'
is "two" 2 "$(call VolumeList | /usr/bin/python3 -c 'import json, sys; print(len(json.load(sys.stdin)["volumes"]))')"
ends "the command leaves it alone" 4 "is a volume" emsa umount "$at/web"
holds "mounted by one" call VolumeMount '{"name": "web", "id": "one"}'
is "where" "$at/web" "$(json mountpoint <"$work/out")"
holds "and by none any more" call VolumeUnmount '{"name": "web", "id": "one"}'
holds "also one that never was" call VolumeUnmount '{"name": "web", "id": "two"}'
is "it stands all the same" 8080 "$(cat "$at/web/prod/web/PORT")"

# Taken away by somebody: it comes back, and who has it elsewhere keeps that.
mkdir "$work/elsewhere"
mount --bind "$at/web" "$work/elsewhere"
umount "$at/web"
is "it says that nothing is there" "EMSA_NOT_MOUNTED" "$(ls -A "$at/web")"
holds "asked for" named VolumePath web
is "it is there" 8080 "$(cat "$at/web/prod/web/PORT")"
is "and elsewhere" 8080 "$(cat "$work/elsewhere/prod/web/PORT")"
umount "$work/elsewhere"

# Deaths.
kill -9 "$(process server)"
is "behind that of a server" "8080value" "$(seen | tr -d ' ')"
supervisor=$(process supervisor) server=$(process server)
kill -9 "$supervisor"
gone "$supervisor"
holds "without a supervisor it is where it was" named VolumeMount web
ends "and none can be made" 1 "Busy" create third prod/web
holds "but the name of one can be taken back" named VolumeRemove flat
begin
is "one that follows" ready "$said"
is "what has no name stands on" "value" "$(cat "$at/flat/KEY")"
holds "its name is given to another" create flat prod/web '"layout": "flat"'
is "which shows its own" "8080" "$(cat "$at/flat/PORT")"
ends "and nothing of the one before" 1 "no such file" cat "$at/flat/KEY"
holds "away" named VolumeRemove flat
holds "as it was" create flat prod/billing '"layout": "flat", "uid": 5, "mode": 288'
inode=$(stat -c %i "$at/flat/KEY")
holds "looks after them" named VolumeMount web
is "as they were" "8080value" "$(seen | tr -d ' ')"
supervisor=$(process supervisor) server=$(process server)
kill -9 "$supervisor" "$server"
gone "$supervisor"
gone "$server"
ends "all dead" 1 "not connected" cat "$at/flat/KEY"
begin
is "all again" "8080value $inode" "$(seen | tr -d ' ') $(stat -c %i "$at/flat/KEY")"
over TERM
is "a clean end takes them away" "EMSA_NOT_MOUNTED" "$(ls -A "$at/web")"
begin
is "a start brings them" "8080value" "$(seen | tr -d ' ')"

# Removed: the name, and data never.
mount --bind "$at/web" "$work/elsewhere"
holds "removed" named VolumeRemove web
ends "it is none" 1 "NotFound" named VolumeGet web
is "its place is gone" "flat" "$(ls "$at")"
is "who has it keeps it" 8080 "$(cat "$work/elsewhere/prod/web/PORT")"
ends "not twice" 1 "NotFound" named VolumeRemove web
is "data stays" 8080 "$(emsa get prod/web/PORT)"
umount "$work/elsewhere"
holds "the name can be given again" create web prod/web
over TERM

# Taken out of the file behind the daemon's back, after a death of everything.
begin
supervisor=$(process supervisor) server=$(process server)
kill -9 "$supervisor" "$server"
gone "$supervisor"
gone "$server"
/usr/bin/python3 - "$EMSA_STORE/volumes.json" <<'END'
import json, sys
with open(sys.argv[1]) as file:
    kept = json.load(file)
kept["volumes"] = [volume for volume in kept["volumes"] if volume["name"] != "web"]
with open(sys.argv[1], "w") as file:
    json.dump(kept, file)
END
begin
is "what is no volume goes" "flat" "$(ls "$at")"
is "the other stays" "value" "$(cat "$at/flat/KEY")"
over TERM

# A torn file: nothing stands, nothing is changed, and the tree is served.
cp "$EMSA_STORE/volumes.json" "$work/kept"
head -c 40 "$work/kept" >"$EMSA_STORE/volumes.json"
begin
is "the daemon begins" ready "$said"
ends "no volume" 1 "Corrupt.*volumes.json" call VolumeList
ends "none can be made" 1 "Corrupt" create web prod/web
is "the file is as it was" 40 "$(stat -c %s "$EMSA_STORE/volumes.json")"
is "what was there says that nothing is" "EMSA_NOT_MOUNTED" "$(ls -A "$at/flat")"
over TERM
cp "$work/kept" "$EMSA_STORE/volumes.json"

# What lies in the way.
begin
holds "a name" create way prod/web
over TERM
rm -r "$at/way"
ln -s "$work/elsewhere" "$at/way"
begin
is "the daemon begins all the same" ready "$said"
is "a link is not followed" "" "$(findmnt -rn "$work/elsewhere" || true)"
is "the others stand" "value" "$(cat "$at/flat/KEY")"
ends "it says so" 1 "way" named VolumePath way
rm "$at/way"
holds "when it is gone" named VolumePath way
over TERM
mv "$at" "$work/moved"
ln -s "$work/elsewhere" "$at"
begin
is "nor one in place of the folder" ready "$said"
ends "nothing is mounted" 1 "" named VolumePath way
is "there" "" "$(ls -A "$work/elsewhere")"
rm "$at"
mkdir -m 0777 "$at"
ends "nor where others may write" 1 "open to others" named VolumePath way
chmod 0700 "$at"
holds "but in one of its own" named VolumePath way
over TERM
is "its end" 0 "$code"
finish
