#!/bin/bash
# emsa doctor: what it says of a machine that is well, and of each thing that was made wrong.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$(dirname "$0")/../daemon/daemon.sh"

# says LEVEL CHECK WORDS: what is in $work/out has such a line
says() {
    checks=$((checks + 1))
    grep -q -- "^$1 *$2 .*$3" "$work/out" || fault "no '$1' of '$2' with '$3': $(grep -- " $2 " "$work/out" | head -n 3)"
}

# well WHAT: nothing is bad, but for memory that a sanitizer does not lock
well() {
    if [ -z "${EMSA_SANITIZED:-}" ]; then holds "$1" emsa doctor; else emsa doctor >"$work/out" || true; fi
}

# Without a store, and without a server
ends "no store" 1 "emsa init" emsa doctor
says bad store "cannot look at"
fill
holds "a store, and no server" emsa doctor
says warn server "none runs"
says ok store "mode 0700"
says ok "store files" "only theirs"
says ok identity "mode 0600"
says warn "stolen disk" "key file"
says ok "/dev/fuse" "can be opened"
says warn "file system" "in memory"

cp "$EMSA_STORE.identity" "$work/plain.identity"
echo "a long passphrase" >"$work/passphrase"
emsa identity passphrase "$EMSA_STORE.identity" --new-passphrase-file "$work/passphrase" >/dev/null
holds "a locked identity" emsa doctor
says ok "stolen disk" "without the passphrase"
head -c 200 "$work/plain.identity" >"$EMSA_STORE.identity"
ends "a damaged one" 1 "" emsa doctor
says bad identity "store.identity"
cp "$work/plain.identity" "$EMSA_STORE.identity"

# With one, and all its processes
mkdir "$work/env"
begin --mount "$work/env" --metrics "unix:$work/metrics" --volume "$work/plugin.sock"
is "it is ready" ready "$said"
# the notifier and the audit process are in their sandboxes before it says that it is ready
for role in notifier audit; do is "the $role is inside" 2 "$(in_status "$(process "$role")" Seccomp)"; done
well "a server"
for role in server notifier metrics volume; do
    if [ -z "${EMSA_SANITIZED:-}" ]; then
        says ok "$role" "calls filtered, no new rights, capabilities"
    fi
    says ok "$role" "network of its own"
done
says ok supervisor "holds no key; calls that it never makes are refused"
says ok version "as this command"
says ok secrets "can open them"
[ -n "${EMSA_SANITIZED:-}" ] || says ok "keys' memory" "KiB locked" # a sanitizer locks nothing
says ok "core dumps" "leaves none"
says ok seccomp "has filters"
if [ -e /dev/kmsg ]; then grep -q "calls " "$work/out" || fault "nothing is said of calls"; fi

# The same as JSON: as many findings as it counts
emsa doctor --json >"$work/json" || [ -n "${EMSA_SANITIZED:-}" ]
is "as JSON" "True True" "$(/usr/bin/python3 -c 'import json, sys
found = json.load(open(sys.argv[1]))
print(len(found["findings"]) == found["ok"] + found["warn"] + found["bad"],
      all(set(f) == {"level", "check", "text", "next"} for f in found["findings"]))' "$work/json")"
is "each that is not well has a next step, but for what is not built" "" "$(/usr/bin/python3 -c 'import json, sys
for f in json.load(open(sys.argv[1]))["findings"]:
    if f["level"] != "ok" and not f["next"] and f["check"] != "audit":
        print(f)' "$work/json")"

# As somebody else: what cannot be looked at is said to be so, and nothing is bad for that
setpriv --reuid 65534 --regid 65534 --clear-groups "$EMSA_BIN/emsa" doctor >"$work/out" 2>"$work/err" || fault "as nobody it ended with $?: $(grep ^bad "$work/out")"
says warn server "cannot be looked at as this user"
says warn "store files" "cannot be looked at as this user"

# What was made wrong
chmod 644 "$EMSA_STORE.identity"
ends "an identity that others read" 1 "others can read" emsa doctor
says bad identity "mode 0644"
chmod 600 "$EMSA_STORE.identity"
chmod 770 "$EMSA_STORE"
ends "a store that others write to" 1 "" emsa doctor
says bad store "written to by others"
chmod 700 "$EMSA_STORE"
chmod 640 "$EMSA_STORE/data.mdb"
ends "a file that others read" 1 "" emsa doctor
says bad "store files" "open to others"
chmod 600 "$EMSA_STORE/data.mdb"
chown 65534 "$EMSA_STORE/data.mdb"
ends "a file of somebody else's" 1 "" emsa doctor
says bad "store files" "uid 65534"
chown 0 "$EMSA_STORE/data.mdb"
: >"$work/null"
mount --bind "$work/null" /dev/fuse
ends "no /dev/fuse" 1 "" emsa doctor
says bad "/dev/fuse" "not the device"
umount /dev/fuse
printf 'Filename Type Size Used Priority\n/swapfile file 1024 0 -2\n' >"$work/swaps"
mount --bind "$work/swaps" /proc/swaps
well "a swap file"
says warn swap "not encrypted"
umount /proc/swaps
well "all is well again"

# A notifier that is gone, and a supervisor
pid=$(process supervisor)
kill -STOP "$pid"
notifier=$(process notifier)
kill -KILL "$notifier"
until [ "$(awk '/^State/ { print $2 }' "/proc/$notifier/status")" = Z ]; do :; done
ends "a notifier that has ended" 1 "" emsa doctor
says bad notifier "there is none"
kill -CONT "$pid"
process notifier >/dev/null
ends "wrong use" 2 "" emsa doctor more
over TERM
is "it ended well" 0 "$code"
finish
