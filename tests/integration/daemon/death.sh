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

# The supervisor itself: what it leaves behind ends, and is no obstacle.
server=$(process server)
notifier=$(process notifier)
kill -9 "$daemon"
gone "$server"
gone "$notifier"
over
ends "nobody answers" 2 "not connected" ls "$work/env"
umount -l "$work/env"
is "the store is free and whole" 9090 "$(emsa get prod/web/PORT)"
holds "verify" emsa verify
finish
