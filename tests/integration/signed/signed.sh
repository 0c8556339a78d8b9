#!/bin/bash
# Signed commits: every verb that changes something signs, the log says who did, what was signed is all that is done, and an
# implementation in Python finds so too.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../command/told.sh
. "$here/../command/told.sh"

# signer REV: "known", "unknown" or "unsigned"
signer() {
    emsa show "$1" --json | /usr/bin/python3 -c 'import json, sys
signer = json.load(sys.stdin)["commit"].get("signer")
print("unsigned" if signer is None else "known" if signer["known"] else "unknown")'
}

# signs WHAT COMMAND...: what it commits is signed
signs() {
    holds "$@"
    is "$1: signed" known "$(signer "$(revision)")"
}

# whole WHAT: both find the store whole
whole() {
    holds "$1: verify" emsa verify
    holds "$1: in Python" /usr/bin/python3 -B "$here/../format/emsa_settle.py" "$EMSA_STORE" --identity "$EMSA_STORE.identity"
}

holds "init" emsa init
signs "env add" emsa env add prod dev
signs "set" emsa set prod/web PORT=80 HOST=x.example -m "first"
printf 'a secret of some length' >"$work/key"
signs "set, secret" emsa set prod/web --secret-file "PASSWORD=$work/key"
head -c 1048576 /dev/urandom >"$work/large"
signs "set, secret and large" emsa set --secret prod/web/LARGE --file "$work/large"
signs "set, nothing" emsa set prod/web EMPTY=
# shellcheck disable=SC2016 # a template
signs "template" emsa set prod/web --template 'URL=http://${HOST}:${PORT}/'
signs "ttl" emsa set prod/web SOON=1 --ttl 1d
signs "link" emsa link prod/web/LINK web/PORT
signs "share" emsa share prod/web/PORT --with '*'
signs "unshare" emsa unshare prod/web/PORT --with '*'
signs "lock" emsa lock prod/web/PORT -m "so it stays"
signs "unlock" emsa unlock prod/web/PORT
signs "cp, a key" emsa cp prod/web/PORT dev/web/PORT
signs "cp, a key of the same service" emsa cp prod/web/PASSWORD prod/web/PASSWORD2
signs "mv" emsa mv prod/web/EMPTY prod/web/VOID
signs "mv, a service" emsa mv dev/web dev/site
signs "cp, a service" emsa cp dev/site dev/site2
signs "env cp" emsa env cp dev dev-copy
signs "service add" emsa service add prod/worker
signs "tag" emsa tag v1
signs "tag, back" emsa tag --rm v1
signs "grant" emsa grant prod --to user:nobody --read --list
signs "revoke, all of them" emsa revoke prod --from user:nobody
printf 'service: web\nkeys:\n  PORT: {type: port, default: 8080}\n  LEVEL: {type: string, default: low}\n' >"$work/schema"
signs "schema" emsa schema set "$work/schema" --env prod
signs "schema rm" emsa schema rm prod/web
signs "all" emsa set all/shared ZONE=eu
signs "rm" emsa rm prod/web/LINK
signs "rollback" emsa rollback prod/web --to 3 -m "as it was"
signs "promote" emsa promote prod/web dev/web PORT
signs "another value" emsa set prod/web PORT=81
signs "purge" emsa purge prod/web/PORT@3 -m "it was none of ours"
said=$(revision)
signs "schema, once more" emsa schema set "$work/schema" --env prod
sed -i 's/8080/8081/' "$work/schema"
signs "schema, another" emsa schema set "$work/schema" --env prod
signs "schema, none" emsa schema rm prod/web
signs "purge, a default, and the next schema that says it" emsa purge "prod/web/LEVEL@$((said + 1))" -m "none of ours"
signs "purge, a schema" emsa purge "prod/web@$((said + 2))" -m "none of ours"
signs "compact" emsa compact prod/web --keep 7 -m "enough"
printf 'A=1\nB=two words\n' >"$work/env"
signs "import" emsa import prod/worker "$work/env"
signs "service rm" emsa service rm dev/site2 --all
signs "env rm" emsa env rm dev-copy --all
whole "all verbs"
holds "unsigned" emsa --sign none set prod/web PORT=82
refuses "by nothing" 2 "--sign names nothing" emsa --sign "" set prod/web PORT=83
is "is unsigned" unsigned "$(signer "$(revision)")"
told "and says so" "unsigned" <(emsa log prod/web)
told "the others by whom" "signed by id:administrator" <(emsa log prod/web)
told "each of them" "signed by id:administrator" <(emsa show 2)
told "and each line" "signed by id:administrator" <(emsa blame dev/web)
told "and who granted what" "signed by id:administrator" <(emsa grant prod/web --to user:root --list >/dev/null && emsa grants user:root)

