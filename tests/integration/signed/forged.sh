#!/bin/bash
# Logs that somebody with the server's files has forged, and what is found of them; to be sourced after tests/support/lib.sh.
set -euo pipefail
: "${work:?tests/support/lib.sh makes it}" "${here:?}"
command -v mdb_dump >/dev/null || skip "LMDB's own tools (lmdb-utils) are not here"
trust=$here/../trust

# forged EDIT...: the newest commit edited by who has the files of the server, and LMDB's own tools; the pin stands before it
forged() {
    rm -rf "$EMSA_STORE.forged"
    cp -r "$EMSA_STORE" "$EMSA_STORE.forged"
    mdb_dump -a "$EMSA_STORE" | /usr/bin/python3 -B "$trust/attacker.py" "$@" >"$work/dump" || fault "no edit: $*"
    rm "$EMSA_STORE.forged/data.mdb" "$EMSA_STORE.forged/lock.mdb"
    mdb_load -f "$work/dump" "$EMSA_STORE.forged"
    chmod 600 "$EMSA_STORE.forged"/*.mdb
    cp "$work/pin" "$EMSA_STORE.forged.pin"
}

# found WHAT WORDS: verification finds that and nothing else; a rebuild refuses it, too; and Python finds it
found() {
    ends "$1" 6 "" emsa --store "$EMSA_STORE.forged" verify
    is "$1: by name" 1 "$(emsa --store "$EMSA_STORE.forged" verify 2>/dev/null | grep -cF "$2")"
    is "$1: and nothing else" 1 "$(emsa --store "$EMSA_STORE.forged" verify 2>/dev/null | grep -c '^commit ')"
    ends "$1: rebuilt" 6 "nothing was changed" emsa --store "$EMSA_STORE.forged" verify --rebuild
    ends "$1: in Python" 1 "" /usr/bin/python3 -B "$here/../format/emsa_settle.py" "$EMSA_STORE.forged" --identity "$EMSA_STORE.identity"
}

# sound WHAT: no fault in it
sound() {
    holds "$1" emsa --store "$EMSA_STORE.forged" verify
    holds "$1: in Python" /usr/bin/python3 -B "$here/../format/emsa_settle.py" "$EMSA_STORE.forged" --identity "$EMSA_STORE.identity"
}

# pinned: what is pinned is what is there now
pinned() {
    emsa verify >/dev/null
    cp "$EMSA_STORE.pin" "$work/pin"
}
