#!/bin/bash
# Whose processes they are, and what each may still do.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
fill
mkdir "$work/env"
nothing=0000000000000000
# As far as this machine lets root go.
spared=$(bash -c 'echo -900 >/proc/self/oom_score_adj; cat /proc/self/oom_score_adj' 2>/dev/null)

# sandboxed WHAT: what holds wherever the daemon runs
sandboxed() {
    server=$(process server)
    notifier=$(process notifier)
    is "$1: the server's capabilities" "$nothing $nothing" "$(in_status "$server" CapEff) $(in_status "$server" CapBnd)"
    is "$1: the notifier passes by file modes, no more" 000000000000000a "$(in_status "$notifier" CapEff)"
    is "$1: nobody gets more" "1 1" "$(in_status "$server" NoNewPrivs) $(in_status "$notifier" NoNewPrivs)"
    is "$1: calls are filtered" "2 2" "$(in_status "$server" Seccomp) $(in_status "$notifier" Seccomp)"
    is "$1: memory that is short ends the server first" "0 $spared" \
        "$(cat "/proc/$server/oom_score_adj") $(cat "/proc/$daemon/oom_score_adj")"
    is "$1: no core dumps" "0 0" \
        "$(awk '/Max core file size/ { print $5, $6 }' "/proc/$server/limits")"
}

begin --mount "$work/env"
sandboxed "root's store"
over TERM

# A store of another user: the server is that user, and reads the identity that only root may.
chown -R 12345:23456 "$EMSA_STORE"
begin --mount "$work/env"
is "ready" "ready" "$said"
sandboxed "another's store"
is "the server is its owner" "12345 12345 12345 12345 23456" "$(in_status "$server" Uid) $(in_status "$server" Gid | cut -d' ' -f1)"
is "and in no other group" "" "$(in_status "$server" Groups)"
is "the socket too" "12345 23456 srw-------" "$(stat -c '%u %g %A' "$EMSA_STORE/socket")"
same "it opens secrets" "$work/password" "$work/env/prod/web/PASSWORD"
holds "and commits" emsa set prod/web PORT=8082
kill -9 "$server"
is "also the next one" 8082 "$(cat "$work/env/prod/web/PORT")"
is "whose files are the owner's still" 12345 "$(stat -c %u "$EMSA_STORE/data.mdb")"
over TERM
is "its end" 0 "$code"

# A user in a namespace of its own. /dev/fuse as udev makes it; the machine's may be tighter.
mknod -m 666 "$work/fuse" c 10 229
mount --bind "$work/fuse" /dev/fuse
chmod 0755 "$work"
chown -R 1000:1000 "$EMSA_STORE" "$EMSA_STORE.identity" "$work/env"
cp "$EMSA_BIN/emsad" "$work/emsad-of-a-user"
cat >"$work/as-user" <<'END'
mkfifo "$1/user-ready"
"$1/emsad-of-a-user" --store "$2" --mount "$1/env" --ready-fd 9 9>"$1/user-ready" &
daemon=$!
cat "$1/user-ready"
cat "$1/env/prod/web/PORT" "$1/env/prod/web/PASSWORD"
kill -TERM $daemon
wait $daemon
echo ", ended with $?"
END
chmod 0777 "$work"
# (No kernel gives a user's namespace to what runs in a chroot, and some give none at all.)
as_user=(setpriv --reuid 1000 --regid 1000 --clear-groups)
if "${as_user[@]}" unshare -Urm true 2>"$work/log"; then
    is "in a user's namespace" "ready 8082hidden words, ended with 0" \
        "$("${as_user[@]}" unshare -Urm bash "$work/as-user" "$work" "$EMSA_STORE" 2>"$work/log" | paste -sd' ')"
else
    echo "left out: a mount in a user's namespace, which cannot be made here: $(cat "$work/log")"
fi

# A user who may not mount: serves its socket, and says what is missing.
"${as_user[@]}" "$work/emsad-of-a-user" --store "$EMSA_STORE" \
    --ready-fd 9 9>"$work/ready" 2>"$work/log" &
daemon=$!
is "without the right to mount it begins" "ready" "$(cat "$work/ready")"
ends "a mount is refused" 1 "io.emsa.Denied" call Mount
is "the rest is there" 8082 "$(emsa get prod/web/PORT)"
over TERM
is "and ends" 0 "$code"
finish
