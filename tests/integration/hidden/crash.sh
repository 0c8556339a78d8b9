#!/bin/bash
# The server is killed again and again: whoever stands in the past, holds a directory of it, or has read half of a text, goes on in
# it, and `diff -r` of two revisions says what it said. KILLS widens it.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
kills=$((${KILLS:-20} / scale + 3))
holds "init" emsa init
holds "env add" emsa env add prod
# values WORD SERVICE: forty assignments, into the array of that name
values() {
    values=()
    for key in $(seq 40); do values+=("K$key=$1-$2-$key"); done
}

for service in a b c d e f; do
    values old "$service"
    holds "service $service" emsa set "prod/$service" "${values[@]}" --new
    printf 'old secret' | holds "secret of $service" emsa set --secret "prod/$service/SECRET" - --raw
done
before=$(revision)
for service in a b c d e f; do
    values new "$service"
    holds "another $service" emsa set "prod/$service" "${values[@]}"
    printf 'new secret' | holds "secret of $service" emsa set "prod/$service/SECRET" - --raw --secret
done
after=$(revision)
mounted "$work/env"
holds "$kills kills" /usr/bin/python3 -B "$here/crash.py" "$work/env" "$before" "$after" "$kills"
cat "$work/out"
finish
