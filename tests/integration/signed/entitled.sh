#!/bin/bash
# An environment that takes signed changes only takes them from who was granted what they do: asked when a commit is made, and again
# by verification, of a log that somebody with the server's files has forged.
# shellcheck disable=SC2317 # functions that holds and ends call
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=forged.sh
. "$here/forged.sh"

identity() {
    emsa identity new "$1" --out "$work/$1.identity" 2>/dev/null | grep -o 'emsa1[0-9a-f]*'
}

by() { # NAME VERB...: signed by that identity
    local name=$1
    shift
    emsa --sign "$work/$name.identity" "$@"
}

# python WHAT: the other implementation's verdict
python() {
    /usr/bin/python3 -B "$here/../format/emsa_settle.py" "$EMSA_STORE" --identity "$EMSA_STORE.identity"
}

emsa init >/dev/null
ci=$(identity ci) lead=$(identity lead) deploy=$(identity deploy)
emsa env add vault --protected --signed >/dev/null
emsa env add dev >/dev/null
emsa set vault/web KEY=1 --new -m "first" >/dev/null
emsa set vault/db PORT=1 --new -m "first" >/dev/null
emsa set dev/web KEY=1 --new >/dev/null
emsa grant dev --to id:ci --key "$ci" --set >/dev/null
emsa grant dev --to id:lead --key "$lead" --admin >/dev/null
emsa grant dev --to id:deploy --key "$deploy" --set >/dev/null

# When it is made.
ends "nothing was granted there" 4 "'vault/web' takes signed changes only, and 'id:ci', who signed, was not granted --set there" \
    by ci set vault/web KEY=2 -m why
ends "what to do" 4 "emsa grant vault/web --to id:ci --set" by ci set vault/web KEY=2 -m why
emsa --sign none grant / --to id:ci --set >/dev/null
ends "a grant of everything is nobody's word" 4 "was not granted --set there" by ci set vault/web KEY=2 -m why
holds "elsewhere the server's word is enough" by ci set dev/web KEY=2
emsa grant vault/web --to id:ci --set -m "it deploys there" >/dev/null
emsa grant vault --to id:lead --admin -m "she leads" >/dev/null
emsa grant vault --to id:deploy --set -m "all of it" >/dev/null
holds "a service" by ci set vault/web KEY=3 -m why
ends "another service" 4 "was not granted --set there" by ci set vault/db PORT=2 -m why
ends "what would read" 4 "was not granted --set and --read there" by ci link vault/web/LINK web/KEY -m why
holds "reading there" emsa grant vault/web --to id:ci --read -m "and reads"
ends "a copy of what it may not read" 4 "'vault/db' takes signed changes only, and 'id:ci', who signed, was not granted --read there" \
    by ci cp vault/db/PORT vault/web/PORT -m why
holds "of what it may" by ci cp vault/web/KEY vault/web/KEY2 -m why
ends "sharing" 4 "was not granted --share there" by ci share vault/web/KEY --with db -m why
ends "unlocking" 4 "was not granted --admin there" by ci grant vault/web --to id:ci --admin -m why
ends "what is seen from 'all'" 4 "'vault' takes signed changes only" by ci set all/web ZONE=eu --new -m why
holds "by who may set in all of it" by deploy set all/web ZONE=eu --new -m why
holds "an administrator there" by lead grant vault/db --to id:ci --set -m why
holds "whom she grants" by ci set vault/db PORT=3 -m why
holds "placing" by lead set vault/new A=1 --new -m why
holds "a secret" emsa set vault/web --secret-file "TOKEN=$work/ci.identity" -m why
holds "shared" by lead share vault/web/TOKEN --with db -m why
holds "new keys" by lead rotate keys vault/web -m why
holds "a service removed" by lead service rm vault/new --all -m why
ends "of everything granted: what is there and ends" 4 "was not granted --admin there" by ci service rm vault/db --all -m why
# What ends is nobody's commit, nor are the keys that are wrapped for who comes to a secret by it.
reader=$(identity reader)
printf one | emsa set --secret vault/db/PASSWORD - -m why >/dev/null
holds "a way to it" emsa share vault/db/PASSWORD --with mid -m why
holds "to the next" emsa link vault/mid/PASSWORD db/PASSWORD --new -m why
holds "which is shared" emsa share vault/mid/PASSWORD --with far -m why
holds "everywhere" emsa link all/far/PASSWORD mid/PASSWORD --new -m why
holds "but here, for now" emsa set vault/far PASSWORD=meanwhile --ttl 1s -m why
until=$(date +%s%N)
emsa grant vault/far --to id:reader --key "$reader" --read -m why >/dev/null
printf two | emsa set --secret vault/db/PASSWORD - -m why >/dev/null
/usr/bin/python3 -c 'import select, sys, time
while time.time_ns() < int(sys.argv[1]):
    select.select([], [], [], (int(sys.argv[1]) - time.time_ns()) / 1e9)' $((until + 1100000000))
is "it ended" "emsa (expiry of rev" "$(emsa log -n 1 | grep -o 'emsa (expiry of rev')"
is "and who may reads what shows" two "$(EMSA_IDENTITY=$work/reader.identity emsa get --reveal vault/far/PASSWORD)"
holds "everything compacted" emsa compact --keep 0d -m why
holds "all of it is whole" emsa verify
holds "and in Python" python

# When it is forged.
pinned
emsa set vault/db PORT=4 -m why >/dev/null
forged resign "$work/deploy.identity"
sound "signed by who might have"
emsa revoke vault/db --from id:ci -m "no more" >/dev/null
pinned
emsa set vault/db PORT=5 -m why >/dev/null
forged resign "$work/ci.identity"
found "a set" "'id:ci', who signed the commit, was not granted --set there"
pinned
emsa grant vault/db --to id:ci --admin -m why >/dev/null
forged resign "$work/ci.identity"
found "a grant to oneself" "'id:ci', who signed the commit, was not granted --admin there"
emsa revoke vault/db --from id:ci -m "no more" >/dev/null
pinned
emsa set all/web ZONE=us -m why >/dev/null
forged unsign
found "unsigned, from beneath" "what it does in 'all' is seen in 'vault'"
forged resign "$work/ci.identity"
found "signed, from beneath" "'id:ci', who signed the commit, was not granted --set there"
finish
