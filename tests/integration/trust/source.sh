#!/bin/bash
# A source of the log that lies (a compromised etcd): it holds commits, operations, sealed values and signed requests, gives its
# receiver what it likes, with every hash and the head made right, and can do all that with LMDB's own tools. What it holds tells no
# secret. The receiver makes all the rest itself (verify --rebuild), has its pin and nothing else, and takes what the authors did, only.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
command -v mdb_dump >/dev/null || skip "LMDB's own tools (lmdb-utils) are not here"
secret='Kx9#production-password' other='Zw4!another-production-token'

emsa init >/dev/null
emsa env add prod --protected --signed >/dev/null
emsa set prod/web PORT=8080 --new --override lock -m "first" >/dev/null
printf '%s' "$secret" | emsa set prod/web/PASSWORD - --raw --secret --override lock -m "a password" >/dev/null
emsa identity new mallory --out "$work/mallory" >/dev/null
cp -r "$EMSA_STORE" "$work/seen"
cp "$EMSA_STORE.pin" "$work/seen.pin"
printf '%s' "$other" | emsa set prod/web/TOKEN - --raw --secret --override lock -m "a token" >/dev/null
emsa set prod/web PORT=9090 --override lock -m "another port" >/dev/null
cp -r "$EMSA_STORE" "$work/truth"

# given FROM [EDIT...]: the receiver, whose pin is that of what it has seen, with the log of the store FROM, after each edit (words)
given() {
    local from=$1 edit
    shift
    rm -rf "$work/there" "$work/there.pin"
    cp -r "$work/seen" "$work/there"
    cp "$work/seen.pin" "$work/there.pin"
    mdb_dump -a "$from" | /usr/bin/python3 -B "$here/attacker.py" truth >"$work/dump"
    for edit in "$@"; do
        # shellcheck disable=SC2086 # words
        /usr/bin/python3 -B "$here/attacker.py" $edit <"$work/dump" >"$work/edited" || fault "no edit: $edit"
        mv "$work/edited" "$work/dump"
    done
    rm "$work/there/data.mdb" "$work/there/lock.mdb"
    mdb_load -f "$work/dump" "$work/there"
    chmod 600 "$work/there"/*
    cp "$work/there/data.mdb" "$work/given.mdb"
}

there() {
    env EMSA_IDENTITY="$EMSA_STORE.identity" emsa --store "$work/there" "$@"
}

# refused WHAT MESSAGE: what was given is not taken, and told of; nothing of it is served
refused() {
    ends "$1" 6 "$2" there verify --rebuild
    holds "$1: nothing changed" cmp "$work/given.mdb" "$work/there/data.mdb"
    ends "$1: nothing is served" 6 "" there get prod/web/PORT
}

# Reading: what it holds, in each form that one looks for.
given "$work/truth"
for form in "$secret" "$other" "$(printf '%s' "$secret" | base64)" "$(printf '%s' "$secret" | hex)" "${secret:4:14}"; do
    is "'$form' is not in it" "" "$(grep -laF -- "$form" "$work/dump" "$work/there/data.mdb" || true)"
    is "nor as LMDB's tools write it" "" "$(grep -laF -- "$(printf '%s' "$form" | hex)" "$work/dump" || true)"
done
holds "the truth is taken" there verify --rebuild
is "a newer commit" 9090 "$(there get prod/web/PORT)"
is "and its secrets" "$other" "$(there get prod/web/TOKEN --reveal)"

# Forging: the newest commit, which the receiver has not seen yet.
given "$work/truth" "resign $work/mallory"
refused "signed by another" "'prod' takes changes only that an identity of the store signed"
given "$work/truth" unsign
refused "signed by nobody" "'prod' takes changes only that an identity of the store signed"
given "$work/truth" "value 9090 6666"
refused "another value" "its value does not match its hash"
given "$work/truth" "author port p0rt"
refused "another reason" "what was signed has another reason"
given "$work/truth" "grant user:mallory"
holds "a right that is in no log" there verify --rebuild
is "is not there" "" "$(there grants prod | grep mallory || true)"

# Swapping, dropping, holding back.
given "$work/truth" secrets
refused "a secret in the place of another" "does not match its hash"
given "$work/truth" reorder
refused "one commit before the other" "its parent is not commit"
given "$work/truth" "drop commit"
refused "a commit less" "the commits that follow one another have 16 there"
given "$work/truth" "drop log"
refused "an operation less" "operation 0 is not there"
given "$work/truth" "drop value"
refused "a value less" "the value of operation 0 is not there"
given "$work/truth" "drop signed"
refused "a signed request less" "the request that was signed is not there"

# Rolling back, and telling two receivers two stories: what was seen was pinned.
given "$work/seen"
cp "$EMSA_STORE.pin" "$work/there.pin"
refused "an older head" "an older head"
rm -rf "$work/fork" "$work/fork.pin"
cp -r "$work/seen" "$work/fork"
cp "$work/seen.pin" "$work/fork.pin"
for i in 1 2; do
    env EMSA_IDENTITY="$EMSA_STORE.identity" emsa --store "$work/fork" set prod/web PORT=$i --override lock -m "elsewhere" >/dev/null
done
given "$work/fork"
holds "the other story, to who has seen neither" there verify --rebuild
given "$work/fork"
cp "$EMSA_STORE.pin" "$work/there.pin"
refused "a second head" "a second head"

# Who wrote a commit and when is the word of the server that it was made by; whose change it is, and whether, is the signature's.
given "$work/truth" "author root r00t"
holds "another name beside the signature" there verify --rebuild
is "says who signed" 1 "$(there log -n 1 prod | grep -c "r00t.*signed by")"
# And where signatures are not required, a commit by nobody is taken, and says so.
emsa env add dev >/dev/null
emsa set dev/web PORT=1 --new >/dev/null
given "$EMSA_STORE" unsign
holds "of a place that requires no signature" there verify --rebuild
is "says that it has none" 1 "$(there log -n 1 dev | grep -c unsigned)"
finish
