#!/bin/bash
# watch: what is told of a change, to whom, once and in order, whatever happens to servers; and commands that are run.
# shellcheck disable=SC2016 # some are for the commands that are run
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

# shellcheck disable=SC2317 # run by 'holds'
watching() {
    MOUNT=$work/env /usr/bin/python3 "$here/watching.py" "$@"
}

printf s3cret >"$work/s"
holds "init" emsa init
holds "env add" emsa env add prod dev
holds "values" emsa set prod/web PORT=8080 --secret-file "PASSWORD=$work/s" -m "the first"
made=$(revision)

ends "without a server" 3 "start it: emsad" emsa watch prod
mounted "$work/env"
ends "no such service" 3 "did you mean 'web'" emsa watch prod/wed
ends "no such key, and one that is" 3 "did you mean 'PORT'" emsa watch prod/web/PORT prod/web/PORTS
ends "what is no path" 2 "" emsa watch a/b/c/d
ends "a revision to come" 3 "the newest is $made" emsa watch prod --from $((made + 1 + 1))
ends "nothing to watch" 2 "before '--'" emsa watch -- true
ends "no command" 2 "missing" emsa watch prod --
ends "no place" 2 "usage" emsa watch

# For people: the line of each change; its end is that of a pipe which nobody reads any more, also while nothing comes.
is "the past, masked" "$made + prod/web/PASSWORD uid 0 (root), signed by id:administrator the first" \
    "$(emsa watch prod/web/PASSWORD --from 1 | head -n 1 | sed 's/  [0-9]*-[0-9]*-[0-9]* [0-9:]*  / /; s/  / /g')"
is "a quiet end" "0 0" "$(emsa watch prod/web/PASSWORD --from 1 | head -n 1 >/dev/null; echo "${PIPESTATUS[*]}")"
is "no value is told" "" "$(emsa watch prod --from 1 --json | head -n 2 | grep -e s3cret -e 8080)"
is "JSON: a commit a line" "$made the first True + prod/web/PASSWORD True" "$(emsa watch prod/web/PASSWORD --from 1 --json | head -n 1 |
    /usr/bin/python3 -c 'import json, sys
c = json.loads(sys.stdin.readline())
print(c["rev"], c["reason"], c["signed"], *c["changes"][0].values())')"

# As it happens: an environment, a service, a key.
exec 5< <(emsa watch prod --from $((made + 1)))
exec 6< <(emsa watch prod/web/PORT dev --from $((made + 1)))
emsa set prod/api NEW=1 >/dev/null
emsa set prod/web PORT=1 -m $'a\e[31m reason' >/dev/null
emsa rm prod/web/PORT >/dev/null
emsa set dev/web PORT=2 >/dev/null
emsa set prod/web LAST=1 >/dev/null
marks() {
    local line
    for _ in $(seq "$2"); do
        read -r -u "$1" line
        echo "$line"
    done | sed 's/^[0-9]*  [-0-9]* [:0-9]*  \(. [^ ]*\) .*/\1/' | paste -sd ' '
}
is "of an environment" "+ prod/api + prod/api/NEW ~ prod/web/PORT - prod/web/PORT + prod/web/LAST" "$(marks 5 5)"
is "of a key and another environment" "~ prod/web/PORT - prod/web/PORT + dev/web + dev/web/PORT" "$(marks 6 4)"
exec 5<&- 6<&-
is "what steers a terminal is tamed" "a?[31m reason" "$(emsa watch prod/web/PORT --from $((made + 2)) | head -n 1 | grep -o 'a?.*')"
is "one that is gone was there" "-" "$(emsa watch prod/web/PORT --from $((made + 3)) | head -n 1 | grep -o ' - ' | tr -d ' ')"

# A large commit comes in pieces, and whole.
for i in $(seq 3000); do echo "KEY_$i=$i"; done >"$work/large"
large=$(($(revision) + 1))
holds "a large commit" emsa import prod/large "$work/large"
emsa set prod/large END=1 >/dev/null
is "its changes, each once" 3001 "$(emsa watch prod/large --from $large | sed '/END/q' | grep -c "^$large .*+ prod/large")"
is "and sorted out" 3001 "$(emsa watch prod/large --from $large | sed '/END/q' | grep "^$large" | sort -u | wc -l)"

