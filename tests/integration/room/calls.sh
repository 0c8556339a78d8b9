#!/bin/bash
# Whether the lists of system calls (tools/emsad/calls.c) are complete: the daemon is traced while it does all kinds of
# things, and no call that a process makes in its sandbox may be one that does not exist there. Prints what was called,
# by role: what is in a list and never in here, on no machine, may leave it.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$(dirname "$0")/../daemon/daemon.sh"
command -v strace >/dev/null || skip "there is no strace"
[ -z "${EMSA_SANITIZED:-}" ] || skip "sanitizers call what they like, and trace themselves"

fill
mkdir "$work/env"
strace -f -Y -qq -s 8 -o "$work/trace" "$EMSA_BIN/emsad" --mount "$work/env" --metrics "unix:$work/metrics" \
    --volume "$work/plugin.sock" --ready-fd 9 9>"$work/ready" 2>"$work/log" &
daemon=$!
read -r said <"$work/ready" # no end is waited for: strace has it open too
is "it is ready" ready "$said"

# Reads, changes that are told of, refusals, users that the system did not have, memory, metrics, volumes
cat "$work/env/prod/web/PORT" "$work/env/prod/web/PASSWORD" "$work/env/prod/web/.emsa/json" >/dev/null
ls -lR "$work/env" >/dev/null
getfattr -d -m - "$work/env/prod/web/PORT" >/dev/null 2>&1 || true
for n in 1 2 3; do emsa set prod/web "NEW$n=$n" "PORT=$n" >/dev/null; done
emsa rm prod/web/NEW1 >/dev/null
emsa set prod/web SHORT=1 --ttl 1h >/dev/null
head -c 900000 /dev/zero | tr '\0' x >"$work/large"
emsa set prod/web --secret-file "LARGE=$work/large" >/dev/null
same "a large secret" "$work/large" "$work/env/prod/web/LARGE"
emsa mv prod/web/NEW2 prod/web/MOVED >/dev/null
emsa rollback prod/web --to 3 >/dev/null
emsa verify >/dev/null
emsa export prod --format yaml --reveal >/dev/null
chmod 711 "$EMSA_STORE"
chmod 666 "$EMSA_STORE/socket"
setpriv --reuid 65534 --regid 65534 --clear-groups "$EMSA_BIN/emsa" get prod/web/PORT >/dev/null 2>&1 || true
cp /etc/passwd "$work/passwd"
echo 'mallory:x:65534:65534::/:/bin/sh' >"$work/passwd"
mount --bind "$work/passwd" /etc/passwd
emsa grant prod --to user:mallory --read --list >/dev/null 2>"$work/said"
is "a user that was added since is known" "" "$(grep -i 'mallory' "$work/said" || true)"
holds "and has what it was granted" setpriv --reuid 65534 --regid 65534 --clear-groups "$EMSA_BIN/emsa" get prod/web/PORT
umount /etc/passwd
mkdir "$work/view"
emsa mount prod/web "$work/view" >/dev/null
ls -lR "$work/view" >/dev/null
emsa umount "$work/view" >/dev/null
curl -s --unix-socket "$work/metrics" http://x/metrics >/dev/null || true
curl -s --unix-socket "$work/plugin.sock" -X POST http://x/Plugin.Activate >/dev/null || true
curl -s --unix-socket "$work/plugin.sock" -X POST -d '{"Name":"v","Opts":{"path":"prod/web"}}' http://x/VolumeDriver.Create >/dev/null || true
server=$(process server)
kill -KILL "$server"
is "the next server reads" 1 "$(emsa get prod/web/PORT >/dev/null && echo 1)"
emsa stop >/dev/null
wait "$daemon" || fault "it ended with $?"

/usr/bin/python3 "$here/traced.py" "$work/trace" >"$work/calls"
for role in server notifier metrics volume; do
    is "the $role was traced" yes "$(grep -q "^$role " "$work/calls" && echo yes)"
done
is "no call was made that is on no list" "" "$(grep ' ENOSYS ' "$work/calls" || true)"
awk '{ calls[$1] = calls[$1] " " $2 } END { for (role in calls) print role ":" calls[role] }' "$work/calls" | tr ' ' '\n' | uniq | paste -sd ' '
finish
