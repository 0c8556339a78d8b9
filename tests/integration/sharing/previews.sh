#!/bin/bash
# Forty previews on one base: made, used, changed, removed, each in one commit, while the base and the other previews
# stay as they are; what changes in the base is changed in all of them by one commit. Previews with an end go by a
# commit of the store's own, all of them by one.
# shellcheck disable=SC2016 # what is in single quotes is for emsa
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

previews=40
case ${EMSA_TEST_SCALE:-1} in 1) ;; *) previews=10 ;; esac

# one WHAT COMMAND...: it takes one commit
one() {
    local before
    before=$(revision)
    holds "$@"
    is "$1: one commit" "$((before + 1))" "$(revision)"
}

# alike WHAT DIRECTORY DIRECTORY: the same names and bytes
alike() {
    checks=$((checks + 1))
    diff -r "$2" "$3" >"$work/diff" 2>&1 || fault "$1: $(head -n 5 "$work/diff")"
}

names() { find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | paste -s -d ' '; }

attribute() { getfattr --only-values -n "user.emsa.$1" "$2"; }

holds "init" emsa init
holds "environments" emsa env add base other
printf 'swordfish-of-the-base' >"$work/secret"
holds "a service" emsa set base/shared HOST=db.base DEBUG=0
holds "with a secret" emsa set base/postgres PORT=5432 --secret-file "PASSWORD=$work/secret"
holds "shared" emsa share base/postgres/PASSWORD base/postgres/PORT --with web --with billing
for service in web billing; do
    holds "a service" emsa set base/$service NAME=$service MODE=preview
    holds "a link" emsa link base/$service/DEBUG shared/DEBUG
    holds "a template" emsa set --template base/$service/URL 'pg://u:${postgres/PASSWORD|url}@${shared/HOST}:${postgres/PORT}/${NAME}'
done
holds "for all" emsa set all/web FLAVOUR=strawberry
mounted "$work/env"
cd "$work/env"
cp -r base "$work/base"

# Made, one by one and many at once.
half=$((previews / 2))
for n in $(seq "$half"); do one "preview $n" emsa env add "preview-$n" --base base; done
mapfile -t rest < <(seq -f 'preview-%g' "$((half + 1))" "$previews")
mapfile -t all < <(seq -f 'preview-%g' "$previews")
one "the others at once" emsa env add "${rest[@]}" --base base
for n in $(seq "$previews"); do alike "preview $n reads what its base does" base "preview-$n"; done
is "from the base" base "$(attribute origin preview-7/web/NAME)"
is "a secret too" "pg://u:swordfish-of-the-base@db.base:5432/web" "$(cat preview-7/web/URL)"
is "the base stays" "" "$(diff -r base "$work/base")"

# Used: each has something of its own, one commit each, which nobody else sees.
for n in $(seq "$previews"); do one "its own" emsa set "preview-$n/shared" "HOST=db.preview-$n"; done
for n in $(seq "$previews"); do
    is "preview $n" "pg://u:swordfish-of-the-base@db.preview-$n:5432/billing" "$(cat "preview-$n/billing/URL")"
done
is "its own" own "$(attribute origin preview-7/shared/HOST)"
one "a service of its own" emsa set preview-3/extra NAME=extra
one "its own secret" emsa set preview-3/postgres --secret-file "PASSWORD=$work/secret" --allow-equal -m "the same database"
one "refers to the base's" emsa link preview-3/extra/DEBUG shared/DEBUG
is "the base stays" "" "$(diff -r base "$work/base")"
is "and the others" "billing postgres shared web" "$(names preview-4)"

# Changed: once, for all of them.
inode=$(stat -c %i preview-7/web/MODE)
exec 9<preview-7/web/MODE
one "in the base" emsa set base/web MODE=changed
changed=$(revision)
for n in $(seq "$previews"); do
    is "preview $n has it" "changed $changed" "$(cat "preview-$n/web/MODE") $(attribute rev "preview-$n/web/MODE")"
done
is "all of them are told" "$((previews + 1))" \
    "$(emsa watch base "${all[@]}" --from "$changed" | sed "$((previews + 1))q" | grep -c "web/MODE")"
is "a held descriptor has it" changed "$(/usr/bin/python3 -c 'import os; print(os.pread(9, 99, 0).decode())')"
exec 9<&-
one "debugging" emsa set base/shared DEBUG=1
for n in $(seq "$previews"); do is "preview $n through the link" 1 "$(cat "preview-$n/billing/DEBUG")"; done
printf 'swordfish-the-second' >"$work/secret"
one "the secret" emsa set base/postgres --secret-file "PASSWORD=$work/secret"
for n in $(seq "$previews"); do
    want=swordfish-the-second
    [ "$n" != 3 ] || want=swordfish-of-the-base
    is "preview $n through the template" "pg://u:$want@db.preview-$n:5432/web" "$(cat "preview-$n/web/URL")"
done
one "of its own for a moment" emsa set preview-7/web MODE=mine
is "mine" "mine own" "$(cat preview-7/web/MODE) $(attribute origin preview-7/web/MODE)"
one "and back" emsa rm preview-7/web/MODE
is "the base's" "changed base" "$(cat preview-7/web/MODE) $(attribute origin preview-7/web/MODE)"
is "the same file all the time" "$inode" "$(stat -c %i preview-7/web/MODE)"
one "a new service in the base" emsa set base/new NAME=new
is "is placed in none of them" "" "$(find . -path './preview-*/new')"
one "but in those made later" emsa env add later --base base
is "there" new "$(cat later/new/NAME)"
one "a key for all" emsa set all/web SEASON=summer
is "is there" summer "$(cat preview-5/web/SEASON)"

# Removed: each by one commit, and nothing else.
ends "a base is not removed" 4 "environment 'base' is what 'later' stands on" emsa env rm base --all
ends "nor one that has something" 4 "is not empty" emsa env rm preview-9
cp -r base "$work/base-now"
cp -r preview-2 "$work/preview-2"
for n in 1 $(seq 3 "$half"); do one "preview $n" emsa env rm "preview-$n" --all; done
one "the others at once" emsa env rm "${rest[@]}" later --all
is "one is left" "preview-2" "$(find . -maxdepth 1 -name 'preview-*' -printf '%f\n')"
alike "as it was" preview-2 "$work/preview-2"
alike "and the base" base "$work/base-now"
one "made again" emsa env add preview-1 --base base
is "with nothing of its former self" base "$(attribute origin preview-1/shared/HOST)"

# With an end: gone by themselves, all of them by one commit, with all that is in them.
before=$(revision)
holds "for a moment" emsa env add short-1 short-2 short-3 --base base --ttl 2s
is "they are there" "short-1 short-2 short-3" "$(find . -maxdepth 1 -name 'short-*' -printf '%f\n' | sort | paste -s -d ' ')"
gone=$(emsa watch short-1 short-2 short-3 --from "$((before + 1))" | sed -n '/  - /{p;q}')
is "who watches is told" 1 "$(grep -c "  - short-1  emsa (expiry of rev" <<<"$gone")"
is "all are gone" "" "$(find . -maxdepth 1 -name 'short-*')"
is "by one commit" "$((before + 2))" "$(revision)"
ends "the commands know" 3 "no environment 'short-2'" emsa ls short-2
alike "the base is as it was" base "$work/base-now"
alike "and the other preview" preview-2 "$work/preview-2"
one "the last ones" emsa env rm preview-1 preview-2 --all
one "and the base" emsa env rm base --all
is "nothing is left" "all other" "$(names .)"
cd /
holds "verify" emsa verify
finish
