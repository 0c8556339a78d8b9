#!/bin/bash
# A key, a service, an environment as they were: what changes and what does not, told before and after; what is refused.
# shellcheck disable=SC2016,SC2317 # what is in single quotes is for emsa; functions are called by holds
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

# secret PATH VALUE [OPTION...]
secret() {
    local path=$1 value=$2
    shift 2
    printf '%s' "$value" | emsa set "$path" - --raw --secret "$@" >/dev/null
}

# says WHAT WORDS: the last output has this
says() {
    checks=$((checks + 1))
    grep -q -- "$2" "$work/out" || fault "$1: nothing like '$2' in: $(head -c 600 "$work/out")"
}

holds "init" emsa init
holds "environments" emsa env add prod dev
holds "values" emsa set prod/billing PORT=80 HOST=a URL=http --new
holds "for all" emsa set all/billing LOG=info
holds "a secret" secret prod/billing/PASSWORD the-first-password
holds "a template" emsa set --template prod/billing 'DSN=pg://${PASSWORD}@${HOST}'
holds "a service that goes" emsa set prod/gone G=1 --new
then=$(revision)
holds "its name" emsa tag release "$then"

# What was changed, made, removed; another secret; another value beneath.
holds "changed" emsa set prod/billing PORT=81 NEW=1 HOST=b
holds "removed" emsa rm prod/billing/URL
holds "beneath" emsa set all/billing LOG=debug
holds "another secret" secret prod/billing/PASSWORD the-second-password
holds "another service" emsa set prod/web X=1 --new

holds "tried" emsa rollback prod/billing --to release --dry-run
before=$(revision)
cp "$work/out" "$work/dry"
says "says so" "dry run"
holds "done" emsa rollback prod/billing --to release -m "the second outage"
is "one commit" "$((before + 1))" "$(revision)"
diff <(grep -v '^dry run\|^revision' "$work/dry") <(grep -v '^dry run\|^revision' "$work/out") >"$work/diff" || fault "a dry run prints another list: $(cat "$work/diff")"
says "what was removed is back" '+  prod/billing/URL'
says "what was changed" '~  prod/billing/PORT'
says "what was made is gone" '-  prod/billing/NEW'
says "a secret stays" "prod/billing/PASSWORD stays as it is: a secret (--with-secrets)"
says "what lies beneath" "prod/billing/LOG is not what it was then: it shows 'all/billing/LOG'"
is "its value" 80 "$(emsa get prod/billing/PORT)"
is "the secret" the-second-password "$(emsa get --reveal prod/billing/PASSWORD)"
is "what it makes" pg://the-second-password@a "$(emsa get --reveal prod/billing/DSN)"
is "other services" 1 "$(emsa get prod/web/X)"
ends "nothing left to do" 0 "nothing to change" emsa rollback prod/billing --to release
is "no commit" "$((before + 1))" "$(revision)"
holds "with secrets" emsa rollback prod/billing --to release --with-secrets
is "the old one" the-first-password "$(emsa get --reveal prod/billing/PASSWORD)"
holds "where it came from" emsa show "$(revision)"
says "says so" "from prod/billing/PASSWORD of rev"

# A key; as JSON.
holds "a key" emsa rollback prod/billing/PORT --to "$((then + 2))" --json
is "was" 81 "$(emsa get prod/billing/PORT)"
is "its mark" '~' "$(json lines 0 mark <"$work/out")"
is "to which" "$((then + 2))" "$(json to <"$work/out")"
holds "made since" emsa rollback prod/billing/NEW --to "$((then + 2))"
holds "gone again" emsa rollback prod/billing/NEW --to release
ends "is not there" 3 "no key 'prod/billing/NEW'" emsa get prod/billing/NEW
ends "if nobody was quicker" 5 "changed in revision" emsa rollback prod/billing --to release --if-rev "$then"

