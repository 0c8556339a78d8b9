#!/bin/bash
# The hidden directory by the tools of every day: what is there, what is not, and that every program that reads gets it whole.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

holds "init" emsa init
holds "environments" emsa env add prod dev
holds "values" emsa set prod/web A=1 B='two words' --new
holds "more" emsa set dev/web A=1 --new
first=$(revision)
printf 'pass word' | holds "a secret" emsa set --secret prod/web/PASSWORD - --raw
holds "another value" emsa set prod/web A=22
last=$(revision)
holds "elsewhere" emsa set dev/web A=2
mounted "$work/env"
mounted "$work/masked" --masked
web=$work/env/prod/web

# names DIRECTORY: what it lists, in one line
names() {
    find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs
}

# What is there.
is "nothing of it is listed" "A B PASSWORD" "$(names "$web")"
is "in a service" "at env head json rev" "$(names "$web/.emsa")"
is "in an environment" "at head rev" "$(names "$work/env/prod/.emsa")"
is "in the root" "at head rev" "$(names "$work/env/.emsa")"
is "at lists nothing" "" "$(ls -A "$web/.emsa/at")"
is "a service's revision is its own" "$last" "$(cat "$web/.emsa/rev")"
is "an environment's too" "$last" "$(cat "$work/env/prod/.emsa/rev")"
is "the root's is the newest" "$(revision)" "$(cat "$work/env/.emsa/rev")"
is "head" "at/$last" "$(readlink "$web/.emsa/head")"
is "and its size" "${#last}" "$(($(stat -c %s "$web/.emsa/head") - 3))"
is "the kinds" "directory regular file symbolic link directory" \
    "$(stat -c %F "$web/.emsa" "$web/.emsa/env" "$web/.emsa/head" "$web/.emsa/at/$last" | xargs)"

# What is not.
for name in 0 "0$last" $((last + 2)) 99999999999999999999 -1 +1 1x; do
    ends "at/$name" 2 "no such file" ls "$web/.emsa/at/$name"
done
ends "before there was a service" 2 "no such file" ls "$web/.emsa/at/1"
holds "before there was anything" test -d "$work/env/.emsa/at/1"
ends "no env of an environment" 1 "no such file" cat "$work/env/prod/.emsa/env"
ends "nor json" 1 "no such file" cat "$work/env/.emsa/json"
ends "no hidden directory in the past" 1 "no such file" cat "$web/.emsa/at/$last/.emsa/rev"
ends "nothing is made" 1 "read-only" mkdir "$web/.emsa/at/new"
ends "nothing is written" 1 "read-only" touch "$web/.emsa/env"
ends "nothing is removed" 1 "read-only" rm -f "$web/.emsa/at/$last/A"

# A revision that comes is there at once, though it was asked for before.
holds "a commit" emsa set dev/web A=3
next=$(revision)
ends "one that is to come" 2 "no such file" ls "$work/env/.emsa/at/$((next + 1))"
holds "comes" emsa set dev/web A=4
is "and is there" "4" "$(cat "$work/env/.emsa/at/$((next + 1))/dev/web/A")"

# Tags are links.
holds "a tag" emsa tag release-1 "$last"
is "a tag in a service" "$last" "$(readlink "$web/.emsa/at/release-1")"
is "in the root" "22" "$(cat "$work/env/.emsa/at/release-1/prod/web/A")"
ends "a tag that there is not" 1 "no such file" cat "$web/.emsa/at/release-2/A"
holds "it comes" emsa tag release-2 "$first"
is "and is there" "1" "$(cat "$web/.emsa/at/release-2/A")"
holds "diff -r of tags" test -n "$(diff -r "$web/.emsa/at/release-1" "$web/.emsa/at/release-2" || true)"
holds "it goes" emsa tag --rm release-2
ends "and is gone" 1 "no such file" cat "$web/.emsa/at/release-2/A"
holds "a tag of before there was a service" emsa tag early 1
ends "is not in the service" 1 "no such file" cat "$web/.emsa/at/early"
is "and is in the root" "1" "$(readlink "$work/env/.emsa/at/early")"

