#!/bin/bash
# What a signed request copies is a value that nobody signed: that it is the one which stood there is found by verification, of a log
# in which somebody with the server's files put another in its place and made every hash right.
# shellcheck disable=SC2317 # functions that holds and ends call
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=forged.sh
. "$here/forged.sh"

emsa init >/dev/null
emsa env add vault --protected --signed >/dev/null
emsa env add dev >/dev/null
emsa set dev/web ADDRESS=10.0.0.1 --new >/dev/null
emsa set dev/web ADDRESS=10.0.0.2 >/dev/null
emsa set vault/web ADDRESS=10.1.0.1 --new -m first >/dev/null # 6
emsa set vault/web ADDRESS=10.1.0.2 -m second >/dev/null
emsa set vault/web ADDRESS=10.1.0.3 -m third >/dev/null

pinned
emsa cp dev/web/ADDRESS vault/web/COPY -m why >/dev/null
forged revalued 10.0.0.2 10.6.6.6
found "another value in place of the copied" "is said to be a copy, and is not what stood there"
forged ending 60
ends "one that ends" 6 "is said to be a copy, and is not what stood there" emsa --store "$EMSA_STORE.forged" verify
forged resourced 4
found "what is not there any more" "is said to be a copy, and is not what stood there"
pinned
emsa rollback vault/web/ADDRESS --to 7 -m why >/dev/null
forged revalued 10.1.0.2 10.6.6.6
found "another value in place of an earlier" "is said to be a copy, and is not what stood there"
forged resourced 6
found "one that was earlier than the earlier" "is said to be a copy, and is not what stood there"
pinned
emsa promote dev/web vault/web ADDRESS -m why >/dev/null
forged revalued 10.0.0.2 10.6.6.6
found "another value in place of the promoted" "is said to be a copy, and is not what stood there"
emsa set dev/web PASSING=10.2.0.1 --ttl 1h >/dev/null
pinned
emsa env cp dev copy >/dev/null
forged revalued 10.2.0.1 10.6.6.6
found "another value in place of one that ends" "it is not what stood where it was asked to come from"
printf 'service: web\nkeys:\n  LEVEL: {type: string, default: warn}\n' >"$work/web.yaml"
emsa schema set "$work/web.yaml" --env dev >/dev/null
emsa service add dev/reader >/dev/null
emsa share dev/web/ADDRESS --with reader >/dev/null
holds "schemas and shares" emsa verify
pinned
emsa mv dev/web dev/site --new >/dev/null
forged revalued warn evil
found "another schema in place of what moves" "it is not what stood where it was asked to come from"
pinned
emsa purge vault/web/ADDRESS@7 -m why >/dev/null
forged repurged 6
ends "another version destroyed" 6 "it destroys another value than the one that was asked for" emsa --store "$EMSA_STORE.forged" verify
for value in one two three; do
    printf %s $value | emsa set vault/web/PASSWORD - --raw --secret --new -m $value >/dev/null
    [ $value != two ] || emsa tag there >/dev/null
done
first=$(($(revision) - 3)) # the tag is a revision, too
pinned
emsa rollback vault/web/PASSWORD --to there --with-secrets -m why >/dev/null
forged resourced "$first"
found "a secret that the tag does not name" "is said to be a copy, and is not what stood there"
forged resealed evil
cp "$EMSA_STORE.identity" "$EMSA_STORE.forged.identity"
ends "another secret, for who has the key" 6 "the secret is not the one that was copied" emsa --store "$EMSA_STORE.forged" verify
ends "nor made whole" 6 "the secret is not the one that was copied" emsa --store "$EMSA_STORE.forged" verify --rebuild
ends "in Python" 1 "" /usr/bin/python3 -B "$here/../format/emsa_settle.py" "$EMSA_STORE.forged" --identity "$EMSA_STORE.identity"
holds "copies that are" emsa verify
finish
