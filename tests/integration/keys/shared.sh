#!/bin/bash
# Secrets that were shared with a service, when its key is taken from an identity, and when they are shared no more: what the
# identity could read is listed until it is changed, and it opens nothing that is set or encrypted anew since.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=others.sh
. "$here/others.sh"

# listed: what is to be changed: path, who and since, in the order of paths
listed() {
    emsa --json rotate list "$@" | /usr/bin/python3 -c 'import json, sys
print(*sorted("{path} {who} {since}".format(**each) for each in json.load(sys.stdin)["secrets"]), sep=", ")'
}

# set VALUE PATH
set_secret() {
    printf '%s' "$1" | emsa set --secret "$2" - >/dev/null
}

emsa init >/dev/null
left=$(identity left) stays=$(identity stays)
emsa env add prod >/dev/null
emsa service add prod/billing prod/web >/dev/null
set_secret "shared with web" prod/billing/SHARED
set_secret "of billing alone" prod/billing/OWN
set_secret "of web" prod/web/TOKEN
holds "shared" emsa share prod/billing/SHARED --with web
emsa grant prod/web --to id:left --key "$left" --read >/dev/null
emsa grant prod/web --to id:stays --key "$stays" --read >/dev/null
is "nothing to begin with" "" "$(listed)"

holds "taken from one" emsa revoke prod/web --from id:left
since=$(revision)
is "what it knows" "prod/billing/SHARED id:left $since, prod/web/TOKEN id:left $since" "$(listed)"
is "of one service" "prod/billing/SHARED id:left $since" "$(listed prod/billing)"
copy
opens "it opens what it could" "shared with web" left prod/billing/SHARED
holds "encrypted anew" emsa rotate keys prod/billing --reencrypt
is "is known all the same" "prod/billing/SHARED id:left $since" "$(listed prod/billing)"
copy
no_key "but no more by its key" left prod/billing/SHARED
opens "who stays opens it" "shared with web" stays prod/billing/SHARED

holds "shared no more" emsa unshare prod/billing/SHARED --with web
unshared=$(revision)
is "whoever had it knows it" "prod/billing/SHARED id:left $since, prod/billing/SHARED id:stays $unshared" "$(listed prod/billing)"
copy
opens "and its key opens it" "shared with web" stays prod/billing/SHARED
set_secret "another one" prod/billing/SHARED
is "until it is changed" "" "$(listed prod/billing)"
copy
no_key "which it does not open" stays prod/billing/SHARED
before=$(revision)
set_secret "and once more" prod/billing/SHARED
copy
is "nor by another program" "3 of 6, 0 of 1" \
    "$(/usr/bin/python3 -B "$here/opens.py" "$work/copy" "$work/stays.identity" "$before")"

# What a service reaches through others, and in the environment that its own stands on.
host=$(identity host)
emsa service add prod/api >/dev/null
holds "an environment" emsa env add late --base prod
holds "a way" emsa share prod/billing/OWN --with api
holds "to the next" emsa link prod/api/WAY billing/OWN
holds "which is shared" emsa share prod/api/WAY --with web
# shellcheck disable=SC2016 # a template
holds "reached" emsa set --template prod/web/FAR 'x=${api/WAY}'
emsa grant late/web --to id:host --key "$host" --read >/dev/null
copy
opens "all the way" "x=of billing alone" host late/web/FAR
opens "what its base has" "of web" host late/web/TOKEN
no_key "and nothing beside it" host prod/billing/SHARED
holds "with new keys" emsa rotate keys late --reencrypt
set_secret "another one" prod/billing/OWN
copy
opens "what is set later" "x=another one" host late/web/FAR
is "by another program, too" 0 "$(/usr/bin/python3 -B "$here/../format/emsa_settle.py" "$work/copy" --identity "$EMSA_STORE.identity" >"$work/out" 2>&1; echo $?)"
set_at=$(revision)
emsa rm prod/web/FAR >/dev/null
is "whoever had it knows it" "prod/billing/OWN id:host $set_at, prod/billing/OWN id:stays $set_at" "$(listed prod/billing)"
set_secret "and the next" prod/billing/OWN
copy
no_key "but nothing that is set since" host prod/billing/OWN
holds "verified" emsa verify
finish
