#!/bin/bash
# To be sourced after tests/support/lib.sh, whose names these are.
set -euo pipefail
: "${work:?a folder, from tests/support/lib.sh}"

# told WHAT WORDS FILE: the file, which a command before has left, has these words (a basic regular expression)
told() {
    checks=$((checks + 1))
    grep -q -- "$2" "$3" || fault "$1: nothing like '$2' in: $(head -c 400 "$3")"
}

# refuses WHAT CODE WORDS COMMAND...: as 'ends', and the store stays at its revision
refuses() {
    local before
    before=$(revision)
    ends "$@"
    is "$1: nothing is changed" "$before" "$(revision)"
}

# secret PLACE VALUE [OPTION...]: sets a secret
secret() {
    local place=$1 value=$2
    shift 2
    printf %s "$value" | emsa set --secret "$place" - "$@" >"$work/out" 2>"$work/err"
}

# served: from here on a server does it
served() {
    is "no server ran" "False" "$(emsa status --json | json server)"
    mounted "$work/env"
    is "a server runs" "True" "$(emsa status --json | json server)"
}
