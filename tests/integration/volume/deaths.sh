#!/bin/bash
# --volume: it answers whatever happens to the server and to itself.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
# shellcheck source=asking.sh
. "$here/asking.sh"

fill
begin --volume "$place"

# The server dies while it is asked: nobody sees it.
is "one that stays" '200 {"Err": ""}' "$(asked Create "{\"Name\": \"stays\", $opts}")"
mounted=$(asked Path '{"Name": "stays"}')
for _ in 1 2 3; do
    server=$(process server)
    kill -KILL "$server"
    is "asked in a restart" "$mounted" "$(asked Mount '{"Name": "stays", "ID": "x"}')"
    is "made in a restart" '200 {"Err": ""}' "$(asked Create "{\"Name\": \"stays\", $opts}")"
done

# There is none, and there is one that hangs: an error in words, in time.
kill -STOP "$daemon"
server=$(call Status | json processes server)
kill -KILL "$server"
gone "$server"
is "no server" "500 the server is not there, or is being replaced: try again, or see 'emsa status'" "$(asked Mount '{"Name": "stays", "ID": "x"}')"
is "what takes none is answered" '200 {"Capabilities": {"Scope": "local"}, "Err": ""}' "$(asked Capabilities)"
kill -CONT "$daemon"
is "and again" "$mounted" "$(asked Mount '{"Name": "stays", "ID": "x"}')"
kill -STOP "$daemon"
server=$(call Status | json processes server)
kill -STOP "$server"
is "a server that hangs" "500 the server did not answer in time" "$(asked Mount '{"Name": "stays", "ID": "x"}' | cut -c -37)"
kill -CONT "$server" "$daemon"
is "a late answer is nobody else's" "$mounted" "$(asked Path '{"Name": "stays"}')"

# With a supervisor that lives, it is another server's turn: who asks again gets on.
server=$(process server)
kill -STOP "$server"
is "a server that was stopped" yes "$(case $(asked Mount '{"Name": "stays", "ID": "x"}') in "$mounted" | "500 the server "*) echo yes ;; esac)"
until [ "$(asked Mount '{"Name": "stays", "ID": "x"}')" = "$mounted" ]; do :; done # or the test's own deadline
is "by another server" yes "$([ "$(process server)" != "$server" ] && echo yes)"

# The plugin dies, and nothing else does.
server=$(process server)
exec 5<"$(place_in "$mounted")/prod/web/PORT" || finish
for _ in 1 2 3; do
    pid=$(plugin_pid)
    kill -KILL "$pid"
    gone "$pid"
    at_place
    is "as before" "$mounted" "$(asked Mount '{"Name": "stays", "ID": "x"}')"
done
is "the same server" "$server" "$(process server)"
read -r -u 5 line || true
is "a reader reads on" 8080 "$line"
exec 5<&-
over TERM
finish