# Texts, whole for every program.
printf 'A=22\nB='\''two words'\''\nPASSWORD='\''pass word'\''\n' >"$work/wanted.env"
printf '{\n  "A": "22",\n  "B": "two words",\n  "PASSWORD": "pass word"\n}\n' >"$work/wanted.json"
for form in env json; do
    same "cmp of $form" "$work/wanted.$form" "$web/.emsa/$form"
    is "the size of $form" "$(stat -c %s "$work/wanted.$form")" "$(stat -c %s "$web/.emsa/$form")"
    cat "$web/.emsa/$form" >"$work/cat"
    same "cat of $form" "$work/wanted.$form" "$work/cat"
    cp "$web/.emsa/$form" "$work/cp"
    same "cp of $form" "$work/wanted.$form" "$work/cp"
    dd if="$web/.emsa/$form" of="$work/dd" bs=5 status=none
    same "dd in small pieces of $form" "$work/wanted.$form" "$work/dd"
    tail -n +1 "$web/.emsa/$form" >"$work/tail"
    same "tail of $form" "$work/wanted.$form" "$work/tail"
    rsync "$web/.emsa/$form" "$work/rsync"
    same "rsync of $form" "$work/wanted.$form" "$work/rsync"
    tar -cf - -C "$web/.emsa" "$form" | tar -xOf - >"$work/tar"
    same "tar of $form" "$work/wanted.$form" "$work/tar"
    holds "diff of $form" diff "$work/wanted.$form" "$web/.emsa/$form"
    /usr/bin/python3 -c 'import sys; sys.stdout.write(open(sys.argv[1]).read())' "$web/.emsa/$form" >"$work/python"
    same "python's read of $form" "$work/wanted.$form" "$work/python"
    /usr/bin/python3 -c 'import mmap, sys
with open(sys.argv[1], "rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
    sys.stdout.buffer.write(mapped[:])' "$web/.emsa/$form" >"$work/mapped"
    same "a mapping of $form" "$work/wanted.$form" "$work/mapped"
done
# shellcheck disable=SC2016 # for the shell that reads it
for shell in bash sh; do
    is "$shell reads env" "22 two words pass word" \
        "$(env -i "$shell" -c 'set -a; . "$0"; exec sh -c "echo \$A \$B \$PASSWORD"' "$web/.emsa/env")"
done

# What it is that one stands in.
is "where one is" "$web/.emsa/at/$first" "$(cd "$web/.emsa/at/$first" && /bin/pwd)"
is "values then" "1" "$(cat "$web/.emsa/at/$first/A")"
is "one file, two names" "$(stat -c %i "$web/.emsa/at/$first/B")" "$(stat -c %i "$web/.emsa/at/$last/B")"
is "two directories" "2" "$(stat -c %i "$web/.emsa/at/$first" "$web/.emsa/at/$last" | sort -u | wc -l)"
is "its revision" "$first" "$(getfattr --absolute-names --only-values -n user.emsa.rev "$web/.emsa/at/$first")"
is "of a file, its own" "$(cd "$web/.emsa/at/$last" && getfattr --absolute-names --only-values -n user.emsa.rev PASSWORD)" "$((last - 1))"
is "kind" "secret" "$(getfattr --absolute-names --only-values -n user.emsa.kind "$web/.emsa/at/$last/PASSWORD")"
is "statfs" "255" "$(stat -f -c %l "$web/.emsa/at/$last/A")"

# Masked: names and sizes of the past, no secrets, and no text that has one.
ends "a secret of the past" 1 "permission denied" cat "$work/masked/prod/web/.emsa/at/$last/PASSWORD"
is "its size" "9" "$(stat -c %s "$work/masked/prod/web/.emsa/at/$last/PASSWORD")"
is "a plain value" "22" "$(cat "$work/masked/prod/web/.emsa/at/$last/A")"
for form in env json; do
    ends "a text with a secret" 1 "permission denied" cat "$work/masked/prod/web/.emsa/$form"
    is "shows no size" "0" "$(stat -c %s "$work/masked/prod/web/.emsa/$form")"
done
is "a text without" "A=4" "$(cat "$work/masked/dev/web/.emsa/env")"

# Too much for one text.
head -c 1000000 /dev/zero | tr '\0' x >"$work/large"
for number in 1 2 3 4 5; do holds "large $number" emsa set "dev/large/K$number" --file "$work/large" --new; done
ends "too large" 1 "file too large" cat "$work/env/dev/large/.emsa/env"
is "shows no size" "0" "$(stat -c %s "$work/env/dev/large/.emsa/env")"
holds "one less" emsa rm dev/large/K5
is "is as large as it says" "$(stat -c %s "$work/env/dev/large/.emsa/env")" "$(wc -c <"$work/env/dev/large/.emsa/env" | xargs)"
cat "$work/env/dev/large/.emsa/env" >"$work/cat"
is "and whole" "$(for number in 1 2 3 4; do echo "K$number=$(cat "$work/large")"; done | md5sum)" "$(md5sum <"$work/cat")"

# A service that goes and comes: its past is there by the root and the environment, and who stands in it stays.
cd "$web/.emsa/at/$last"
holds "the service goes" emsa service rm prod/web --all
is "who stands in it" "22" "$(cat A)"
is "by the environment" "22" "$(cat "$work/env/prod/.emsa/at/$last/web/A")"
ends "it has no hidden directory any more" 1 "no such file" cat "$web/.emsa/rev"
holds "it comes again" emsa set prod/web NEW=1 --new
is "its past is there again" "22" "$(cat "$web/.emsa/at/$last/A")"
is "and its present" "NEW=1" "$(cat "$web/.emsa/env")"
is "who stands in it still" "22" "$(cat A)"
cd /
finish
