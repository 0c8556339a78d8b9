#!/bin/bash
# Mounts that are held at a revision: beside one that follows, moved, through every death.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
# shellcheck disable=SC2034 # of daemon.sh
here=$root/tests/integration/daemon
mounts=$root/tests/integration/mounts
fill
# the revision that a verb makes
made() { "$@" --json | json rev; }
first=$(made emsa set prod/web NAME=one GOES=away)
holds "a tag" emsa tag good
emsa rm prod/web/GOES >/dev/null
second=$(made emsa set prod/web NAME=second COMES=here --new)
mkdir "$work/canary" "$work/live" "$work/all" "$work/rest"
begin --mount "$work/all"

# Beside each other.
holds "held" emsa mount prod/web "$work/canary" --layout flat --at good
holds "and not" emsa mount prod/web "$work/live" --layout flat
# id DIRECTORY: the number of the view there; shown DIRECTORY: all that it shows
id() { emsa views --json | /usr/bin/python3 -c 'import json, sys
print([view["id"] for view in json.load(sys.stdin)["views"] if view.get("directory") == sys.argv[1]][0])' "$1"; }
shown() { for file in "$1"/*; do echo "${file##*/}=$(cat "$file")"; done | paste -sd' '; }
then="GOES=away NAME=one PASSWORD=hidden words PORT=8080"
now="COMES=here NAME=second PASSWORD=hidden words PORT=8080"
is "as of then" "$then" "$(shown "$work/canary")"
is "and as it is" "$now" "$(shown "$work/live")"
is "it says so" "at/$first $first" "$(readlink "$work/canary/.emsa/head") $(cat "$work/canary/.emsa/rev")"
is "so do the views" "$first" "$(emsa views prod/web --json | json views 0 pin)"
is "to people" 1 "$(emsa views prod/web | grep -c "flat at $first")"
emsa set prod/web NAME=third >/dev/null
is "a commit is nothing to it" "$then" "$(shown "$work/canary")"
is "but to the other" third "$(cat "$work/live/NAME")"

# The canary: who has a descriptor, a watch, or the file alone mounted keeps it, and hears.
inode=$(stat -c %i "$work/canary/NAME")
exec 7<"$work/canary/NAME"
touch "$work/file"
mount --bind "$work/canary/NAME" "$work/file"
mkfifo "$work/begun"
/usr/bin/python3 "$mounts/hearing.py" "$work/canary" >"$work/begun" &
hearing=$!
exec 6<"$work/begun"
read -r said <&6
is "watching" ready "$said"
holds "tried" emsa views move "$work/canary" --to "$second" --dry-run
is "says what it would be" yes "$(grep -q "would show revision $second (shows revision $first)" "$work/out" && echo yes)"
is "and did nothing" "$then" "$(shown "$work/canary")"
holds "moved" emsa views move "$work/canary" --to "$second"
is "says what it is" yes "$(grep -q "shows revision $second (was at revision $first)" "$work/out" && echo yes)"
is "the new revision" "$now" "$(shown "$work/canary")"
is "in the file that is held" second "$(cat <&7)"
is "and in the one that is mounted" second "$(cat "$work/file")"
is "which is the same" "$inode" "$(stat -c %i "$work/canary/NAME")"
heard=""
for _ in 1 2 3 4; do
    read -r said <&6
    heard="$heard$said,"
done
is "who watches hears" "DELETE GOES,CREATE COMES,CLOSE_WRITE NAME,CLOSE_WRITE COMES," "$heard"
holds "back, by its number" emsa views move "$(id "$work/canary")" --to "$first" --json
is "as JSON" "$second $first" "$(json from <"$work/out") $(json to <"$work/out")"
is "as before" "$then" "$(shown "$work/canary")"
holds "where it is" emsa views move "$work/canary" --to "$first"
umount "$work/file"
exec 7<&-

# An environment: also a service in which nothing differs shows when the view was moved.
emsa set prod/still KEY=same --new >/dev/null
still=$(made emsa set prod/web NAME=fourth)
mkdir "$work/place"
holds "an environment" emsa mount prod "$work/place" --at $((still - 1))
time_of() { stat -c %y "$work/place/prod/$1"; }
before=$(time_of still)
holds "moved" emsa views move "$work/place" --to "$still"
is "one time" "$(time_of .)" "$(time_of still)"
is "and another" yes "$([ "$before" = "$(time_of still)" ] || echo yes)"
umount "$work/place"

# Refused.
ends "no such revision" 3 "newest is" emsa views move "$work/canary" --to 1000000
ends "no such tag" 3 "no tag" emsa views move "$work/canary" --to bad
ends "no revision" 2 "no revision" emsa views move "$work/canary" --to ''
ends "nowhere" 2 "where to" emsa views move "$work/canary"
ends "before it was there" 4 "not there at revision 1:" emsa views move "$work/canary" --to 1
ends "no such view" 3 "no view" emsa views move 4000000 --to "$first"
ends "no such place" 3 "no view" emsa views move "$work" --to "$first"
ends "everything" 2 "everything" emsa views move "$work/all" --to "$first"
ends "a mount of what was not there" 4 "not there at revision 1:" emsa mount prod/web "$work/rest" --at 1
ends "of what never was" 3 "did you mean 'web'" emsa mount prod/wed "$work/rest" --at "$first"
ends "of everything" 2 "whole tree" emsa mount "$work/rest" --at "$first"
ends "of a revision to come" 3 "newest is" emsa mount prod/web "$work/rest" --at 1000000
for wrong in "prod/web:/a,at=0" "prod/web:/a,at=good" "prod/web:/a,at=-1"; do
    ends "--mount $wrong" 2 "at=" emsad --mount "$wrong"
done
is "nothing of it changed anything" "$then" "$(shown "$work/canary")"

# Deaths: of the server, of the supervisor, of both in a row; and another binary.
server=$(process server)
kill -9 "$server"
is "another server" "$then" "$(shown "$work/canary")"
holds "moves it" emsa views move "$work/canary" --to "$second"
kill -9 "$daemon"
wait "$daemon" 2>/dev/null || true
begin --mount "$work/all"
is "another supervisor" "$now" "$(shown "$work/canary")"
kill -9 "$(process server)"
is "and its server" "$now" "$(shown "$work/canary")"
is "which knows where it is held" "$second" "$(emsa views prod/web --json | json views 0 pin)"
kill -USR2 "$daemon"
until [ "$(restarts upgraded)" = 1 ]; do :; done
is "another binary" "$now" "$(shown "$work/canary")"
holds "moves it too" emsa views move "$work/canary" --to good
is "to a tag" "$then" "$(shown "$work/canary")"

# The service goes, and the view stays.
emsa service rm prod/web --all >/dev/null
is "removed" "" "$(ls "$work/live")"
is "not here" "$then" "$(shown "$work/canary")"
holds "it can be held so anew" emsa mount prod/web "$work/rest" --layout flat --at "$second"
is "as it was" "$now" "$(shown "$work/rest")"
holds "let go" emsa views move "$work/canary" --to live
is "gone here too" "" "$(ls "$work/canary")"
holds "held again" emsa views move "$work/canary" --to good
is "is there again" "$then" "$(shown "$work/canary")"
emsa set prod/web A=0 B=0 --new >/dev/null
first=$(emsa status --json | json rev)

# Commits, two who move, and readers, all at one time: each text is of one revision.
holds "to it" emsa views move "$work/canary" --to "$first"
mkfifo "$work/reading"
/usr/bin/python3 "$mounts/pairs.py" "$work/canary" <"$work/reading" >"$work/pairs" 2>&1 &
pairs=$!
exec 8>"$work/reading"
rounds=$((40 / scale))
for ((n = 1; n <= rounds; n++)); do emsa set prod/web "A=$n" "B=$n" >/dev/null; done &
setting=$!
mover() {
    local n
    for ((n = 1; n <= rounds; n++)); do
        emsa views move "$work/canary" --to "$([ $((n % $1)) = 0 ] && echo live || echo $((first + n % 5)))" >/dev/null 2>>"$work/moves" || true
    done
}
mover 3 &
one=$!
mover 4
wait "$one" "$setting"
exec 8>&-
wait "$pairs" || fault "$(cat "$work/pairs")"
is "all of them come to the end" "" "$(grep -v 'no revision' "$work/moves" || true)"

# Compared with the past of the whole tree, at revisions by chance.
last=$(emsa status --json | json rev)
for ((n = 1; n <= 10; n++)); do
    rev=$((first + RANDOM % (last - first + 1)))
    emsa views move "$work/canary" --to "$rev" >/dev/null
    (cd "$work/canary" && tail -n +1 -- *) >"$work/one"
    (cd "$work/all/.emsa/at/$rev/prod/web" && tail -n +1 -- *) >"$work/other"
    same "revision $rev" "$work/one" "$work/other"
done
holds "and to what is now" emsa views move "$work/canary" --to live
is "the newest" "$rounds" "$(cat "$work/canary/A")"
emsa set prod/web A=follows >/dev/null
is "and it follows" follows "$(cat "$work/canary/A")"

# The other ways to one.
is "a volume is held" "$((first + 1))" "$(call VolumeCreate "{\"name\": \"held\", \"options\": {\"path\": \"prod/web\", \"layout\": \"flat\", \"at\": \"$((first + 1))\"}}" | json volume options at)"
is "at its revision" 1 "$(cat "$EMSA_STORE/volumes/held/A")"
emsa tag moving "$((first + 2))" >/dev/null
is "a tag is what it is then" "$((first + 2))" "$(call VolumeCreate '{"name": "tagged", "options": {"path": "prod/web", "layout": "flat", "at": "moving"}}' | json volume options at)"
holds "moved as any" emsa views move "$EMSA_STORE/volumes/held" --to "$((first + 3))"
is "a volume too" 3 "$(cat "$EMSA_STORE/volumes/held/A")"
call VolumeRemove '{"name": "held"}' >/dev/null
call VolumeRemove '{"name": "tagged"}' >/dev/null
mkfifo "$work/stay"
unshare -m cat "$work/stay" >/dev/null &
inmate=$!
mkdir "$work/inside"
until [ "$(readlink "/proc/$inmate/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]; do :; done
holds "attached" emsa attach --pid "$inmate" prod/web "$work/inside" --layout flat --at "$((first + 4))"
is "it is held" 4 "$(cat "/proc/$inmate/root$work/inside/A")"
echo >"$work/stay"
wait "$inmate"
touch "$work/all/END" 2>/dev/null || true
emsa set prod/web END=1 --new >/dev/null
wait "$hearing"
for directory in "$work/canary" "$work/live" "$work/rest"; do emsa umount "$directory"; done
over TERM
mkdir "$work/unit"
begin --mount "prod/web:$work/unit,layout=flat,at=$((first + 2))"
is "by the daemon" 2 "$(cat "$work/unit/A")"
over TERM
is "its end" 0 "$code"
finish
