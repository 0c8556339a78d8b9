#!/bin/bash
# Other identities than the administrator's, and a copy of the store for each; to be sourced after tests/support/lib.sh.
set -euo pipefail
: "${work:?tests/support/lib.sh makes it}"

# identity NAME: a new one, in $work/NAME.identity; prints its public text
identity() {
    emsa identity new "$1" --out "$work/$1.identity" >/dev/null
    emsa identity export --public "$work/$1.identity"
}

# copy: the store as it is now, for others
copy() {
    rm -rf "$work/copy" "$work/copy.pin"
    cp -r "$EMSA_STORE" "$work/copy"
}

# as_identity NAME COMMAND...: in the copy, with that identity alone
as_identity() {
    local name=$1
    shift
    EMSA_STORE=$work/copy EMSA_IDENTITY=$work/$name.identity "$@"
}

# opens WHAT VALUE NAME KEY
opens() {
    is "$1" "$2" "$(as_identity "$3" emsa get --reveal "$4" 2>&1)"
}

# no_key WHAT NAME KEY
no_key() {
    checks=$((checks + 1))
    as_identity "$2" emsa get --reveal "$3" >"$work/out" 2>"$work/err" && fault "$1: it was opened"
    grep -q "cannot be opened here" "$work/err" || fault "$1: $(cat "$work/err")"
}
