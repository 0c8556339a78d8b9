#!/bin/bash
# Beginning and end.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"

# What it does not begin with.
ends "no store" 3 "no store" emsad
ends "an option that there is not" 2 "--wrong" emsad --wrong
ends "something beside the options" 2 "there" emsad there
ends "a role without a supervisor" 2 "role" emsad --role server
ends "no number of threads" 2 "threads" emsad --threads none
ends "--cache before any --mount" 2 "cache" emsad --cache --mount "$work"
holds "help" emsad --help
holds "version" emsad --version
begin
is "no store, said to who started it" "error 3 not-found" "$(cut -d' ' -f1-3 <<<"$said")"
over
is "no store, by exit status" 3 "$code"

fill
mkdir "$work/env"

# A life.
begin --mount "$work/env"
is "ready" "ready" "$said"
is "the mount is there at once" 8080 "$(cat "$work/env/prod/web/PORT")"
same "a secret too" "$work/password" "$work/env/prod/web/PASSWORD"
is "the socket is the owner's" "srw------- root" "$(stat -c '%A %U' "$EMSA_STORE/socket")"
first=$daemon
ends "a second owner" 1 "process $first" emsad
begin
is "a second owner, by who started it" "error 1 busy" "$(cut -d' ' -f1-3 <<<"$said")"
over
daemon=$first
holds "the first goes on" emsa set prod/web PORT=8081
is "and shows what was set" 8081 "$(cat "$work/env/prod/web/PORT")"
is "the log names no value" "" "$(grep -e hidden -e 8081 "$work/log" || true)"
over TERM
is "ended by SIGTERM" 0 "$code"
is "the socket is gone" "" "$(find "$EMSA_STORE" -name socket)"
is "nothing is mounted" "" "$(findmnt -rn "$work/env" || true)"
is "nobody is left" "" "$(pgrep emsad || true)"
is "the store is free, and holds what was set" 8081 "$(emsa get prod/web/PORT)"

# In use at the end, by a reader that stays.
begin --mount "$work/env"
exec 8<"$work/env/prod/web/PORT"
over INT
is "ended by SIGINT with a file open" 0 "$code"
is "nothing is mounted after that either" "" "$(findmnt -rn "$work/env" || true)"
exec 8<&-

# As the command asks for it.
begin
holds "asked to stop" call Stop
over
is "ended as asked" 0 "$code"

# The socket of a daemon that was killed does not stand in the way.
begin --mount "$work/env"
server=$(process server)
kill -9 "$daemon" "$server"
gone "$server"
over
is "killed" 137 "$code"
umount -l "$work/env"
begin --mount "$work/env"
is "the next one begins" "ready" "$said"
is "and serves" 8081 "$(cat "$work/env/prod/web/PORT")"
over TERM

# The service manager.
mkfifo "$work/bound"
/usr/bin/python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
open(sys.argv[2], "w").close()
text = ""
while not text.startswith("STOPPING"):
    text = s.recv(4096).decode()
    print(text.splitlines()[0], flush=True)' "$work/manager" "$work/bound" >"$work/heard" &
manager=$!
cat "$work/bound"
NOTIFY_SOCKET=$work/manager begin
over TERM
wait "$manager"
is "the service manager heard" "READY=1 STATUS=serving $EMSA_STORE STOPPING=1" "$(paste -sd' ' "$work/heard")"

# What it refuses to begin with, and leaves nothing.
begin --mount "$work/nowhere"
is "a mount point that is not there" "error 3 not-found" "$(cut -d' ' -f1-3 <<<"$said")"
over
is "and its status" 3 "$code"
chmod 644 "$EMSA_STORE.identity"
begin
is "an identity that others can read" "error 4 refused" "$(cut -d' ' -f1-3 <<<"$said")"
over
chmod 600 "$EMSA_STORE.identity"
mv "$EMSA_STORE.identity" "$work/elsewhere"
begin --mount "$work/env"
is "without an identity it serves" "ready" "$said"
is "what is plain" 8081 "$(cat "$work/env/prod/web/PORT")"
ends "and no secret" 1 "required key" cat "$work/env/prod/web/PASSWORD"
is "and said so" 1 "$(grep -c 'secrets give ENOKEY' "$work/log")"
over TERM
mv "$work/elsewhere" "$EMSA_STORE.identity"
cp "$EMSA_STORE/data.mdb" "$work/good.mdb"
truncate -s 100 "$EMSA_STORE/data.mdb"
begin --mount "$work/env"
is "a damaged store" "error 6" "$(cut -d' ' -f1-2 <<<"$said")"
over
is "and its status" 6 "$code"
is "the socket is gone after that" "" "$(find "$EMSA_STORE" -name socket)"
cp "$work/good.mdb" "$EMSA_STORE/data.mdb"

# A machine without FUSE: the daemon can live, it cannot mount.
mkdir "$work/dev"
mount -t tmpfs dev "$work/dev"
for device in null zero random urandom; do cp -a "/dev/$device" "$work/dev/"; done
ln -s /proc/self/fd "$work/dev/fd"
mount --move "$work/dev" /dev
begin --mount "$work/env"
is "/dev/fuse is not there" "error 3 not-found" "$(cut -d' ' -f1-3 <<<"$said")"
is "and is named" 1 "$(grep -c /dev/fuse <<<"$said")"
over
begin
is "without a mount it begins" "ready" "$said"
ends "a mount is refused" 1 "io.emsa.NotFound.*/dev/fuse" call Mount
holds "a change is not" emsa set prod/web PORT=1
over TERM
umount -l /dev
finish