# Commands: one at a time, all that came meanwhile in one go.
mkfifo "$work/go"
: >"$work/ran"
exec 7<>"$work/go"
from=$(($(revision) + 1))
emsa watch prod --from $from -- sh -c 'echo "$EMSA_FIRST_REV $EMSA_REV $EMSA_PATHS"; read -r word <'"$work/go"'; [ "$word" != end ] || kill -TERM $$; exit 3' \
    >"$work/ran" 2>"$work/notes" &
watcher=$!
exec 8< <(exec tail -n +1 --pid=$watcher -f "$work/ran")
emsa set prod/web A=1 >/dev/null
read -r -u 8 line
is "the first" "$from $from prod/web/A" "$line"
# What it has heard of when the command ends is all in one; what it has not is the next one's.
together=no
while [ $together = no ]; do
    next=$(($(revision) + 1)) told=
    for key in B A B; do emsa set prod/web "$key=$RANDOM$RANDOM" >/dev/null; done
    for ((last = next - 1; last < next + 2;)); do
        echo on >&7
        read -r -u 8 first newest told
        is "none is left out, or told twice" "$((last + 1))" "$first"
        last=$newest
    done
    [ "$first" != "$next" ] || together=yes
done
is "the others, in one" "$((next + 2)) prod/web/B prod/web/A" "$last $told"
is "never two" 1 "$(pgrep -P $watcher | wc -l)"
is "how each one ended" "emsa: note: 'sh' ended with status 3" "$(sort -u "$work/notes")"
child=$(pgrep -P $watcher)
kill -TERM $watcher
wait $watcher && code=0 || code=$?
is "SIGTERM: an end like another" 0 "$code"
gone "$child" 20 || fault "its command goes on"
exec 7<&- 8<&-
exec 5< <(exec env EMSA_STORE="$work/other" emsa --store "$work/store" watch prod/web --from "$from" -- sh -c 'echo "$EMSA_STORE"')
read -r -u 5 line
is "its store is ours" "$work/store" "$line"
kill -TERM $!
wait $! || fault "watching another store ended with $?"
exec 5<&-
ends "no such command" 127 "no-such" emsa watch prod --from 1 -- no-such-command
ends "not to be run" 126 "passwd" emsa watch prod --from 1 -- /etc/passwd

# Servers that die, watchers that sleep, too many of them.
holds "while servers die" watching deaths $((200 / scale))
holds "one that sleeps" watching slow $((400 / scale))
is "and does not hold up the server's end" "" "$(grep -h 'did not finish' "$work/store/emsad.log" || true)"
holds "a crowd" watching crowd

# A daemon on demand is not kept by them; the next one goes on.
from=$(($(revision) + 1))
exec 5< <(exec emsa watch dev --from "$from" 2>"$work/notes")
emsa set dev/web X=1 >/dev/null
read -r -u 5 line
pid=$(supervisor_pid)
holds "umount" emsa umount "$work/env"
gone "$pid" 20 || fault "a watcher keeps the daemon"
emsa set dev/web X=2 >/dev/null
mounted "$work/env"
emsa set dev/web X=3 >/dev/null
read -r -u 5 line
is "made without a server" "$((from + 1))" "${line%% *}"
read -r -u 5 line
is "and with the next one" "$((from + 2))" "${line%% *}"
is "it said so" "emsa: note: no server runs for the store '$EMSA_STORE' any more: waiting for the next one" "$(cat "$work/notes")"
exec 5<&-

# One more than there is room for waits for a place, says so, and hears what comes then.
crowd=()
for n in $(seq 65); do
    emsa watch prod/web >"$work/heard$n" 2>"$work/said$n" &
    crowd+=($!)
done
until grep -lq 'as many watch as may' "$work"/said*; do :; done # or the test's own deadline
last=$(grep -l 'as many watch as may' "$work"/said* | head -n 1 | sed 's/.*said//')
ended=()
for n in $(seq 65); do # room for all who may have come late
    [ -s "$work/said$n" ] || [ ${#ended[@]} = 5 ] || ended+=("${crowd[n - 1]}")
done
kill "${ended[@]}"
until grep -q CROWDED "$work/heard$last"; do emsa set prod/web CROWDED=$RANDOM >/dev/null; done
kill "${crowd[@]}" 2>/dev/null || true
wait "${crowd[@]}" || fault "one of the crowd ended with $?"
finish
