#!/bin/bash
# The identity's file goes away after the start, in the worst way: wiped first. Secrets go on to be opened.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
fill
mkdir "$work/env" "$work/credentials" "$work/programs"
cp "$EMSA_STORE.identity" "$work/kept"
cp "$EMSA_BIN/emsad" "$work/programs/first"
cp "$EMSA_BIN/emsad" "$work/programs/second"
ln -s first "$work/programs/emsad"
PATH=$work/programs:$PATH

# wiped FILE
wiped() {
    truncate -s 0 "$1"
    rm "$1"
}

# open_after WHAT: kills the server, and reads a secret that no server has read yet
open_after() {
    kill -9 "$(process server)"
    same "$1" "$work/password" "$work/env/prod/web/PASSWORD"
}

# The file.
begin --mount "$work/env"
is "ready" "ready" "$said"
wiped "$EMSA_STORE.identity"
open_after "after the server's death"
kill -9 "$daemon"
wait "$daemon" 2>/dev/null || true
begin --mount "$work/env"
is "another supervisor" "ready" "$said"
open_after "after a takeover"
ln -sfn second "$work/programs/emsad"
holds "an upgrade" emsad upgrade
is "to what its name leads to" "$work/programs/second" "$(readlink "/proc/$daemon/exe")"
open_after "after an upgrade"
is "nobody complained" "" "$(grep -i 'no identity' "$work/log" || true)"
over TERM

# A credential, in memory that goes.
mount -t tmpfs -o mode=700 own "$work/credentials"
install -m 400 "$work/kept" "$work/credentials/emsa-identity"
CREDENTIALS_DIRECTORY=$work/credentials begin --mount "$work/env"
is "with a credential" "ready" "$said"
wiped "$work/credentials/emsa-identity"
umount "$work/credentials"
open_after "a credential that is gone"
over TERM

# By another name.
install -m 400 "$work/kept" "$work/credentials/own"
CREDENTIALS_DIRECTORY=$work/credentials begin --credential own --mount "$work/env"
open_after "a credential by name"

# Gone, and no supervisor that follows asks for it; the program is the one that its name leads to now.
wiped "$work/credentials/own"
holds "an upgrade without the credential" emsad upgrade
open_after "after that"
is "the supervisor stayed" "$daemon" "$(process supervisor)"
over TERM
install -m 400 "$work/kept" "$work/credentials/own"
CREDENTIALS_DIRECTORY=$work/credentials begin --credential other
is "none of that name" "error 3 not-found" "$(cut -d' ' -f1-3 <<<"$said")"
over
begin --credential own
is "no credentials at all" "error 3 not-found" "$(cut -d' ' -f1-3 <<<"$said")"
over
CREDENTIALS_DIRECTORY=$work/credentials begin --credential ../kept
is "no name" "error 2 invalid" "$(cut -d' ' -f1-3 <<<"$said")"
over
finish
