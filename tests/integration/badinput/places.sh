#!/bin/bash
# Wrong places and missing things around a good store: mount points, /dev/fuse, identities, permissions.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

holds "init" emsa init
is "the identity is for nobody else" 600 "$(stat -c %a "$EMSA_STORE.identity")"
is "the store is for nobody else" 700 "$(stat -c %a "$EMSA_STORE")"
ends "init again" 4 "already" emsa init
mkdir "$work/full"
touch "$work/full/something"
ends "init where something is" 4 "empty" emsa --store "$work/full" init
holds "env add" emsa env add prod
holds "plain" emsa set prod/web PORT=80
printf hidden >"$work/password"
holds "secret" emsa set prod/web --secret-file "PASSWORD=$work/password"

# Identities.
mv "$EMSA_STORE.identity" "$work/identity"
ends "without the identity a secret is not opened" 1 "identity" emsa get --reveal prod/web/PASSWORD
ends "and is named" 1 "secret 'prod/web/PASSWORD'" emsa get --reveal prod/web/PASSWORD
is "but what is plain is" 80 "$(emsa get prod/web/PORT)"
holds "and a secret can be set" emsa set prod/web --secret-file "OTHER=$work/password"
holds "another store" emsa --store "$work/other" init
cp "$work/other.identity" "$EMSA_STORE.identity"
ends "with another's identity neither" 1 "identity\|key" emsa get --reveal prod/web/PASSWORD
printf 'not an identity\n' >"$EMSA_STORE.identity"
ends "with a file that is no identity" 1 "is no identity" emsa get --reveal prod/web/PASSWORD
rm "$EMSA_STORE.identity"
mkfifo -m 600 "$EMSA_STORE.identity"
ends "nor waited for in a pipe" 1 "is no file" emsa get --reveal prod/web/PASSWORD
rm "$EMSA_STORE.identity"
mv "$work/identity" "$EMSA_STORE.identity"
same "with its own it is" "$work/password" <(emsa get --reveal prod/web/OTHER)

# Mount points.
touch "$work/a-file"
ends "a file" 2 "not a directory" emsa mount "$work/a-file"
ends "nothing" 3 "$work/nowhere" emsa mount "$work/nowhere"
ends "a folder that the store is in" 4 "hide" emsa mount "$work"
ends "and for the daemon" 4 "hide" timeout 20 emsad --mount "$work"
mkdir "$work/again"
holds "a directory" emsa mount "$work/again"
ends "the same again" 4 "already" emsa mount "$work/again"
ends "umount of what is not mounted" 3 "not" emsa umount "$work/full"
ends "umount of what is not ours" 4 "" emsa umount "$work"
exec 9<"$work/again/prod/web/PORT"
ends "umount of what is in use" 1 "busy\|in use" emsa umount "$work/again"
exec 9<&-
holds "umount" emsa umount "$work/again"
ln -s again "$work/link"
holds "a link to a directory" emsa mount "$work/link"
holds "is that directory" test -d "$work/again/prod"
holds "umount by the link" emsa umount "$work/link"

# A second owner.
holds "a server" emsa mount "$work/again"
ends "a second emsad" 1 "owned\|owner\|running\|already" timeout 20 emsad --store "$EMSA_STORE"

# Nobody's rights.
chmod 0755 "$work"
cp "$EMSA_BIN/emsa" "$work/emsa-of-a-stranger"
# shellcheck disable=SC2317 # called by name
nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/ EMSA_STORE="$EMSA_STORE" "$@"; }
ends "a stranger in the mount" 1 "permission denied" nobody cat "$work/again/prod/web/PORT"
ends "a stranger and the store" 1 "" nobody "$work/emsa-of-a-stranger" get prod/web/PORT
ends "a stranger's change" 1 "" nobody "$work/emsa-of-a-stranger" set prod/web PORT=81
is "changed nothing" 80 "$(emsa get prod/web/PORT)"
stop_server

# A machine without FUSE.
mkdir "$work/dev"
mount -t tmpfs dev "$work/dev"
for device in null zero random urandom; do cp -a "/dev/$device" "$work/dev/"; done
ln -s /proc/self/fd "$work/dev/fd"
mount --move "$work/dev" /dev
ends "/dev/fuse missing" 3 "/dev/fuse" emsa mount "$work/again"
is "everything else works" 80 "$(emsa get prod/web/PORT)"
umount -l /dev
finish
