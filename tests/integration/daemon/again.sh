#!/bin/bash
# Supervisor and server both dead: the next start takes the dead mounts away and mounts again in their place.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
fill
mkdir "$work/env" "$work/one" "$work/a place" "$work/masked"

# both: supervisor and server are killed, and every mount is dead
both() {
    local supervisor server
    supervisor=$(process supervisor)
    server=$(process server)
    kill -9 "$supervisor"
    kill -9 "$server"
    gone "$supervisor"
    gone "$server"
}

# read_at PLACE...: what stands there
read_at() {
    local place
    for place in "$@"; do
        cat "$place/prod/web/PORT" 2>&1
        echo
        findmnt -rn -o TARGET "$place" | wc -l
    done | paste -sd' '
}

begin --mount "$work/env"
is "ready" "ready" "$said"
holds "a mount of the command's" emsa mount "$work/a place"
holds "with its own options" emsa mount --masked "$work/masked"
holds "one that is taken away" emsa mount "$work/one"
holds "before" emsa umount "$work/one"
is "all are there" "8080 1 8080 1" "$(read_at "$work/env" "$work/a place")"
exec 8<"$work/a place/prod/web/PORT"
both
ends "they are dead" 1 "not connected" cat "$work/env/prod/web/PORT"
begin --mount "$work/env"
is "the next one begins" "ready" "$said"
is "in their place, once each" "8080 1 8080 1" "$(read_at "$work/env" "$work/a place")"
ends "as they were made" 1 "denied\|not permitted" cat "$work/masked/prod/web/PASSWORD"
is "and no other" "" "$(findmnt -rn "$work/one" || true)"
exec 8<&-
both

# Without --mount, by the command: all the same; and a dead place can be mounted on at once.
holds "a mount on a dead one" emsa mount "$work/a place"
is "is one" "8080 1 8080 1" "$(read_at "$work/env" "$work/a place")"
both
holds "another, which brings all back" emsa mount "$work/one"
is "all are there again" "8080 1 8080 1 8080 1" "$(read_at "$work/env" "$work/a place" "$work/one")"

# What was left behind by an end as asked is no different; what was taken away meanwhile stays away.
holds "stop" emsa stop
umount -l "$work/one"
begin
is "again" "ready" "$said"
is "the one that stayed" "8080 1" "$(read_at "$work/a place")"
is "not the other" "" "$(findmnt -rn "$work/one" || true)"
both

# A record of somebody else's is none.
chown 12345 "$EMSA_STORE/mounts"
begin
ends "nothing is believed" 1 "not connected" cat "$work/a place/prod/web/PORT"
over TERM
umount -l "$work/a place" "$work/masked"
begin --mount "$work/env"
both
begin --mount "$work/env"
over TERM

# A path that leads elsewhere than when it was written down is not followed, and keeps nobody from starting.
mkdir -p "$work/folder/one"
ln -s "$work/folder" "$work/link"
begin --mount "$work/link/one"
is "mounted through a link" 8080 "$(cat "$work/folder/one/prod/web/PORT")"
both
begin
is "ready without" "ready" "$said"
is "nothing is mounted there" "" "$(findmnt -rn "$work/folder/one" || true)"
holds "and it is said" grep -q "symbolic link" "$work/log"
over TERM

# The folder belongs to who owns the store, who puts a link to another in its place.
mkdir "$work/victim" "$work/owned"
echo precious | tee "$work/victim/mounts" "$work/victim/mounts.new" "$work/victim/socket" >/dev/null
cp -a "$EMSA_STORE" "$work/owned/store"
cp "$EMSA_STORE.identity" "$work/owned/store.identity"
chown -R 4242:4242 "$work/owned"
begin --store "$work/owned/store"
is "another's store" "ready" "$said"
mv "$work/owned/store" "$work/owned/real"
ln -s "$work/victim" "$work/owned/store"
over TERM
is "nothing was touched" "precious precious precious" "$(paste -sd' ' "$work/victim/mounts" "$work/victim/mounts.new" "$work/victim/socket" | paste -sd' ')"
rm "$work/owned/store"

# Another store's owner says that a mount of theirs is where this one's is. Dead, it is this store's to mount again.
as_other() { setpriv --reuid 4242 --regid 4242 --clear-groups "$@"; }
mkdir "$work/theirs"
chown 4242:4242 "$work/theirs"
chmod 755 "$work"
as_other emsa --store "$work/theirs/store" init >/dev/null
as_other emsa --store "$work/theirs/store" env add prod >/dev/null
as_other emsa --store "$work/theirs/store" set prod/web PORT=theirs >/dev/null
begin --store "$work/theirs/store"
other=$daemon
begin --mount "$work/env"
mkfifo "$work/hold" "$work/asked"
as_other /usr/bin/python3 -c 'import socket, sys
call = socket.socket(socket.AF_UNIX)
call.connect(sys.argv[1])
call.send(b"{\"method\": \"io.emsa.Mount\", \"parameters\": {\"directory\": \"%s\"}}\0" % sys.argv[2].encode())
data, descriptors, _, _ = socket.recv_fds(call, 4096, 4)
print(len(descriptors), flush=True)
sys.stdin.read()' "$work/theirs/store/socket" "$work/env" <"$work/hold" >"$work/asked" &
asking=$!
exec 7>"$work/hold"
read -r has <"$work/asked"
is "they have a mount" 1 "$has"
server=$(socket=$work/theirs/store/socket process server)
kill -9 "$other" "$server"
wait "$other" 2>/dev/null || true
gone "$server"
both
wait "$daemon" 2>/dev/null || true
exec 7>&-
wait "$asking"
begin --store "$work/theirs/store"
other=$daemon
ends "the dead mount is left alone" 1 "not connected" cat "$work/env/prod/web/PORT"
begin --mount "$work/env"
is "and served again by whose it was" 8080 "$(cat "$work/env/prod/web/PORT")"
over TERM
daemon=$other
over TERM

begin --mount "$work/env"
over TERM
is "its end leaves no record" "" "$(find "$EMSA_STORE" -name 'mounts*')"
finish
