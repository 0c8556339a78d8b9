#!/bin/bash
# Root on another host, with what that host has: a copy of the store, and an identity that was granted one service there. It opens
# that service and no other, by no program and no server; what it commits is no commit at home; and at home its identity reads what
# it was granted, and sets nothing. And an identity's file that was swapped or edited.
# shellcheck disable=SC2119,SC2317 # begin may be given nothing; functions are called by "ends"
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
# shellcheck source=../rights/machine.sh
. "$root/tests/integration/rights/machine.sh"
store=/var/lib/emsa
ours='web-K7#production-password' theirs='billing-Zw4!production-token'

emsa init >/dev/null
emsa env add prod >/dev/null
printf '%s' "$ours" | emsa set prod/web/PASSWORD - --raw --secret --new >/dev/null
printf '%s' "$theirs" | emsa set prod/billing/TOKEN - --raw --secret --new >/dev/null
printf 'an older one' | emsa set prod/billing/COPY - --raw --secret >/dev/null
printf '%s' "$theirs" | emsa set prod/billing/COPY - --raw --secret --allow-equal -m "the same" >/dev/null
emsa set prod/billing PORT=443 >/dev/null
emsa identity new host --out "$work/host" >/dev/null
emsa grant prod/web --to id:host --key "$(emsa identity export --public "$work/host")" --read >/dev/null
emsa verify >/dev/null
mkdir "$work/there"
cp -r "$store" "$work/there/store"
cp "$store.pin" "$work/there/store.pin"

# What the files give: to a search, to the command, to another implementation.
there() {
    env EMSA_IDENTITY="$work/host" emsa --store "$work/there/store" "$@"
}
for form in "$theirs" "$(printf '%s' "$theirs" | base64)" "$(printf '%s' "$theirs" | hex)" "${theirs:3:14}"; do
    is "'$form' is in no file" "" "$(grep -rlaF -- "$form" "$work/there" || true)"
done
is "its own service" "$ours" "$(there get prod/web/PASSWORD --reveal)"
for key in TOKEN COPY; do
    ends "another's $key" 1 "cannot be opened here" there get "prod/billing/$key" --reveal
done
ends "all of it" 1 "cannot be opened here" there export prod/billing --reveal
is "by another program" "1 of 4, 0 of 0" \
    "$(/usr/bin/python3 -B "$root/tests/integration/keys/opens.py" "$work/there/store" "$work/host" 1000)"
ends "a grant to itself" 1 "no key" there grant prod/billing --to id:host --read
ends "a share of another's secret" 1 "no key" there share prod/billing/TOKEN --with web
ends "a link to it" 4 "" there link prod/web/STOLEN billing/TOKEN
ends "a copy of it" 1 "no key" there cp prod/billing/TOKEN prod/web/STOLEN

# And to a server with that identity.
mkfifo "$work/ready2"
env EMSA_IDENTITY="$work/host" emsad --store "$work/there/store" --ready-fd 9 9>"$work/ready2" 2>"$work/log2" &
other=$!
is "a server there" ready "$(cat "$work/ready2")"
mkdir "$work/tree"
holds "a mount" there mount "$work/tree"
is "of its own service" "$ours" "$(cat "$work/tree/prod/web/PASSWORD")"
ends "another's by a file" 1 "Required key not available" cat "$work/tree/prod/billing/TOKEN"
is "by any file of the tree" "" "$(grep -rlF -- "$theirs" "$work/tree" 2>/dev/null || true)"
ends "by a call" 1 "cannot be opened here" there get prod/billing/TOKEN --reveal
ends "what was there once" 1 "no key" there rollback prod/billing/COPY --to 5 --with-secrets -m "all that was"
umount -l "$work/tree"

# Root there does what it likes there. At home that is another head.
printf 'evil' >"$work/evil"
holds "sets there" there set prod/billing --secret-file "TOKEN=$work/evil"
kill "$other"
wait "$other" || true
emsa set prod/billing PORT=444 >/dev/null
cp -r "$store" "$work/home"
rm -r "$store"
cp -r "$work/there/store" "$store"
chown -R "$(stat -c %u:%g "$work/home")" "$store"
ends "brought home" 6 "a second head" emsa get prod/billing/PORT
ends "nor by a server" 6 "a second head" emsad
ends "nor is it whole" 6 "a second head" emsa verify
rm -r "$store"
mv "$work/home" "$store"
is "home is as it was" "$theirs" "$(emsa get prod/billing/TOKEN --reveal)"

# At home, by the socket, as a user of no rights.
chown 2012:2012 "$work/host"
chmod 755 "$work"
begin
as_host() { as ken emsa --sign "$work/host" "$@"; }
is "what it was granted" "$ours" "$(as_host get prod/web/PASSWORD --reveal)"
ends "another's service" 1 "'id:host', has no right to Get" as_host get prod/billing/TOKEN --reveal
ends "sets no value of ours" 1 "'id:host', has no right to" as_host rm prod/web/PASSWORD
ends "of its own either" 1 "'id:host', has no right to Set" as_host set prod/web PORT=1
over TERM

# An identity's file that somebody swapped, or edited.
chown 0:0 "$work/host"
cp "$work/identity" "$work/identity.kept"
cp "$work/host" "$work/identity"
begin
is "another's file in its place: what that one may" "$ours" "$(emsa get prod/web/PASSWORD --reveal)"
ends "and no more" 1 "cannot be opened here" emsa get prod/billing/TOKEN --reveal
over TERM
sed "s/^plain .*/$(grep '^plain' "$work/host")/" "$work/identity.kept" >"$work/identity"
ends "another's seed under its name" 6 "damaged" emsa identity test "$work/identity"
begin
ends "opens nothing" 1 "cannot be opened here" emsa get prod/web/PASSWORD --reveal
is "what is plain is served" 444 "$(emsa get prod/billing/PORT)"
over TERM
cp "$work/identity.kept" "$work/identity"
is "the right one" "$theirs" "$(emsa get prod/billing/TOKEN --reveal)"
holds "all is whole" emsa verify
finish
