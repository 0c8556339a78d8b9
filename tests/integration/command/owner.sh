#!/bin/bash
# Whose the store is, and who may what: root, the user emsa that the server runs as, and somebody else.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

# Two users of this namespace's own: files in memory over the system's.
cp /etc/passwd "$work/passwd"
cp /etc/group "$work/group"
sed -i '/^emsa:/d; /^stranger:/d' "$work/passwd" "$work/group"
echo 'emsa:x:4711:4711::/nonexistent:/usr/sbin/nologin' >>"$work/passwd"
echo 'stranger:x:4712:4712::/nonexistent:/bin/sh' >>"$work/passwd"
echo 'emsa:x:4711:' >>"$work/group"
echo 'stranger:x:4712:' >>"$work/group"
mount --bind "$work/passwd" /etc/passwd
mount --bind "$work/group" /etc/group
chmod 755 "$work"

# as NAME COMMAND...: as that user; the programs are copied to where everybody reaches them
mkdir "$work/bin"
cp "$EMSA_BIN/emsa" "$EMSA_BIN/emsad" "$work/bin/"
as() {
    local name=$1
    shift
    setpriv --reuid "$name" --regid "$name" --clear-groups --inh-caps=-all env PATH="$work/bin:$PATH" "$@"
}

owners() {
    find "$EMSA_STORE" -printf '%u\n' | sort -u | paste -sd ' '
}

holds "init" emsa init
is "the store is emsa's" "emsa" "$(owners)"
is "the identity is root's" "root 600" "$(stat -c '%U %a' "$EMSA_STORE.identity")"
holds "env add" emsa env add prod
printf s3 >"$work/s"
holds "values" emsa set prod/web A=1 --secret-file "S=$work/s"
is "root opens secrets" s3 "$(emsa get --reveal prod/web/S)"
is "nothing became root's" "emsa" "$(owners)"
is "the author is who asked" "uid 0 (root)" "$(emsa log --json -n 1 | json commits 0 author)"
is "a command is run as who asked" "0" "$(emsa exec prod/web -- id -u)"

# The owner alone: no identity, so plain values only.
is "the owner reads plain values" 1 "$(as emsa emsa get prod/web/A)"
ends "but no secret" 1 "identity\|key" as emsa emsa get --reveal prod/web/S
holds "and sets some" as emsa emsa set prod/web A=2
is "as itself" "uid 4711 (emsa)" "$(emsa log --json -n 1 | json commits 0 author)"

ends "somebody else has no way in" 1 "permission\|denied" as stranger emsa get prod/web/A
holds "a server" mounted "$work/env"
is "it runs as emsa" "emsa" "$(ps -o user= -p "$(server_pid)" | tr -d ' ')"
is "what it made is emsa's" "emsa" "$(owners | sed 's/ *root//; s/^ *//')"
is "secrets through it" s3 "$(cat "$work/env/prod/web/S")"
chmod 711 "$EMSA_STORE"
chmod 666 "$EMSA_STORE/socket"
ends "somebody who reaches the socket is denied" 1 "no right" as stranger emsa get prod/web/A
until emsa audit --who 4712 | grep -q 'denied Get'; do :; done # the audit process has it a moment later
is "which is written down" 1 "$(emsa audit --who 4712 | grep -c 'denied Get .*prod/web/A')"
ends "a list too" 1 "no right" as stranger emsa ls
is "for its owner's eyes" "600" "$(stat -c %a "$EMSA_STORE/audit/record.000001")"

# Without root and without a store of one's own: what to do.
unset EMSA_STORE
mount -t tmpfs none /run
ends "no store" 3 "EMSA_STORE=" as stranger emsa ls
ends "init of the system's store" 1 "\-\-store" as stranger emsa init
install -d -o stranger "$work/home"
export EMSA_STORE=$work/home/deep/er/store
holds "a store of one's own, with its folders" as stranger emsa init
is "is one's own" "stranger" "$(owners)"
holds "env add" as stranger emsa env add dev
holds "a secret" as stranger emsa set dev/x --secret-file "S=$work/s"
is "to read" s3 "$(as stranger emsa get --reveal dev/x/S)"

# Nothing half made is left.
ends "init where nobody may write" 1 "permission" as stranger emsa --store "$work/nowhere/store" init
is "no folder of it" "" "$(ls -d "$work/nowhere" 2>/dev/null || true)"
mkdir "$work/home/full"
touch "$work/home/full/file"
chown -R stranger "$work/home/full"
ends "init in a folder with something in it" 4 "not empty" as stranger emsa --store "$work/home/full" init
is "the folder is as it was" "file" "$(ls "$work/home/full")"
is "no identity is left" "" "$(find "$work/home" -name 'full.identity')"

# An identity that somebody else put there would open what root sets.
export EMSA_STORE=$work/planted
install -o stranger -m 600 "$work/home/deep/er/store.identity" "$EMSA_STORE.identity"
ends "somebody else's identity" 4 "user 4712" emsa init
is "makes no store" "" "$(find "$EMSA_STORE" 2>/dev/null)"
chown root "$EMSA_STORE.identity"
holds "one's own" emsa init
export EMSA_STORE=$work/store
finish
