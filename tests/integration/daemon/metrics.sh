#!/bin/bash
# --metrics: HTTP in a process of its own, which nobody needs and which can harm nobody.
[ -n "${EMSA_TEST_NET:-}" ] || EMSA_TEST_NET=own exec unshare --net bash "$0"
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"

http() {
    /usr/bin/python3 "$here/http.py" "$@"
}

# answered PLACE: until metrics come again
answered() {
    until http "$1" get HEAD 2>"$work/refused" | grep -q '^200'; do :; done
}

metrics_pid() {
    pgrep -x emsad-metrics || true
}

http loopback
fill

# Places that are none, and places that are taken.
while read -r code words place; do
    begin --metrics "$place"
    over
    is "'$place': exit" "$code" "$code$(grep -q "$words" "$work/log" || echo " without '$words': $(cat "$work/log")")"
    is "'$place': its status" "$code" "$(sed -n 's/^error \([0-9]*\) .*/\1/p' <<<"$said")"
done <<END
2 place x
2 place 0
2 place 65536
2 place localhost:9000
2 place ::1:9000
2 place [::1:9000
2 place :9000
2 begin unix:here
3 listen unix:$work/none/here
4 socket unix:$work/password
1 assign 192.0.2.1:9000
END
is "what was there stays" "hidden words" "$(cat "$work/password")"

begin
is "without the option there is no such process" "ready " "$said $(metrics_pid)"
over TERM

begin --metrics 9000 --mount "$(mkdir "$work/env" && echo "$work/env")"
here_is=127.0.0.1:9000
is "ready" ready "$said"
answered $here_is
is "what it says is in order" "1 4 1 1" "$(http $here_is get | tail -n +2 | /usr/bin/python3 "$root/tests/support/metrics.py" \
    emsa_up emsa_revision emsa_views 'emsa_process_up{process="metrics"}')"
is "HEAD" "200" "$(http $here_is get HEAD)"
is "another path" "404 not here: metrics are at /metrics" "$(http $here_is get GET / | paste -sd ' ')"
is "another method" "405 Allow: GET, HEAD metrics are read only" "$(http $here_is get POST | paste -sd ' ')"
is "on the loopback only" "0100007F:2328" "$(awk '$4 == "0A" { print $2 }' /proc/net/tcp /proc/net/tcp6)"
holds "a second store" emsa --store "$work/second" init
ends "cannot have the same port" 4 "it is taken" emsad --store "$work/second" --metrics 9000

pid=$(metrics_pid)
is "nobody, without rights" "65534 65534 65534 65534 0000000000000000 0000000000000000 1 2" \
    "$(for field in Uid CapEff CapBnd NoNewPrivs Seccomp; do in_status "$pid" $field; done | paste -sd ' ')"
is "holds sockets and what it logs to" "" \
    "$(find "/proc/$pid/fd" -lname '*' -printf '%l\n' | grep -v -e '^socket:' -e '^anon_inode:\[eventpoll\]' -e '^/dev/null' -e "^$work/log" | grep -vxF "$(readlink /proc/$$/fd/1)" || true)"
is "and is in the status" "$pid" "$(process metrics)"

# What clients may try.
holds "a crowd that says nothing more" http $here_is crowd
holds "noise" http $here_is noise
is "the same process" "$pid" "$(metrics_pid)"

# Without a server, and with the next one.
server=$(process server)
kill -STOP "$daemon"
kill -KILL "$server"
gone "$server"
is "no server" "503 Retry-After: 1 the server does not answer, or is being replaced: ask again" \
    "$(http $here_is get | paste -sd ' ')"
kill -CONT "$daemon"
is "readers" 8080 "$(cat "$work/env/prod/web/PORT")"
answered $here_is
is "still the same" "$pid" "$(metrics_pid)"

# It dies, and nothing else does.
server=$(process server) notifier=$(process notifier)
exec 5<"$work/env/prod/web/PORT"
for _ in 1 2 3; do
    pid=$(metrics_pid)
    kill -KILL "$pid"
    gone "$pid"
    answered $here_is
done
is "nothing else was touched" "$server $notifier" "$(process server) $(process notifier)"
read -r -u 5 line || true
is "a reader reads on" 8080 "$line"
exec 5<&-
pid=$(metrics_pid)
kill -STOP "$pid"
holds "one that hangs holds up nobody" emsa set prod/web PORT=8081
over TERM
is "not even the end" "0 " "$code $(pgrep emsad || true)"

# A supervisor that follows a dead one has a process of its own, at the same place.
begin --metrics 9000
answered $here_is
server=$(process server) pid=$(metrics_pid)
kill -KILL "$daemon"
wait "$daemon" || true
gone "$pid" 20 || fault "it goes on without a supervisor"
begin --metrics 9000
is "the next supervisor" "ready $server" "$said $(process server)"
answered $here_is
over TERM
is "ends as it should" "0 " "$code $(pgrep emsad || true)"

# Other places.
begin --metrics '[::1]:9001'
answered '[::1]:9001'
over TERM
/usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$work/metrics"
begin --metrics "unix:$work/metrics"
is "a stale socket makes room" ready "$said"
answered "unix:$work/metrics"
is "everybody may ask, as at a port" 666 "$(stat -c %a "$work/metrics")"
emsa --store "$work/neighbour" init >/dev/null
ends "where somebody listens nobody else does" 4 "it is taken" \
    timeout 60 emsad --store "$work/neighbour" --metrics "unix:$work/metrics"
answered "unix:$work/metrics"
over TERM
is "and is taken away" "0 no" "$code $([ -e "$work/metrics" ] && echo there || echo no)"
finish
