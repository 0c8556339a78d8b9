#!/bin/bash
# What is proved and read of a copied store by a program that knows store/FORMAT.md only (emsa_reader.py): the chain,
# and secrets, by way of identity, environment's key, service's key and envelope. And what it says of a store that
# somebody touched, and with keys that are not its own.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

reader() {
    /usr/bin/python3 -B "$here/emsa_reader.py" "$@"
}

# touched NAME PYTHON: a copy of the store's file whose bytes the expression made of `data`
touched() {
    cp -r "$work/copy" "$work/$1"
    /usr/bin/python3 -c 'import sys
path = sys.argv[1]
data = bytearray(open(path, "rb").read())
exec(sys.argv[2])
open(path, "wb").write(data)' "$work/$1/data.mdb" "$2"
}

holds "a store" emsa init
holds "environments" emsa env add prod dev
holds "values" emsa set prod/billing PORT=8080 HOST=db.example --new
printf 'first s3cret of prod' | emsa set prod/billing/PASSWORD - --raw --secret >/dev/null
then=$(revision)
printf 'second s3cret of prod' | emsa set prod/billing/PASSWORD - --raw --secret >/dev/null
head -c 5000 /dev/urandom | tee "$work/large" | emsa set prod/web/LARGE - --raw --secret --new >/dev/null
printf 'a token of dev' | emsa set dev/web/TOKEN - --raw --secret --new >/dev/null
holds "shared" emsa share prod/billing/PASSWORD --with web
holds "linked" emsa link prod/web/PASSWORD billing/PASSWORD
cp -r "$EMSA_STORE" "$work/copy"
identity=$EMSA_STORE.identity

is "the head" "$(emsa status --json | json head)" "$(reader "$work/copy" | sed 's/.*head is //')"
is "its number" "$(revision)" "$(reader "$work/copy" | sed 's/ commits.*//')"
is "a plain value" prod/billing/PORT=8080 "$(reader "$work/copy" --identity "$identity" prod/billing/PORT)"
is "a secret" "prod/billing/PASSWORD=second s3cret of prod" "$(reader "$work/copy" --identity "$identity" prod/billing/PASSWORD)"
is "as of then" "prod/billing/PASSWORD=first s3cret of prod" \
    "$(reader "$work/copy" --identity "$identity" --at "$then" prod/billing/PASSWORD)"
is "through a link" "prod/web/PASSWORD=second s3cret of prod" "$(reader "$work/copy" --identity "$identity" prod/web/PASSWORD)"
is "of another environment" "dev/web/TOKEN=a token of dev" "$(reader "$work/copy" --identity "$identity" dev/web/TOKEN)"
reader "$work/copy" --identity "$identity" --raw prod/web/LARGE >"$work/found"
same "a large one" "$work/large" "$work/found"
ends "what is not there" 3 "no value at" reader "$work/copy" --identity "$identity" prod/billing/NOTHING

# With the pin: that its owner wrote all of it, and nobody took anything out, of which the log says nothing either.
whole() {
    /usr/bin/python3 -B "$here/emsa_whole.py" "$@"
}
is "the seal" 1 "$(whole "$work/copy" "$EMSA_STORE.pin" | grep -c "all as they were written")"
holds "a commit" emsa set prod/billing PORT=8081
ends "of before" 6 "the pin is of another head" whole "$work/copy" "$EMSA_STORE.pin"
holds "removed" emsa rm prod/web/LARGE
cp -r "$EMSA_STORE" "$work/later"
ends "of now" 0 "all as they were written" whole "$work/later" "$EMSA_STORE.pin"
EMSA_PIN=$work/another.pin holds "another pin" emsa get prod/billing/PORT
ends "is not another's" 6 "the seal is of another pin" whole "$work/later" "$work/another.pin"

# Without the identity the chain is proved, and nothing that is secret comes out.
ends "without an identity" 0 "commits" reader "$work/copy"
holds "another store" emsa --store "$work/other" init
ends "with another's" 4 "not in the store's log" reader "$work/copy" --identity "$work/other.identity" prod/billing/PASSWORD
sed 's/^\(plain .\{10\}\)./\1x/' "$identity" >"$work/mistyped"
ends "with what is none" 4 "no identity" reader "$work/copy" --identity "$work/mistyped" prod/billing/PASSWORD

# One byte of a value, of an author, of what is sealed; a file cut short.
touched value 'data = data.replace(b"db.example", b"db.exbmple")'
ends "a value" 6 "does not match its hash" reader "$work/value"
touched reason 'data = data.replace(b"a new store", b"a gnu store")'
ends "a reason" 6 "does not match its hash" reader "$work/reason"
touched short 'del data[4096 * 5:]'
ends "a short file" 6 "past the end" reader "$work/short"
finish
