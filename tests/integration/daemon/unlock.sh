#!/bin/bash
# A locked identity: plain values meanwhile, and secrets without typing once somebody opened it, or with a key file.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
fill
umask 077
mkdir "$work/env" "$work/credentials" "$work/programs"
echo 'correct horse' >"$work/phrase"
echo 'battery staple' >"$work/other"
head -c 32 /dev/urandom >"$work/key"
head -c 32 /dev/urandom >"$work/stranger"
identity=$EMSA_STORE.identity
secret=$work/env/prod/web/PASSWORD
size=$(stat -c %s "$work/password")
cp "$EMSA_BIN/emsad" "$work/programs/first"
cp "$EMSA_BIN/emsad" "$work/programs/second"
ln -s first "$work/programs/emsad"
PATH=$work/programs:$PATH

# closed WHAT: no secret, at once, and everything else
closed() {
    ends "$1: a secret" 1 "key" cat "$secret"
    is "$1: its size" 0 "$(stat -c %s "$secret")"
    holds "$1: a plain value" cat "$work/env/prod/web/PORT"
}

# opened WHAT: also its size, which the kernel had
opened() {
    same "$1" "$work/password" "$secret"
    is "$1: its size" "$size" "$(stat -c %s "$secret")"
}

holds "nobody serves it" emsa identity passphrase --new-passphrase-file "$work/phrase"
begin --mount "$work/env"
is "ready, though locked" "ready" "$said"
is "which is said" 1 "$(grep -c 'is locked: it opens with its passphrase' "$work/log")"
closed "before"
ends "a wrong passphrase" 1 "passphrase is wrong" emsa identity unlock --passphrase-file "$work/other"
closed "after a wrong one"
ends "no terminal" 2 "no terminal" setsid emsa identity unlock
holds "the right one, from a pipe" emsa identity unlock --passphrase-file - <"$work/phrase"
opened "after it"
holds "once more" emsa identity unlock --passphrase-file "$work/other"
is "is open already" "secrets can be opened already" "$(cat "$work/out")"
is "nobody says the passphrase" "" "$(grep -c 'correct horse' "$work/log" | sed 's/^0$//')"

# Nothing to type after a death, a takeover, an upgrade.
kill -9 "$(process server)"
opened "after the server's death"
kill -9 "$daemon"
wait "$daemon" 2>/dev/null || true
begin --mount "$work/env"
is "another supervisor" "ready" "$said"
kill -9 "$(process server)"
opened "after a takeover, and a death"
ln -sfn second "$work/programs/emsad"
holds "an upgrade" emsad upgrade
opened "after an upgrade"
over TERM

# But after an end.
begin --mount "$work/env"
closed "another daemon"
over TERM
ends "no server" 3 "no server runs" emsa identity unlock --passphrase-file "$work/phrase"

# The key file: named, by the environment, as a credential; one that is another's leaves it locked.
holds "a key file beside it" emsa identity passphrase --passphrase-file "$work/phrase" --add-key-file "$work/key"
begin --mount "$work/env" --identity-key "$work/key"
is "with it" "ready" "$said"
opened "with a key file"
rm "$work/key.gone" 2>/dev/null || true
mv "$work/key" "$work/key.gone"
kill -9 "$(process server)"
opened "whose file is gone"
over TERM
EMSA_IDENTITY_KEY=$work/key.gone begin --mount "$work/env"
opened "by the environment"
over TERM
install -m 400 "$work/key.gone" "$work/credentials/emsa-identity-key"
CREDENTIALS_DIRECTORY=$work/credentials begin --mount "$work/env"
opened "as a credential"
over TERM
begin --mount "$work/env" --identity-key "$work/stranger"
is "with another one" "ready" "$said"
closed "with another one"
holds "the passphrase does it" emsa identity unlock --passphrase-file "$work/phrase"
opened "after the passphrase"
over TERM
begin --identity-key "$work/nowhere"
is "none there" "error 3 not-found" "$(cut -d' ' -f1-3 <<<"$said")"
over
chmod 644 "$work/stranger"
begin --identity-key "$work/stranger"
is "one that others can read" "error 4 refused" "$(cut -d' ' -f1-3 <<<"$said")"
over

# A damaged one, and one whose cost is no cost: served without secrets, and said.
holds "the way it was" emsa identity show
cp "$identity" "$work/kept"
sed -i 's/^public emsa1./public emsa1x/' "$identity"
begin --mount "$work/env"
is "damaged" 1 "$(grep -c 'is damaged: it does not match its check' "$work/log")"
closed "damaged"
over TERM
cp "$work/kept" "$identity"
finish
