#!/bin/bash
# A supervisor that is killed: its server goes on, and the next one has all that it had.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
count=$((${EMSA_TEST_COMMITS:-2000} / scale))
fill
holds "a key that counts" emsa set prod/web N=0
mkdir "$work/env" "$work/other"
begin --mount "$work/env"
is "ready" "ready" "$said"
server=$(process server)

# nobody: waits for the notifier, which ends when it sees that server and supervisor have
nobody() {
    local pid
    for pid in $(pgrep emsad || true); do
        gone "$pid" 20
    done
}

# take_over: what the socket says to who would take over from root
take_over() {
    /usr/bin/python3 -c 'import pathlib, socket, sys
sys.path.insert(0, sys.argv[1])
import varlink
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
try:
    print(varlink.Connection(sys.argv[2]).call("TakeOver", [theirs.fileno()], channel=0))
except varlink.Refused as refused:
    print(refused.name)' "$root/tests/support" "$EMSA_STORE/socket"
}
is "not while the supervisor lives" "io.emsa.Busy" "$(take_over)"

# In the middle of commits, and of readers that never stop.
mkfifo "$work/marks"
/usr/bin/python3 "$here/commits.py" "$EMSA_STORE/socket" prod/web "$count" "$work/marks" >"$work/commits" 2>&1 &
commits=$!
/usr/bin/python3 "$here/steady.py" "$work/env/prod/web" >"$work/reads" 2>&1 &
reads=$!
exec 8<"$work/marks"
read -r _ <&8
kill -9 "$daemon"
wait "$daemon" 2>/dev/null || true
is "the server goes on" "$server" "$(process server)"
holds "the status says so" emsa status
is "and what to do" 1 "$(grep -c 'supervisor.*none.*emsad' "$work/out")"
read -r _ <&8
begin --mount "$work/env"
is "the next one takes over" "ready" "$said"
is "it is the supervisor" "$daemon" "$(process supervisor)"
is "and named as the owner" "$daemon" "$(cat "$EMSA_STORE/owner.lock")"
is "of the same server" "$server" "$(process server)"
is "which it mounted once" 1 "$(findmnt -rn -o TARGET "$work/env" | wc -l)"
read -r _ <&8
kill -9 "$server"
is "a server that died is replaced by it" yes "$([ "$(process server)" != "$server" ] && echo yes)"
wait "$commits" || fault "commits failed"
cat "$work/commits"
is "no commit is missed" "$count" "$(cat "$work/env/prod/web/N")"
kill -TERM "$reads"
wait "$reads" || fault "reads failed"
cat "$work/reads"
is "it was counted" "1 1" "$(restarts taken_over) $(restarts servers_crashed)"
same "secrets are open" "$work/password" "$work/env/prod/web/PASSWORD"

# A mount needs a supervisor: the command finds one.
kill -9 "$daemon"
wait "$daemon" 2>/dev/null || true
holds "a command goes on without" emsa set prod/web PORT=8081
holds "a mount" emsa mount "$work/other"
is "is there" 8081 "$(cat "$work/other/prod/web/PORT")"
is "and the one from before" 8081 "$(cat "$work/env/prod/web/PORT")"
holds "which goes" emsa umount "$work/other"
is "and is not the last" 8081 "$(cat "$work/env/prod/web/PORT")"
daemon=$(process supervisor)

# Twice the same, then an end, which needs one too.
kill -9 "$daemon"
gone "$daemon"
begin
is "again" "ready" "$said"
kill -9 "$daemon"
wait "$daemon" 2>/dev/null || true
server=$(process server)
holds "an end" emsa stop
gone "$server"
is "nothing is mounted" "" "$(findmnt -rn "$work/env" || true)"
nobody
is "nobody is left" "" "$(pgrep emsad || true)"

# On demand, with nobody to end it: the last view's end is the server's.
holds "on demand" emsa mount "$work/other"
kill -9 "$(process supervisor)"
server=$(process server)
umount "$work/other"
gone "$server"
nobody
is "nobody is left after that" "" "$(pgrep emsad || true)"
finish
