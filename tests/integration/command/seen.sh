#!/bin/bash
# status: for people, as JSON and as metrics, with a server and without one.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

# metrics NAME...: values out of what the command prints, which must be what an independent parser takes
metrics() {
    emsa status --metrics >"$work/metrics" || fault "status --metrics ended with $?"
    /usr/bin/python3 "$root/tests/support/metrics.py" "$@" <"$work/metrics" || fault "its metrics are not in order"
}

# line LABEL: what stands behind it in the status for people
line() {
    emsa status | sed -n "s/^$1  *//p"
}

printf s3cret >"$work/s"
holds "init" emsa init
holds "env add" emsa env add prod
holds "values" emsa set prod/web PORT=8080 HOST=a --secret-file "PASSWORD=$work/s"

is "without a server: the store's numbers" "0 3 1 3 1 none none" \
    "$(metrics emsa_up emsa_entries emsa_environments emsa_revision emsa_unlocked emsa_views emsa_requests_total)"
is "no server runs" "none runs: this command opened the store itself" "$(line server)"
is "nor a copy of what is audited" "lines of commands without a server are in the record alone, in no other log" "$(line audit)"

mounted "$work/env"
is "with one" "1 3 3 1 0 1 1 1" "$(metrics emsa_up emsa_revision emsa_published_revision emsa_views emsa_open_files \
    'emsa_process_up{process="supervisor"}' 'emsa_process_up{process="server"}' 'emsa_process_up{process="notifier"}')"
is "its version" 1 "$(metrics "emsa_build_info{version=\"$(emsa --version | cut -d' ' -f2)\"}")"
is "a view that nobody reads" "1, 0 of them read: 0 files open" "$(line views)"
exec 7<"$work/env/prod/web/PORT" 8<"$work/env/prod/web/HOST"
is "and one that is read" "1, 1 of them read: 2 files open" "$(line views)"
is "as metrics" "1 2" "$(metrics emsa_reading_views emsa_open_files)"
exec 7<&- 8<&-

before=$(metrics emsa_decryptions_total)
is "a secret" s3cret "$(cat "$work/env/prod/web/PASSWORD")"
holds "is a decryption" [ "$(metrics emsa_decryptions_total)" -gt "$before" ]
is "the supervisor is the one that was started" "$(supervisor_pid)" "$(emsa status --json | json processes supervisor)"
holds "JSON has the times" eval 'emsa status --json | json visible p99'
is "and the text" "True" "$(emsa status --metrics --json | /usr/bin/python3 -c 'import json, sys
print(json.load(sys.stdin)["text"].startswith("# HELP emsa_build_info"))')"


before=$(metrics emsa_commit_visible_seconds_count)
for i in 1 2 3; do emsa set prod/web PORT=$i >/dev/null; done
is "commits are timed" $((before + 3)) "$(metrics emsa_commit_visible_seconds_count)"
is "and shown" "of $((before + 3)) commits" "$(line visible | grep -o 'of .*')"
is "no restart" "0 (0 crashed, 0 stuck, 0 upgrades)" "$(line restarts)"
server=$(server_pid)
kill -KILL "$server"
gone "$server"
is "the next server answers" 3 "$(cat "$work/env/prod/web/PORT")"
is "a restart" "1 (1 crashed, 0 stuck, 0 upgrades)" "$(line restarts)"
is "and as metrics" "2 1" "$(metrics emsa_server_starts_total emsa_server_crashes_total)"
is "what was timed before is kept" $((before + 3)) "$(metrics emsa_commit_visible_seconds_count)"
holds "its pause was timed" [ "$(metrics emsa_last_pause_seconds)" != 0 ]
is "nothing expires" "" "$(line 'next expiry')"
holds "until something does" emsa set prod/web BRIEF=1 --ttl 1h
holds "which is said" [ -n "$(line 'next expiry')" ]
emsa status --metrics >"$work/metrics"
# shellcheck disable=SC2016 # for awk
holds "and is to come" awk -v now="$(date +%s)" \
    '$1 == "emsa_next_expiry_timestamp_seconds" && $2 > now { found = 1 } END { exit !found }' "$work/metrics"

ends "no argument" 2 "too much" emsa status prod
ends "metrics are of status" 2 "no option" emsa ls --metrics
finish
