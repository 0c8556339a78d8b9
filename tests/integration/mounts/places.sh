#!/bin/bash
# Mounting an environment or a service, with all that it takes; directories before and after; waiting.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
fill
emsa set prod/billing KEY=value >/dev/null
mkdir "$work/env" "$work/flat" "$work/part"
# left COUNT: waits until so many views are there: one that nobody mounted ends a little later
left() { until [ "$(emsa views | wc -l)" = "$1" ]; do :; done; }

# A directory before it is mounted on.
ends "none yet" 3 "mkdir" emsa mount prod/web "$work/before"
holds "prepared" emsa mount --prepare "$work/before"
is "it says so, and is closed" "EMSA_NOT_MOUNTED 0" "$(ls -A "$work/before") $(stat -c %a "$work/before")"
holds "twice" emsa mount --prepare "$work/before/"
touch "$work/part/other"
ends "not where something else is" 4 "something else" emsa mount --prepare "$work/part"
ends "nor of a file" 2 "no directory" emsa mount --prepare "$work/part/other"
ends "nor with a place" 2 "alone" emsa mount --prepare prod/web "$work/before"
ends "nor of no name" 2 "no name" emsa mount --prepare "$work/before/.."

holds "mounted on it" emsa mount prod/web "$work/before" --layout flat --uid 7 --gid 8 --mode 0440
is "it shows the service" "8080" "$(cat "$work/before/PORT")"
is "owner and modes" "7:8 550 7:8 440" "$(stat -c '%u:%g %a' "$work/before" "$work/before/PORT" | paste -sd' ')"
holds "mounted over what is there" emsa mount prod "$work/part"
is "with a word of it" yes "$(grep -q "out of sight" "$work/err" && echo yes)"
entered=("$work/part/prod"/*)
is "the environment" "billing web" "${entered[*]##*/}"
is "and its modes" "555 444" "$(stat -c %a "$work/part/prod" "$work/part/prod/web/PORT" | paste -sd' ')"
holds "masked" emsa mount prod/web "$work/flat" --masked --cache --history
ends "no secret opens" 1 "denied" cat "$work/flat/prod/web/PASSWORD"

# What there is.
emsa views >"$work/views"
is "three views" 3 "$(wc -l <"$work/views")"
is "of what, and how" yes "$(grep -q "prod/web .* 7:8 0440 flat .*$work/before" "$work/views" && echo yes)"
is "flags" yes "$(grep -q "masked cache history" "$work/views" && echo yes)"
is "somebody read" yes "$([ "$(emsa views --json | json views 0 read rev)" -gt 0 ] && echo yes)"
is "those of a place" 2 "$(emsa views prod/web | wc -l)"
is "all of them as JSON" 3 "$(emsa views --json | /usr/bin/python3 -c 'import json, sys; print(len(json.load(sys.stdin)["views"]))')"

# Away again.
holds "taken away" emsa umount "$work/before"
is "it says again that nothing is there" "EMSA_NOT_MOUNTED" "$(ls -A "$work/before")"
holds "taken away too" emsa umount "$work/part"
is "what was there is there" "other" "$(ls -A "$work/part")"
left 1

# Refused.
ends "no such service" 3 "did you mean 'web'" emsa mount prod/wed "$work/before"
ends "no such environment" 3 "did you mean 'prod'" emsa mount prd "$work/before"
ends "a key" 2 "is a key" emsa mount prod/web/PORT "$work/before"
ends "no such layout" 2 "tree or flat" emsa mount prod/web "$work/before" --layout up
ends "all of it flat" 2 "no flat layout" emsa mount "$work/before" --layout flat
ends "a mode to write" 2 "made of 4s" emsa mount prod/web "$work/before" --mode 0644
ends "no mode" 2 "no mode" emsa mount prod/web "$work/before" --mode 9
ends "no user" 2 "whole number" emsa mount prod/web "$work/before" --uid -1
ends "mounted already" 4 "already" emsa mount prod/web "$work/flat"
left 1 # nothing of it stands
is "in its directory" "EMSA_NOT_MOUNTED" "$(ls -A "$work/before")"

# Waiting.
ends "nothing comes" 3 "is the daemon" emsa wait "$work/before" --timeout 0
ends "what is mounted there is not ours" 3 "" emsa wait "$work" --timeout 0
holds "what stands" emsa wait "$work/flat"
emsa wait "$work/late/env" &
waiter=$!
mkdir -p "$work/late/env"
holds "it comes" emsa mount prod/web "$work/late/env"
code=0
wait "$waiter" || code=$?
is "who waited for it goes on" 0 "$code"
holds "gone" emsa umount "$work/late/env"
supervisor=$(supervisor_pid)
holds "and all" emsa umount "$work/flat"
gone "$supervisor" 20 || fault "the daemon on demand does not end"

# The daemon's own.
begin --mount "prod/web:$work/flat,layout=flat,mode=0400,uid=9" --mount "$work/env" --mount "prod/none:$work/part"
is "ready" ready "$said"
is "a service, flat" "8080 9:0 400" "$(cat "$work/flat/PORT") $(stat -c '%u:%g %a' "$work/flat/PORT")"
is "everything" "8080" "$(cat "$work/env/prod/web/PORT")"
is "what is not there is empty" "" "$(ls "$work/part/prod/none")"
holds "until it is there" emsa set prod/none KEY=late --new
is "then it shows" "late" "$(cat "$work/part/prod/none/KEY")"
supervisor=$(process supervisor) server=$(process server)
kill -9 "$supervisor" "$server"
gone "$supervisor"
gone "$server"
inode=$(emsa views 2>/dev/null | wc -l)
is "no view without a server" 0 "$inode"
begin --mount "prod/web:$work/flat,layout=flat,mode=0400,uid=9" --mount "$work/env"
is "in their places again" "8080 8080 late" "$(cat "$work/flat/PORT") $(cat "$work/env/prod/web/PORT") $(cat "$work/part/prod/none/KEY")"
over TERM
is "its end" 0 "$code"
is "nothing is left" "" "$(findmnt -rn -t fuse.emsa -o TARGET | grep -v "$work/part" || true)"
umount -l "$work/part" 2>/dev/null || true
for wrong in prod/web/KEY:/a "prod:" "prod:/a,mode=0600" "prod:/a,what" ":/a,layout=flat"; do
    ends "--mount $wrong" 2 "" emsad --mount "$wrong"
done
finish
