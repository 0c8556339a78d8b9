#!/bin/bash
# --volume: the supervisor dies, an upgrade, a stop and a start: the same volumes.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
# shellcheck source=asking.sh
. "$here/asking.sh"

fill
begin --volume "$place"
is "one that stays" '200 {"Err": ""}' "$(asked Create "{\"Name\": \"stays\", $opts}")"
mounted=$(asked Path '{"Name": "stays"}')
server=$(process server)

# The supervisor dies; the next one has a plugin at the same place.
pid=$(plugin_pid)
kill -KILL "$daemon"
wait "$daemon" || true
gone "$pid" 20 || fault "it goes on without a supervisor"
begin --volume "$place"
is "the next supervisor" "ready $server" "$said $(process server)"
at_place
is "the same volumes" "$mounted" "$(asked Mount '{"Name": "stays", "ID": "x"}')"
holds "an upgrade" emsad upgrade
at_place
is "after an upgrade" "$mounted" "$(asked Mount '{"Name": "stays", "ID": "x"}')"
kill -STOP "$(plugin_pid)"
over TERM
is "one that hangs holds up no end" "0 " "$code $(pgrep emsad || true)"
is "and the place is free" no "$([ -e "$place" ] && echo there || echo no)"

# Names are there again after a stop.
begin --volume "$place"
is "after a start" "$mounted" "$(asked Mount '{"Name": "stays", "ID": "x"}')"
is "whose values are there" 8080 "$(cat "$(place_in "$mounted")/prod/web/PORT" 2>&1 || true)"
is "forgotten" '200 {"Err": ""}' "$(asked Remove '{"Name": "stays"}')"
is "and no data" 8080 "$(emsa get prod/web/PORT)"
over TERM
finish
