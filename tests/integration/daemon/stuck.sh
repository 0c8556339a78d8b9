#!/bin/bash
# A server that lives and does not answer: stopped, or with a thread that waits for itself.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
fill
mkdir "$work/env" "$work/programs"
cp "$EMSA_BIN/emsad_once" "$work/programs/emsad"
PATH=$work/programs:$PATH
begin --mount "$work/env"
is "ready" "ready" "$said"

holds "readers while the server is stopped" /usr/bin/python3 "$here/reader.py" "$work/env/prod/web" \
    "$EMSA_STORE/socket" 2 server STOP
cat "$work/out"
is "each was judged once" 2 "$(grep -c 'is stuck' "$work/log")"

# Nobody reads: who has something to say gets through all the same.
server=$(process server)
kill -STOP "$server"
holds "a change while the server is stopped" emsa set prod/web PORT=8081
is "is there" 8081 "$(cat "$work/env/prod/web/PORT")"
is "by another server" yes "$([ "$(process server)" != "$server" ] && echo yes)"

# A call that runs when it happens: its connection was taken already.
mkfifo "$work/held"
server=$(process server)
/usr/bin/python3 "$here/slow_call.py" "$EMSA_STORE/socket" "$work/held" >"$work/slow" 2>&1 &
slow=$!
read -r word <"$work/held"
is "a call runs" "begun" "$word"
kill -STOP "$server"
wait "$slow" || true
is "it hears of the end" "the server closed the connection" "$(cat "$work/slow")"

# A thread that takes a lock twice: whose request it was is answered by the next server, and so is
# everybody else.
server=$(process server)
echo -n deadlock >"$EMSA_STORE/fail-once"
setpriv --regid 4242 --clear-groups cat "$work/env/prod/web/PORT" >"$work/magic" &
magic=$!
holds "readers beside a thread that waits for itself" \
    /usr/bin/python3 "$here/reader.py" "$work/env/prod/web" "$EMSA_STORE/socket" 0 server
wait "$magic"
is "its own reader" 8081 "$(cat "$work/magic")"
is "its thread was judged" 1 "$(grep -c '(in state S) gets no further' "$work/log")"
is "by another server" yes "$([ "$(process server)" != "$server" ] && echo yes)"
is "the trap is gone" "" "$(find "$EMSA_STORE" -name fail-once)"

# Nobody reads and nobody calls, but a key's time comes.
inotifywait -q -m -e delete --format '%e %f' "$work/env/prod/web" >"$work/deleted" 2>"$work/err" &
watcher=$!
holds "a key that ends" emsa set prod/web LEASE=1 --ttl 1s
server=$(process server)
kill -STOP "$server"
until grep -q LEASE "$work/deleted"; do :; done # or the test's own deadline
is "its end is told" "DELETE LEASE" "$(cat "$work/deleted")"
is "by another server" yes "$([ "$(process server)" != "$server" ] && echo yes)"
kill "$watcher"
wait "$watcher" || true

is "all were counted" "$(grep -c 'is stuck' "$work/log")" "$(restarts servers_stuck)"
over TERM
is "its end" 0 "$code"

# An end does not wait for a stopped server either.
begin --mount "$work/env"
kill -STOP "$(process server)"
over TERM
is "ended with a stopped server" 0 "$code"
is "nothing is mounted" "" "$(findmnt -rn "$work/env" || true)"
finish
