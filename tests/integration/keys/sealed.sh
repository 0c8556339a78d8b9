#!/bin/bash
# Secrets in git: sealed with the public key alone, applied by who may set and read nothing, taken nowhere but where they
# were sealed for.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
# shellcheck source=../rights/machine.sh
. "$here/../rights/machine.sh"
# shellcheck source=others.sh
. "$here/others.sh"

# seal VALUE PATH: a text that carol, who may only set, makes of it
seal() {
    printf '%s' "$1" | as carol emsa seal "$2" -
}

# sheet KEY=TEXT...: a file of prod/web's keys
sheet() {
    printf 'environments:\n  prod:\n    services:\n      web:\n        keys:\n' >"$work/sheet.yaml"
    local one
    for one in "$@"; do
        printf '          %s: !sealed %s\n' "${one%%=*}" "${one#*=}" >>"$work/sheet.yaml"
    done
    chmod 644 "$work/sheet.yaml"
}

reads() {
    is "$1" "$2" "$(emsa get --reveal "$3" 2>&1)"
}

holds "a store" emsa init
holds "environments" emsa env add prod dev
holds "services" emsa service add prod/web prod/db dev/web
holds "who may set, and nothing else" emsa grant prod/web --to user:carol --set
chmod 711 "$work"
begin

# carol has an identity of her own, with which she signs
public=$(identity carol)
chown 2003 "$work/carol.identity"
export EMSA_SIGN_IDENTITY=$work/carol.identity
EMSA_SIGN_IDENTITY=none holds "who is known, and reads nothing of this" emsa grant dev/web --to id:carol --key "$public" --read
# shellcheck disable=SC2317 # it is called by what it is given to
carol() { EMSA_SIGN_IDENTITY=$work/carol.identity as carol "$@"; }

one=$(seal 'the first of all' prod/web/ONE)
two=$(seal 'and the second one' prod/web/TWO)
EMSA_SIGN_IDENTITY=none ends "who may not even list" 1 "has no right to SealKey" as judy emsa seal prod/web/ONE -
ends "not of a service that is not there" 3 "no service 'prod/wep'" emsa seal prod/wep/ONE -
ends "not in all" 4 "cannot stand in 'all'" emsa seal all/web/ONE -
ends "not on the command line" 2 "never stands in the arguments" emsa seal prod/web/ONE value
[ "${#one}" = "$(seal 'x' prod/web/ONE | tr -d '\n' | wc -c)" ] || fault "the text tells the length"
is "another text each time" 2 "$(printf '%s\n%s\n' "$one" "$(seal 'the first of all' prod/web/ONE)" | sort -u | wc -l)"

sheet "ONE=$one" "TWO=$two"
holds "a dry run" carol emsa apply "$work/sheet.yaml" --dry-run
ends "sets nothing" 3 "" env -u EMSA_SIGN_IDENTITY emsa get --reveal prod/web/ONE
holds "applied by who reads nothing" carol emsa apply "$work/sheet.yaml" -m "from git"
reads "the one" "the first of all" prod/web/ONE
reads "the other" "and the second one" prod/web/TWO
ends "who applied reads nothing" 1 "no right" carol emsa get --reveal prod/web/ONE
is "and signed it" True "$(emsa --json show "$(revision)" | json commit signer known)"
was=$(revision)
holds "the same again" carol emsa apply "$work/sheet.yaml"
is "changes nothing" "$was" "$(revision)"

# An equal value in another text: told to who may read, and to nobody else.
again=$(seal 'the first of all' prod/web/ONE)
EMSA_SIGN_IDENTITY=none holds "for who may read it is the same" emsa set prod/web/ONE --sealed "$again"
is "and changes nothing either" "$was" "$(revision)"
holds "for who may not it is set" carol emsa set prod/web/ONE --sealed "$again"
is "without a word" $((was + 1)) "$(revision)"
# Back and forth, as git goes: the same text has its data key at two revisions, and is sealed anew for each.
three=$(seal 'something else now' prod/web/ONE)
holds "forth" carol emsa set prod/web/ONE --sealed - <<<"$three"
holds "back" carol emsa set prod/web/ONE --sealed "$one"
holds "forth again" carol emsa set prod/web/ONE --sealed "$three"
reads "is what it says" "something else now" prod/web/ONE
holds "with an end" carol emsa set prod/web/SOON --sealed "$(seal 'for a day only' prod/web/SOON)" --ttl 1d

