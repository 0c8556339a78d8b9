#!/bin/bash
# A notifier that lives and does not answer: it is replaced, and nothing that it owed is lost.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
command -v inotifywait >/dev/null || skip "needs inotifywait (inotify-tools)"
fill
mkdir "$work/env"
begin --mount "$work/env"
is "ready" "ready" "$said"
server=$(process server)

for name in FIRST SECOND; do # SECOND: of one that never was asked whether it is there
    mkfifo "$work/$name"
    inotifywait -t 60 -e create --format '%e %f' "$work/env/prod/web" >"$work/event" 2>"$work/$name" &
    watcher=$!
    until read -r line && [ "$line" = "Watches established." ]; do :; done <"$work/$name"
    notifier=$(process notifier)
    kill -STOP "$notifier"
    holds "a commit while the notifier is stopped" emsa set "prod/web" "$name=1"
    wait "$watcher" || true
    is "its event" "CREATE $name" "$(cat "$work/event")"
    is "and its name" 1 "$(cat "$work/env/prod/web/$name")"
    is "by another notifier" yes "$([ "$(process notifier)" != "$notifier" ] && echo yes)"
done
is "each was judged once" 2 "$(grep -c 'the notifier (process .*) is stuck' "$work/log")"
is "the server is the same" "$server" "$(process server)"

# One that is there is not replaced.
notifier=$(process notifier)
for number in 1 2 3; do emsa set "prod/web" "PORT=$number" >/dev/null; done
is "the notifier is the same" "$notifier" "$(process notifier)"

over TERM
is "its end" 0 "$code"

# An end does not wait for a stopped notifier either.
begin --mount "$work/env"
kill -STOP "$(process notifier)"
over TERM
is "ended with a stopped notifier" 0 "$code"
is "nothing is mounted" "" "$(findmnt -rn "$work/env" || true)"
finish
