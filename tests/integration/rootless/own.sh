#!/bin/bash
# The whole of emsa by a user who is root nowhere but in a user namespace of one user, which is their own.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
here=$root/tests/integration/daemon
# shellcheck source=../daemon/daemon.sh
. "$here/daemon.sh"
is "a user like any other" "0 4242 1" "$(tr -s ' ' <<<"$(cat /proc/self/uid_map)" | sed 's/^ //')"

# By itself, with a server that comes and goes.
fill
mkdir "$work/env" "$work/flat"
holds "mounted" emsa mount prod/web "$work/env"
is "its values" "8080 hidden words" "$(cat "$work/env/prod/web/PORT" "$work/env/prod/web/PASSWORD" | sed 's/8080/8080 /')"
is "whose" "0:0 444" "$(stat -c '%u:%g %a' "$work/env/prod/web/PORT")"
ends "nothing is written" 2 "read-only" sh -c "echo x >'$work/env/prod/web/PORT'"
holds "changed" emsa set prod/web PORT=9090
is "it is seen" 9090 "$(cat "$work/env/prod/web/PORT")"
kill -KILL "$(process server)"
is "also behind the death of a server" 9090 "$(cat "$work/env/prod/web/PORT")"
ends "no other user is here to own files" 2 "no user 5" emsa mount prod/web "$work/flat" --uid 5
holds "away" emsa umount "$work/env"
daemon=$(supervisor_pid)
[ -z "$daemon" ] || gone "$daemon"

# As a service: mounts, metrics, volumes.
begin --mount "prod/web:$work/flat,layout=flat,mode=0400" --metrics "unix:$work/metrics" --volume "$work/plugin"
is "ready" ready "$said"
is "what it mounted" "9090 400" "$(cat "$work/flat/PORT") $(stat -c %a "$work/flat/PORT")"
is "a snapshot as variables" 9090 "$(emsa-run --dir "$work/flat" -- printenv PORT)"
is "metrics" 1 "$(/usr/bin/python3 "$here/http.py" "unix:$work/metrics" get | grep -c '^emsa_up 1')"
holds "a volume" call VolumeCreate '{"name": "one", "options": {"path": "prod/web", "layout": "flat"}}'
is "it stands" 9090 "$(cat "$EMSA_STORE/volumes/one/PORT")"
is "the processes have no rights" "0000000000000000 0000000000000000" \
    "$(in_status "$(process server)" CapEff) $(in_status "$(process server)" CapPrm)"
holds "a new binary" emsad upgrade --store "$EMSA_STORE"
is "is seen by nobody" 9090 "$(cat "$work/flat/PORT")"
over TERM
is "its end" 0 "$code"

# How much memory may be locked is what secrets can have of it.
ulimit -l 64
begin --mount "prod/web:$work/flat,layout=flat"
is "with little to lock" "ready hidden words" "$said $(cat "$work/flat/PASSWORD")"
over TERM
is "no word of what only the host's root has" "" "$(grep -i warning "$work/log" || true)"
ulimit -l 0
[ -n "${EMSA_SANITIZED:-}" ] || # a sanitizer locks nothing
    ends "with nothing to lock" 1 "ulimit -l" emsad --mount "prod/web:$work/flat,layout=flat"
finish