# For nothing but what it was sealed for.
was=$(revision)
ends "another key" 4 "was sealed for 'prod/web/TWO'" carol emsa set prod/web/ONE --sealed "$two"
sheet "ONE=$two"
ends "another key, in a file" 2 "sheet.yaml:6:.*was sealed for the key 'TWO'" carol emsa apply "$work/sheet.yaml"
EMSA_SIGN_IDENTITY=none ends "another service" 4 "was sealed for 'prod/web/TWO'" emsa set prod/db/TWO --sealed "$two"
EMSA_SIGN_IDENTITY=none ends "another environment" 4 "was sealed for 'prod/web/TWO'" emsa set dev/web/TWO --sealed "$two"
EMSA_STORE=$work/other EMSA_IDENTITY=$work/other.identity EMSA_SIGN_IDENTITY=none emsa init >/dev/null
EMSA_STORE=$work/other EMSA_IDENTITY=$work/other.identity EMSA_SIGN_IDENTITY=none emsa env add prod >/dev/null
EMSA_STORE=$work/other EMSA_IDENTITY=$work/other.identity EMSA_SIGN_IDENTITY=none \
    ends "another store" 4 "was sealed for another store" emsa set prod/web/TWO --sealed "$two"
ends "damaged" 6 "is damaged" carol emsa set prod/web/TWO --sealed "${two:0:150}A${two:151}"
ends "cut short" 6 "is damaged" carol emsa set prod/web/TWO --sealed "${two:0:150}"
ends "of a later version" 6 "version 2" carol emsa set prod/web/TWO --sealed "${two/sealed-1/sealed-2}"
ends "none at all" 2 "no sealed text" carol emsa set prod/web/TWO --sealed "something"
sheet "TWO=${two:0:150}"
ends "damaged, in a file" 2 "sheet.yaml:6:.*is damaged" carol emsa apply "$work/sheet.yaml"
is "nothing of it changed anything" "$was" "$(revision)"

# What is sealed is judged as any value is.
export EMSA_SIGN_IDENTITY=none
printf 'service: web\nkeys:\n  PORT: {type: port, secret: true}\n' >"$work/schema.yaml"
holds "a schema" emsa schema set "$work/schema.yaml" --env prod
ends "which it does not meet" 4 "PORT" emsa set prod/web/PORT --sealed "$(seal 'no port' prod/web/PORT)"
holds "which it does" emsa set prod/web/PORT --sealed "$(seal 8080 prod/web/PORT)"
printf 'a password of dev, all its own' | emsa set --secret dev/web/PASSWORD - >/dev/null
ends "a secret of another environment" 4 "equal to a secret of another" \
    carol emsa set prod/web/COPY --sealed "$(seal 'a password of dev, all its own' prod/web/COPY)"

# A value of the greatest size.
head -c 1048576 /dev/urandom >"$work/large"
emsa seal prod/web/LARGE --file "$work/large" >"$work/large.sealed"
holds "a large one" emsa set prod/web/LARGE --sealed --file "$work/large.sealed"
emsa get --reveal prod/web/LARGE >"$work/found"
same "is whole" "$work/large" "$work/found"
head -c 1048577 /dev/urandom >"$work/large"
ends "a larger one" 2 "" emsa seal prod/web/LARGE --file "$work/large"

# An earlier key: taken, and said.
holds "new keys" emsa rotate keys prod/web
holds "a text of the old one" carol emsa set prod/web/TWO --sealed "$(seal 'x y z' prod/web/TWO)"
EMSA_SIGN_IDENTITY=$work/carol.identity holds "is taken" as carol emsa set prod/web/TWO --sealed "$two"
grep -q "was sealed for key 1 of the service" "$work/err" || fault "an earlier key: $(cat "$work/err")"
reads "and is what it says" "and the second one" prod/web/TWO

# An environment of the same name is another one.
holds "the old one goes" emsa env rm dev --all
holds "and comes" emsa env add dev
holds "with its service" emsa service add dev/web
kept=$(printf 'of the new one' | emsa seal dev/web/KEY -)
holds "once more" emsa env rm dev --all
ends "where it is not" 3 "no environment 'dev'" emsa set dev/web/KEY --sealed "$kept"
holds "and comes again" emsa env add dev
holds "with its service again" emsa service add dev/web
ends "of a removed one" 4 "that was removed since" emsa set dev/web/KEY --sealed "$kept"
holds "all of it is sound" emsa verify
over TERM

# Locked: nothing is opened, and sealing goes on.
mv "$EMSA_IDENTITY" "$work/away"
begin
late=$(seal 'while it is locked' prod/web/LATE)
ends "a locked server" 1 "cannot be set by a sealed text now" carol emsa set prod/web/LATE --sealed "$late"
over TERM
mv "$work/away" "$EMSA_IDENTITY"
begin
holds "an open one" carol emsa set prod/web/LATE --sealed "$late"
reads "has it" "while it is locked" prod/web/LATE
over TERM
finish
