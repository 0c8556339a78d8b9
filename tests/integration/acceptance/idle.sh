#!/bin/bash
# An idle daemon uses no processor time at all: with one view, and with EMSA_TEST_VIEWS (1,000 in the slow run),
# over EMSA_TEST_SECONDS (a minute in the slow run), after it has served.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

views=${EMSA_TEST_VIEWS:-50}
seconds=${EMSA_TEST_SECONDS:-1}

# at_rest WHAT: nothing runs in the daemon's processes
at_rest() {
    local pids
    pids=$(emsa status --json | /usr/bin/python3 -c 'import json, sys
print(*sorted(set(json.load(sys.stdin)["processes"].values())))')
    # shellcheck disable=SC2086 # one word each
    holds "$1" /usr/bin/python3 "$here/idle.py" "$seconds" $pids
    echo "$1: $(cat "$work/out")"
}

holds "init" emsa init
holds "env add" emsa env add prod
holds "a value" emsa set prod/web PORT=8080
mounted "$work/env"
is "read" 8080 "$(cat "$work/env/prod/web/PORT")"
exec 8<"$work/env/prod/web/PORT"
holds "a change" emsa set prod/web PORT=8081
at_rest "one view, with a file open, after a change"

# Every one of them is read, changed and read again, so that each has had all that there is to do.
for n in $(seq 2 "$views"); do
    mounted "$work/env$n"
done
read_all() {
    local n
    for n in $(seq 2 "$views"); do cat "$work/env$n/prod/web/PORT" && echo; done | sort | uniq -c | awk '{ print $1, $2 }'
}
is "all are read" "$((views - 1)) 8081" "$(read_all)"
holds "a change" emsa set prod/web PORT=8082
is "all show it" "$((views - 1)) 8082" "$(read_all)"
at_rest "$views views"
holds "the server is killed" kill -9 "$(server_pid)"
is "all are read again" "$((views - 1)) 8082" "$(read_all)"
at_rest "$views views, of another server"
exec 8<&-
finish