# An environment: services made since go, those that went come back, one with a secret of its own stays.
holds "a secret in what is new" secret prod/vault/KEY of-the-vault-only --new
holds "and more" emsa set prod/vault PLAIN=1
holds "gone" emsa service rm prod/billing prod/gone --all
ends "a secret that something needs is not there" 4 "'prod/billing/DSN' refers to 'billing/PASSWORD'" emsa rollback prod --to release
holds "set by hand" secret prod/billing/PASSWORD the-third-password --new
holds "all of it" emsa rollback prod --to release
says "placed again" '+  prod/gone '
says "with what it had" '+  prod/gone/G'
says "a service that is new goes" '-  prod/web '
says "but not its secret" "prod/vault/KEY stays as it is: a secret"
says "nor what is gone" "prod/billing/PASSWORD stays as it is: a secret"
is "the plain one of it" of-the-vault-only "$(emsa get --reveal prod/vault/KEY)"
ends "is gone" 3 "" emsa get prod/vault/PLAIN
holds "a service by itself" emsa service ls prod
ends "that is gone" 3 "no service 'prod/web'" emsa ls prod/web

# A service that another one needs; an environment that is another one of the same name.
holds "shared" emsa set dev/db HOST=db.dev PORT=5432 --new
holds "with web" emsa share dev/db/HOST dev/db/PORT --with web
holds "used" emsa link dev/web/DB db/HOST --new
holds "and" emsa set --template dev/web 'URL=${db/HOST}:${db/PORT}'
linked=$(revision)
holds "no longer" emsa rm dev/web/DB dev/web/URL
holds "gone" emsa rm dev/db/HOST dev/db/PORT
ends "what refers to what is gone is refused, all of it" 4 "dev/web/DB" emsa rollback dev/web --to "$linked"
is "each reason" 3 "$(grep -c "refers to" "$work/err")"
ends "in an environment it is there again" 0 "" emsa rollback dev --to "$linked"
is "with what it needs" db.dev:5432 "$(emsa get dev/web/URL)"
holds "another" emsa set dev/db HOST=other
holds "frozen" emsa lock dev/db/HOST -m "until the audit"
ends "a lock holds" 4 "'dev/db/HOST' is locked" emsa rollback dev/db --to "$linked"
holds "thawed" emsa unlock dev/db/HOST
holds "all of it goes" emsa env rm dev --all
ends "an environment that is gone" 4 "'dev' is not there any more: make it ('emsa env add dev')" emsa rollback dev --to "$linked"
holds "made again" emsa env add dev
ends "a rollback of it" 4 "not shared" emsa rollback dev --to "$linked"
holds "of a service that needs no other" emsa rollback dev/db --to "$linked"
is "of the one before" db.dev "$(emsa get dev/db/HOST)"

# What had an end: one that has come is not brought back, one that is to come is.
holds "for a while" emsa set dev/db LONG=1 --ttl 1d
ending=$(revision)
holds "removed" emsa rm dev/db/LONG
holds "back" emsa rollback dev/db/LONG --to "$ending"
is "ends as it did" True "$(emsa ls dev/db --json | /usr/bin/python3 -c 'import json, sys
print(any("expires" in item for item in json.load(sys.stdin)["items"]))')"

# What is refused: nothing changes.
head=$(revision)
ends "no such revision" 3 "no revision 9999: the newest is $head" emsa rollback prod --to 9999
ends "nor one before the first" 3 "no revision 0: the first is 1" emsa rollback prod --to 0
ends "no such name" 3 "no tag 'nothing'" emsa rollback prod --to nothing
ends "no revision at all" 2 "'v/1' is no revision" emsa rollback prod --to v/1
ends "none said" 2 "say where to" emsa rollback prod
ends "everything" 2 "'' is not\|a key, a service or an environment" emsa rollback "" --to release
ends "an environment that was not" 4 "'prod' did not exist as of revision 1: 'emsa env rm prod --all' removes it" emsa rollback prod --to 1
ends "a service that was not" 4 "'prod/vault' did not exist as of revision $then: 'emsa service rm prod/vault --all' removes it" emsa rollback prod/vault --to release
ends "nothing of that name" 3 "no environment 'prd'; did you mean\|no environment 'prd': did you mean 'prod'" emsa rollback prd --to release
ends "nor of that" 3 "no service 'prod/bil'" emsa rollback prod/bil --to release
ends "nor that" 3 "no key 'prod/billing/NOTHING'" emsa rollback prod/billing/NOTHING --to release
is "nothing changed" "$head" "$(revision)"
holds "verified" emsa verify
finish
