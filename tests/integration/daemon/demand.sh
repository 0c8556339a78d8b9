#!/bin/bash
# A daemon that was started for a mount, and ends with the last one.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
fill
mkdir "$work/one" "$work/two"
begin --on-demand
is "ready" "ready" "$said"
holds "a call without a mount" emsa get prod/web/PORT
holds "mount" emsa mount "$work/one"
holds "another" emsa mount "$work/two"
is "one daemon for both" "$daemon" "$(supervisor_pid)"
holds "umount" emsa umount "$work/one"
is "the other is still read" 8080 "$(cat "$work/two/prod/web/PORT")"
kill -9 "$(process server)"
is "also after the server's death" 8080 "$(cat "$work/two/prod/web/PORT")"
holds "a call" emsa set prod/web PORT=8083
holds "umount of the last" emsa umount "$work/two"
over
is "ended by itself" 0 "$code"
is "the socket is gone" "" "$(find "$EMSA_STORE" -name socket)"

# A first mount that fails leaves nothing running that would stand in the way of the next.
: >"$work/no-device"
begin --on-demand
mount --bind "$work/no-device" /dev/fuse
ends "a mount that cannot be" 1 "FUSE" emsa mount "$work/one"
umount /dev/fuse
over
is "ended by itself after that" 0 "$code"

# By the command itself, again and again, so that ends and beginnings meet.
for ((n = 0; n < 20 / scale; n++)); do
    holds "mount $n" emsa mount "$work/one"
    is "read $n" 8083 "$(cat "$work/one/prod/web/PORT")"
    holds "umount $n" emsa umount "$work/one"
done
pid=$(supervisor_pid)
[ -z "$pid" ] || gone "$pid"
is "nobody is left" "" "$(pgrep emsad || true)"
finish
