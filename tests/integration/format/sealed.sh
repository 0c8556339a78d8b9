#!/bin/bash
# Sealed texts made and opened by a program that knows store/FORMAT.md only (emsa_sealed.py): the store takes what it
# seals, and it opens what the command sealed.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

other() {
    /usr/bin/python3 -B "$here/emsa_sealed.py" "$@"
}

holds "a store" emsa init
holds "an environment" emsa env add prod
holds "a service" emsa service add prod/billing prod/web
holds "a later key" emsa rotate keys prod/billing
cp -r "$EMSA_STORE" "$work/copy"

head -c 5000 /dev/urandom | base64 >"$work/large"
cat >"$work/sheet.yaml" <<EOF
environments:
  prod:
    services:
      billing:
        keys:
          PASSWORD: !sealed $(printf 'sealed elsewhere' | other seal "$work/copy" prod/billing/PASSWORD)
          EMPTY: !sealed $(other seal "$work/copy" prod/billing/EMPTY </dev/null)
          LARGE: !sealed $(other seal "$work/copy" prod/billing/LARGE <"$work/large")
EOF
holds "what was sealed elsewhere" emsa apply "$work/sheet.yaml"
is "a value" "sealed elsewhere" "$(emsa get --reveal prod/billing/PASSWORD)"
is "an empty one" "" "$(emsa get --reveal prod/billing/EMPTY)"
emsa get --reveal prod/billing/LARGE >"$work/found"
same "a large one" "$work/large" "$work/found"
was=$(revision)
holds "the same again" emsa apply "$work/sheet.yaml"
is "changes nothing" "$was" "$(revision)"

text=$(printf 'sealed here' | emsa seal prod/web/TOKEN -)
is "and the other way round" "prod/web/TOKEN sealed here" \
    "$(other open "$work/copy" "$EMSA_STORE.identity" <<<"$text" | sed 's/ [0-9a-f]\{64\} / /')"
holds "which is set" emsa set prod/web/TOKEN --sealed "$text"
holds "all of it is sound" emsa verify
cp -r "$EMSA_STORE" "$work/after"
# and what was signed of it is what is in it
is "as the reader sees it" "prod/web/TOKEN=sealed here" \
    "$(/usr/bin/python3 -B "$here/emsa_reader.py" "$work/after" --identity "$EMSA_STORE.identity" prod/web/TOKEN)"
finish
