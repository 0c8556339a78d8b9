#!/bin/bash
# Who must not get what: each attacker, with what that attacker has, is refused, and in these words. (Who sits in another
# container is tests/integration/escape; who may do what on a host, tests/integration/rights.)
# shellcheck disable=SC2119 # begin may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
# shellcheck source=../rights/machine.sh
. "$root/tests/integration/rights/machine.sh"
command -v mdb_dump >/dev/null || skip "LMDB's own tools (lmdb-utils) are not here"
store=/var/lib/emsa
secret='Kx9#production-password' other='Zw4!another-production-token'

emsa init >/dev/null
emsa env add prod dev >/dev/null
emsa set prod/web PORT=8080 --new >/dev/null
printf '%s' "$secret" | emsa set prod/web/PASSWORD - --raw --secret >/dev/null
printf '%s' "$other" | emsa set prod/web/TOKEN - --raw --secret >/dev/null
emsa set dev/web PORT=1 --new >/dev/null
emsa grant dev --to user:alice --list --read --set >/dev/null
emsa verify >/dev/null
cp -r "$store" "$work/whole"
cp "$store.pin" "$work/whole.pin"

# copied [EDIT...]: a copy of the store in $work/copy, edited through LMDB's tools, with nothing beside it but its pin
copied() {
    rm -rf "$work/copy" "$work/copy.identity"
    cp -r "$work/whole" "$work/copy"
    cp "$work/whole.pin" "$work/copy.pin"
    [ $# = 0 ] && return
    mdb_dump -a "$work/whole" | /usr/bin/python3 -B "$here/attacker.py" "$@" >"$work/dump" || fault "no edit: $*"
    rm "$work/copy/data.mdb" "$work/copy/lock.mdb"
    mdb_load -f "$work/dump" "$work/copy"
    chmod 600 "$work/copy"/*
}

copy() {
    emsa --store "$work/copy" "$@"
}

# A stolen store or backup: no secret in any file, in no form that one looks for; nothing opens without the identity.
copied
for form in "$secret" "$other" "$(printf '%s' "$secret" | base64)" "$(printf '%s' "$secret" | hex)" "${secret:4:14}"; do
    is "'$form' is in no file" "" "$(grep -rlaF -- "$form" "$work/copy" "$store" || true)"
done
unset EMSA_IDENTITY
ends "a secret" 1 "cannot be opened here" copy get prod/web/PASSWORD --reveal
is "what is plain" 8080 "$(copy get prod/web/PORT)"
mkdir "$work/stolen"
copy mount "$work/stolen" >/dev/null
ends "through a mount" 1 "Required key not available" cat "$work/stolen/prod/web/PASSWORD"
umount -l "$work/stolen"
stop_server
ends "all of it" 0 "" copy verify

# Another store's identity, and this one's in the place of another's.
emsa --store "$work/other" init >/dev/null
cp "$work/other.identity" "$work/copy.identity"
ends "another's identity" 1 "this identity has no grant in this store" copy get prod/web/PASSWORD --reveal
export EMSA_IDENTITY=$work/other.identity
begin
ends "with a server" 1 "cannot be opened here" emsa get prod/web/PASSWORD --reveal
is "which says why" 1 "$(grep -c 'this identity has no grant in this store' "$work/log")"
is "and serves what is plain" 8080 "$(emsa get prod/web/PORT)"
ends "and seals for nobody else" 1 "" emsa get prod/web/TOKEN --reveal
over TERM
export EMSA_IDENTITY=$work/identity
chmod 644 "$work/identity"
ends "one that all may read" 1 "can be read by others" emsa get prod/web/PASSWORD --reveal
chmod 600 "$work/identity"
is "the right one" "$secret" "$(emsa get prod/web/PASSWORD --reveal)"

# An edited database. What is read of it is right or damaged; what knows the hashes is found by verification.
copied unhashed 8080 6666
ends "a value" 6 "" copy get prod/web/PORT
ends "is found" 6 "value" copy verify
copied value 8080 6666
ends "is not served" 6 "the store is not opened" copy get prod/web/PORT
ends "its record's hash made right" 6 "value does not match its hash" copy verify
copied secrets
ends "a secret of another place" 6 "" copy get prod/web/PASSWORD --reveal
ends "is found" 6 "does not match its hash" copy verify
copied grant user:mallory
ends "gives nobody a right" 6 "the store is not opened" copy get prod/web/PORT
ends "a grant that is not in the log" 6 "grant" copy verify
copied key
ends "a public key that is not in the log" 6 "the key's record does not match the log" copy verify
copied drop commit
ends "a commit less" 6 "" copy get prod/web/PORT
copied drop log
ends "is missed" 6 "the store is not opened" copy get prod/web/PORT
ends "an operation less" 6 "" copy verify
copied author root r00t
ends "a chain made right" 6 "a second head" copy verify
ends "is not served either" 6 "a second head" copy get prod/web/PORT

# An old backup in the place of the store.
cp -r "$store" "$work/backup"
emsa set prod/web PORT=9090 >/dev/null
mv "$store" "$work/newest"
cp -r "$work/backup" "$store"
ends "an old backup" 6 "an older head" emsa get prod/web/PORT
ends "nor a server on it" 6 "an older head" emsad
rm -r "$store"
mv "$work/newest" "$store"
is "the store itself" 9090 "$(emsa get prod/web/PORT)"

# A user of the host: no file, no socket, no mount, no reading past what was granted.
begin
mkdir "$work/tree"
mounted "$work/tree"
for file in "$store" "$store/data.mdb" "$store.pin" "$work/identity"; do
    ends "reading $file" 1 "Permission denied" as mallory cat "$file"
done
ends "the mount" 2 "Permission denied" as mallory ls "$work/tree"
ends "by the command" 1 "has no right to Get" as mallory emsa get prod/web/PORT
ends "a right to another place" 1 "has no right to Get" as alice emsa get prod/web/PORT
ends "changing" 1 "has no right" as mallory emsa rm prod/web/PORT
ends "verifying" 1 "has no right to Verify" as mallory emsa verify
ends "ending the server" 1 "has no right to Stop" as mallory emsa stop
server=$(process server)
ends "its memory" 1 "Permission denied" as mallory cat "/proc/$server/mem"

# A setter in dev who guesses secrets of production: told no place and no name, written down, and stopped.
ends "a guess that is right" 4 "would be equal to a secret of another place" as alice emsa set "dev/web" "GUESS=$secret"
is "names nothing" "" "$(grep -E 'prod|PASSWORD' "$work/err" || true)"
until emsa audit --who 2001 | grep -q "denied Equal"; do :; done # the audit process has it a moment later
is "and is written down" 1 "$(emsa audit --path dev/web/GUESS | grep -c "denied Equal")"
holds "one that is wrong" as alice emsa set dev/web "GUESS=Kx9#production-passwore"
for ((i = 0; i < 10; i++)); do
    as alice emsa set dev/web "GUESS=$secret" --dry-run >/dev/null 2>&1 || true
done
ends "then nothing is examined" 1 "refused unexamined until the hour is over" as alice emsa set dev/web "GUESS=entirely-harmless"
over TERM
finish
