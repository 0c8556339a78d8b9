#!/bin/bash
# --volume: docker's plugin protocol in a process of its own, which answers whatever happens to the others.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
place=$work/run/docker/plugins/emsa.sock

protocol() {
    /usr/bin/python3 "$here/protocol.py" "$place" "$@"
}

# asked WHAT [BODY]: the status and what was said
asked() {
    protocol ask "$@" 2>&1 | tail -n 1
}

plugin_pid() {
    pgrep -x emsad-volume || true
}

# place_in REPLY: its mountpoint
place_in() {
    cut -d '"' -f 4 <<<"$1"
}

# at_place: until somebody listens there
at_place() {
    until protocol ask Capabilities >"$work/refused" 2>&1; do :; done
}

fill

# Places that are none, and places that are taken.
while read -r code words socket; do
    begin --volume "$socket"
    over
    is "'$socket': exit" "$code" "$code$(grep -q "$words" "$work/log" || echo " without '$words': $(cat "$work/log")")"
done <<END_OF_PLACES
2 begin emsa.sock
4 socket $work/password
4 is.taken $EMSA_STORE/socket
END_OF_PLACES
begin
is "without the option there is no such process" "ready " "$said $(plugin_pid)"
over TERM

begin --volume "$place"
is "ready" ready "$said"
is "the owner's alone, in folders that were made" "600 0:0 755" "$(stat -c '%a %u:%g' "$place") $(stat -c %a "$work/run/docker")"
pid=$(plugin_pid)
is "nobody, without rights" "65534 65534 65534 65534 0000000000000000 0000000000000000 1 2" \
    "$(for field in Uid CapEff CapBnd NoNewPrivs Seccomp; do in_status "$pid" $field; done | paste -sd ' ')"
is "holds sockets and what it logs to" "" \
    "$(find "/proc/$pid/fd" -lname '*' -printf '%l\n' | grep -v -e '^socket:' -e '^anon_inode:\[event' -e '^/dev/null' -e "^$work/log" | grep -vxF "$(readlink /proc/$$/fd/1)" || true)"
is "and is in the status" "$pid" "$(process volume)"

for what in shapes options malformed oversized half_closed slow noise; do
    holds "$what" protocol $what
done
holds "a thousand at once" protocol crowd $((1000 / scale))
is "the same process" "$pid" "$(plugin_pid)"
is "nothing is left" '200 {"Volumes": [], "Err": ""}' "$(asked List)"

# The server dies while it is asked: nobody sees it.
opts='"Opts": {"environment": "prod", "service": "web"}'
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

# A disk that is full: nothing new, in words; what there is goes on.
mkdir "$work/small"
mount -t tmpfs -o size=24m small "$work/small"
store=$EMSA_STORE
export EMSA_STORE=$work/small/store
fill
begin --volume "$place"
is "made while there is room" '200 {"Err": ""}' "$(asked Create "{\"Name\": \"old\", $opts}")"
! dd if=/dev/zero of="$work/small/filler" bs=64k 2>"$work/err" || fault "it is not full"
full=$(asked Create "{\"Name\": \"new\", $opts}")
is "a full disk is called so" 500 "$(grep -i 'space\|full\|room' <<<"$full" | cut -d ' ' -f 1)$(grep -iq 'space\|full\|room' <<<"$full" || echo "$full")"
is "what was made is mounted" 200 "$(asked Mount '{"Name": "old", "ID": "x"}' | cut -c -3)"
is "and what was not is not there" 500 "$(asked Get '{"Name": "new"}' | cut -c -3)"
rm "$work/small/filler"
is "room again" '200 {"Err": ""}' "$(asked Create "{\"Name\": \"new\", $opts}")"

# Somebody's change does not come to its end; and no identity, so secrets are closed: neither is volumes' affair.
mkfifo "$work/begun"
/usr/bin/python3 "$here/../daemon/slow_call.py" "$EMSA_STORE/socket" "$work/begun" >"$work/slow" 2>&1 &
slow=$!
read -r line <"$work/begun"
is "beside a change that hangs" "begun 200" "$line $(asked Remove '{"Name": "new"}' | cut -c -3)"
kill "$slow"
wait "$slow" || true
over TERM
export EMSA_IDENTITY=$work/none
begin --volume "$place"
is "without an identity" "8080" "$(cat "$(place_in "$(asked Mount '{"Name": "old", "ID": "x"}')")/prod/web/PORT" 2>&1 || true)"
over TERM
unset EMSA_IDENTITY
export EMSA_STORE=$store

# Names are there again after a stop.
begin --volume "$place"
is "after a start" "$mounted" "$(asked Mount '{"Name": "stays", "ID": "x"}')"
is "whose values are there" 8080 "$(cat "$(place_in "$mounted")/prod/web/PORT" 2>&1 || true)"
is "forgotten" '200 {"Err": ""}' "$(asked Remove '{"Name": "stays"}')"
is "and no data" 8080 "$(emsa get prod/web/PORT)"
over TERM
finish
