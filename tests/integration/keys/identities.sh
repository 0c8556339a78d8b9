#!/bin/bash
# Identities on the command line: made known, granted, taken back; and what each of them opens of a copy of the store.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=others.sh
. "$here/others.sh"
says() { checks=$((checks + 1)) && { grep -q -- "$2" "$work/out" "$work/err" || fault "$1: no '$2' in $(cat "$work/out" "$work/err")"; }; }
put() { printf '%s' "$2" | emsa set --secret "$1" - >/dev/null 2>&1; }

emsa init --no-recovery >/dev/null
host=$(identity host) laptop=$(identity laptop) ci=$(identity ci)
emsa env add prod >/dev/null
emsa service add prod/billing prod/web >/dev/null
put prod/billing/PASSWORD zero
put prod/billing/PASSWORD one
put prod/billing/TOKEN two
put prod/web/KEY three

ends "nobody of that name yet" 3 "no identity 'host' is known here" emsa grant prod --to id:host --read
ends "no public text" 2 "no public identity" emsa grant prod --to id:host --key emsa1 --read
ends "a user has no key" 2 "identities have" emsa grant prod --to user:host --key "$host" --read
ends "nothing came of it" 3 "no identity" emsa grant prod --to id:host --set
holds "one service" emsa grant prod/billing --to id:host --key "$host" --read -m "billing runs there"
says "made known" "id:host is known"
says "and granted" "id:host may read"
ends "another of that name" 4 "is another identity" emsa grant prod --to id:host --key "$ci" --read
ends "the same by another name" 4 "known as 'id:host' already" emsa grant prod --to id:guest --key "$host" --read
ends "its signatures under another's name" 4 "known as 'id:host' already" \
    emsa grant prod --to id:guest --key "${laptop:0:69}${host:69}" --read
holds "the environment" emsa grant prod --to id:laptop --key "$laptop" --list --read
holds "setting" emsa grant prod --to id:ci --key "$ci" --set --share
holds "the list" emsa grants
says "a key" "^prod/billing .*id:host .*read .*cryptography"
says "both" "^prod .*id:laptop .*list, read .*cryptography (read), this server"
says "a right" "^prod .*id:ci .*set, share .*this server"
holds "of one" emsa grants id:host
is "one line" 1 "$(grep -c id: "$work/out")"
is "as JSON" cryptography "$(emsa --json grants id:host | json grants 0 enforced)"
holds "verified" emsa verify

copy
opens "a host its service" one host prod/billing/PASSWORD
no_key "and no other" host prod/web/KEY
opens "a laptop the environment" three laptop prod/web/KEY
no_key "who may set" ci prod/billing/PASSWORD
no_key "nothing" ci prod/web/KEY
holds "but sets" as_identity ci emsa set prod/web --secret-file "KEY=$work/host.identity"
no_key "and does not read that" ci prod/web/KEY
# What would carry a secret elsewhere needs its key.
ends "a copy" 1 "no key" as_identity ci emsa cp prod/billing/PASSWORD prod/web/STOLEN
ends "a rollback" 1 "no key" as_identity ci emsa rollback prod/billing --to 4 --with-secrets
ends "a grant to itself" 1 "no key" as_identity ci emsa grant prod --to id:ci --read
ends "and new keys" 1 "no key" as_identity ci emsa rotate keys prod

holds "shared with its service" emsa share prod/web/KEY --with billing
put prod/web/OTHER four
copy
opens "a host that too" three host prod/web/KEY
no_key "and that alone" host prod/web/OTHER
holds "verified" emsa verify
emsa rm prod/web/OTHER >/dev/null

ends "what it opens by another grant" 3 "was not granted" emsa revoke prod --from id:administrator --read
ends "what somebody has to open" 4 "last identity that opens everything" emsa revoke / --from id:administrator
holds "taken back" emsa revoke prod --from id:laptop
holds "what it knows" emsa rotate list
is "all of it" 3 "$(grep -c id:laptop "$work/out")"
put prod/billing/PASSWORD new
holds "one was changed" emsa rotate list prod/billing
is "the other is left" "prod/billing/TOKEN" "$(awk '{ print $1 }' "$work/out")"
is "as JSON" id:laptop "$(emsa --json rotate list | json secrets 0 who)"
ends "no such place" 3 "prd" emsa rotate list prd
holds "verified" emsa verify
copy
no_key "nothing new" laptop prod/billing/PASSWORD
opens "what it could read" two laptop prod/billing/TOKEN
opens "who stays" new host prod/billing/PASSWORD
holds "new keys" emsa rotate keys prod prod/billing -m "once a year"
says "told" "~  prod  *(new keys)"
ends "a key has none" 2 "environments and services have keys" emsa rotate keys prod/web/KEY
ends "nor has everything" 2 "everything has no keys of its own" emsa rotate keys /
put prod/web/KEY newest
holds "back again" emsa grant prod/web --to id:laptop --read
copy
opens "by the newest" newest laptop prod/web/KEY
opens "who stays stays" new host prod/billing/PASSWORD
no_key "not the rest" laptop prod/billing/PASSWORD
holds "verified" emsa verify
holds "by another program" /usr/bin/python3 -B "$here/../format/emsa_settle.py" "$EMSA_STORE" --identity "$EMSA_STORE.identity"
holds "another administrator" emsa grant / --to id:laptop --read
ends "the one that opens things here is told of" 0 "'id:administrator' opens the secrets here" emsa revoke / --from id:administrator
ends "but not another" 0 "^-  prod/billing" emsa revoke prod/billing --from id:host
is "who does not" 0 "$(grep -c 'opens the secrets here' "$work/err")"
finish
