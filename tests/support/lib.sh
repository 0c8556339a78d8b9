#!/bin/bash
# What every integration script begins with: a folder and a store of its own, checks that say what they
# expected, and an end that leaves nothing. To be sourced inside tests/support/inside; CTest gives EMSA_BIN.
# shellcheck disable=SC2034 # names are read by the scripts that source this
set -euo pipefail

: "${EMSA_BIN:?the folder of the built programs}"
PATH=$EMSA_BIN:$PATH
here=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# How much less a sanitizer build has to do: loops are divided by this.
scale=${EMSA_TEST_SCALE:-1}
checks=0 faults=0

work=$(mktemp -d /tmp/emsa-test.XXXXXX)
# A memory file system of the test's own: quick, gone with the namespace, and never a full disk of others'.
mount -t tmpfs -o size=6g,mode=0711 emsa-test "$work"
export EMSA_STORE=$work/store
export XDG_RUNTIME_DIR=$work
unset EMSA_IDENTITY

at_end() {
    local code=$?
    trap - EXIT
    stop_server || code=1
    cd /
    umount -l "$work"
    rmdir "$work"
    exit "$code"
}
trap at_end EXIT

skip() {
    echo "SKIP: $*"
    exit 77
}

fault() {
    faults=$((faults + 1))
    echo "FAULT: $*"
}

# is WHAT EXPECTED FOUND
is() {
    checks=$((checks + 1))
    [ "$2" = "$3" ] || fault "$1: expected '$2', found '$3'"
}

# same WHAT FILE FILE: equal bytes
same() {
    checks=$((checks + 1))
    cmp -s -- "$2" "$3" || fault "$1: '$2' and '$3' differ: $(cmp -- "$2" "$3" 2>&1 | head -n 1)"
}

# holds WHAT COMMAND...: the command succeeds
holds() {
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" >"$work/out" 2>"$work/err" || fault "$what: '$*' ended with $?: $(head -c 400 "$work/err")"
}

# ends WHAT CODE WORDS COMMAND...: ends with that code and says these words (a basic regular expression)
ends() {
    local what=$1 code=$2 words=$3 found=0
    shift 3
    checks=$((checks + 1))
    "$@" >"$work/out" 2>"$work/err" </dev/null || found=$?
    if [ "$found" != "$code" ]; then
        fault "$what: expected exit $code, found $found: $(head -c 400 "$work/err")"
    elif [ -n "$words" ] && ! grep -qi -- "$words" "$work/out" "$work/err"; then
        fault "$what: nothing like '$words' in: $(cat "$work/out" "$work/err" | head -c 400)"
    fi
}

# hex: the bytes of standard input, in hexadecimal
hex() {
    od -An -v -t x1 | tr -d ' \n'
}

revision() {
    emsa status --json | json rev
}

# json NAME...: one member of the JSON object on standard input, followed down
json() {
    /usr/bin/python3 -c 'import json, sys
value = json.load(sys.stdin)
for name in sys.argv[1:]:
    value = value[int(name)] if isinstance(value, list) else value[name]
print(value)' "$@"
}

# mounted DIRECTORY [OPTION...]: the store's tree there
mounted() {
    local directory=$1
    shift
    mkdir -p "$directory"
    emsa mount "$@" "$directory" >/dev/null
}

supervisor_pid() {
    pgrep -o -x emsad || true
}

server_pid() {
    emsa status --json | json processes server
}

# gone PID [SECONDS]: waits until that process has ended, also where nobody has reaped it yet
gone() {
    /usr/bin/python3 -c 'import os, select, sys
try:
    process = os.pidfd_open(int(sys.argv[1]))
except ProcessLookupError:
    sys.exit(0)
patience = float(sys.argv[2]) if len(sys.argv) > 2 else None
sys.exit(0 if select.select([process], [], [], patience)[0] else 1)' "$@"
}

stop_server() {
    local pid mount_point
    while read -r mount_point; do
        emsa umount "$mount_point" >/dev/null 2>&1 || umount -l "$mount_point"
    done < <(findmnt -rn -t fuse,fuse.emsa -o TARGET | grep "^$work" || true)
    pid=$(supervisor_pid)
    [ -n "$pid" ] || return 0
    kill -TERM "$pid" 2>/dev/null || return 0 # it ends by itself when its last mount is gone
    gone "$pid" 20 || {
        echo "FAULT: emsad does not end on SIGTERM"
        return 1
    }
}

finish() {
    echo "$checks checks, $faults faults"
    [ "$faults" = 0 ] && [ "$checks" -gt 0 ] || exit 1
    exit 0
}