# Of whom.
holds "another store" emsa --store "$work/other" init
holds "a stranger's" emsa --sign "$work/other.identity" set prod/web PORT=83
is "is nobody's" unknown "$(signer "$(revision)")"
told "and says so, too" "signed by an unknown key" <(emsa log prod/web)
EMSA_SIGN_IDENTITY=$work/other.identity holds "of the environment" emsa set prod/web PORT=84
is "nobody's" unknown "$(signer "$(revision)")"
refuses "no file" 3 "name another one" emsa --sign "$work/nowhere" set prod/web PORT=85
printf "nothing" >"$work/none"; chmod 600 "$work/none"
ends "no identity" 1 "no identity" emsa --sign "$work/none" set prod/web PORT=85

# One that is locked.
head -c 32 /dev/urandom >"$work/stick"
chmod 600 "$work/stick"
holds "locked" emsa identity new locked --out "$work/locked" --key-file "$work/stick"
ends "without its key" 1 "opens with its key file" emsa --sign "$work/locked" set prod/web PORT=85
holds "with it" env EMSA_IDENTITY_KEY="$work/stick" emsa --sign "$work/locked" set prod/web PORT=85
is "signed" unknown "$(signer "$(revision)")"
printf 'words of eight or more\n' >"$work/words"
holds "by a passphrase too" emsa identity passphrase "$work/locked" --key-file "$work/stick" --new-passphrase-file "$work/words"
ends "no terminal" 1 "there is no terminal" setsid -w emsa --sign "$work/locked" set prod/web PORT=86
holds "at one" /usr/bin/python3 -B "$here/asked.py" "words of eight or more" emsa --sign "$work/locked" set prod/web PORT=86
is "set" 86 "$(emsa get prod/web/PORT)"

# Where only what is signed is taken.
refuses "not protected" 2 "add --protected" emsa env add vault --signed
refuses "unsigned" 4 "signed changes only" emsa --sign none env add vault --protected --signed
signs "signed" emsa env add vault --protected --signed
told "env ls" "signed changes only" <(emsa env ls)
signs "a value" emsa set vault/web KEY=1 -m "why"
signs "another value" emsa set vault/web KEY=1b -m "why"
refuses "unsigned purge" 4 "signed changes only" emsa --sign none purge "vault/web/KEY@$(($(revision) - 1))" -m "why"
refuses "unsigned compaction of it" 4 "signed changes only" emsa --sign none compact vault --keep "$(revision)" -m "why"
refuses "unsigned compaction of everything" 4 "signed changes only" emsa --sign none compact --keep "$(revision)" -m "why"
signs "purge there" emsa purge "vault/web/KEY@$(($(revision) - 1))" -m "why"
refuses "unsigned there" 4 "signed changes only" emsa --sign none set vault/web KEY=2 -m "why"
refuses "unsigned removal" 4 "signed changes only" emsa --sign none rm vault/web/KEY -m "why"
refuses "unsigned from beneath" 4 "signed changes only" emsa --sign none set all/web OTHER=2 -m "why"
refuses "a stranger there" 4 "none of theirs" emsa --sign "$work/other.identity" set vault/web KEY=2 -m "why"
whole "signed environments"

# A server that wants something else, and what was asked for, again.
mkfifo "$work/ready" "$work/ready2"
emsad --store "$EMSA_STORE" --ready-fd 9 9>"$work/ready" 2>"$work/log" &
read -r _ <"$work/ready"
emsad --store "$work/other" --ready-fd 9 9>"$work/ready2" 2>"$work/log2" &
read -r _ <"$work/ready2"
mkdir "$work/fake"
cp "$work/key" "$work/fake/key"
holds "between" /usr/bin/python3 -B "$here/between.py" "$EMSA_BIN/emsa" "$EMSA_STORE/socket" "$work/other/socket" "$work/fake" \
    "$EMSA_STORE.identity"
signs "through a server" emsa set prod/web PORT=90
holds "stop" emsa stop
holds "stop the other" emsa --store "$work/other" stop
wait
whole "through a server"
finish
