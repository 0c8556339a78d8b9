#!/bin/bash
# Children that are killed, under readers.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
fill
mkdir "$work/env"
begin --mount "$work/env"
is "ready" "ready" "$said"

holds "readers while the server is killed" /usr/bin/python3 "$here/reader.py" "$work/env/prod/web" \
    "$EMSA_STORE/socket" $((200 / scale)) server
cat "$work/out"
holds "readers while the notifier is killed" /usr/bin/python3 "$here/reader.py" "$work/env/prod/web" \
    "$EMSA_STORE/socket" $((20 / scale)) notifier
cat "$work/out"

# A change right after: the kernel's pages are told of it by whoever is notifier now.
exec 8<"$work/env/prod/web/PORT"
read -r -N 4 before <&8
is "a descriptor from before" 8080 "$before"
kill -9 "$(process notifier)"
holds "a change without a notifier" emsa set prod/web PORT=9090
is "is shown at once" 9090 "$(cat "$work/env/prod/web/PORT")"
kill -9 "$(process server)"
is "also after the server's death" 9090 "$(cat "$work/env/prod/web/PORT")"
exec 8<&-

# Supervisor and server: what they leave behind ends, and is no obstacle.
server=$(process server)
notifier=$(process notifier)
kill -9 "$daemon" "$server"
gone "$server"
gone "$notifier"
over
ends "nobody answers" 2 "not connected" ls "$work/env"
umount -l "$work/env"
is "the store is free and whole" 9090 "$(emsa get prod/web/PORT)"
holds "verify" emsa verify

# A server that finds its store damaged ends the daemon: nobody waits for what will not come.
cp "$EMSA_STORE/data.mdb" "$work/data"
begin --mount "$work/env"
exec 8<"$work/env/prod/web/PASSWORD"
server=$(process server)
truncate -s 0 "$EMSA_STORE/data.mdb"
kill -9 "$server"
over
is "ended as damaged" 6 "$code"
ends "who had it open is told" 1 "not connected\|connection abort" bash -c "timeout 20 cat <&8"
exec 8<&-
is "nothing is mounted" "" "$(findmnt -rn "$work/env" || true)"
ends "a command says what it is" 6 "truncated" timeout 20 emsa get prod/web/PORT
cp "$work/data" "$EMSA_STORE/data.mdb"
holds "a backup helps" emsa verify
finish
