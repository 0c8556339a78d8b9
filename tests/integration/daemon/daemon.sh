#!/bin/bash
# Starting emsad and hearing that it is ready; to be sourced after tests/support/lib.sh.
# shellcheck disable=SC2034 # names are read by the scripts that source this
set -euo pipefail
: "${work:?tests/support/lib.sh makes it}" "${root:?}"
mkfifo "$work/ready"
daemon=""

# begin OPTION...: starts emsad; $said is what it said through --ready-fd
begin() {
    emsad "$@" --ready-fd 9 9>"$work/ready" 2>"$work/log" &
    daemon=$!
    said=$(cat "$work/ready")
}

# over [SIGNAL]: has it end, and sets $code
over() {
    [ $# = 0 ] || kill "-$1" "$daemon"
    code=0
    wait "$daemon" || code=$?
    ! grep -q Sanitizer "$work/log" || fault "a sanitizer spoke: $(grep -m 3 -A 12 Sanitizer "$work/log")"
}

# call METHOD [PARAMETERS]: one call at the store's socket; prints the reply
call() {
    /usr/bin/python3 "$root/tests/integration/daemon/call.py" "${socket:-$EMSA_STORE/socket}" "$@"
}

# process NAME: the pid of supervisor, server or notifier; waits for one that is being started
process() {
    local pid=0
    while [ "$pid" = 0 ]; do
        pid=$(call Status | json processes "$1")
    done
    echo "$pid"
}

# restarts NAME: one of the figures of what was replaced
restarts() {
    call Status | json restarts "$1"
}

# in_status PID FIELD: one line of /proc/PID/status, its blanks made single
in_status() {
    awk -v field="$2:" '$1 == field { $1 = ""; sub(/^ /, ""); print }' "/proc/$1/status"
}

# A store with something plain and something secret in it.
fill() {
    emsa init >/dev/null
    emsa env add prod >/dev/null
    emsa set prod/web PORT=8080 >/dev/null
    printf 'hidden words' >"$work/password"
    emsa set prod/web --secret-file "PASSWORD=$work/password" >/dev/null
}
