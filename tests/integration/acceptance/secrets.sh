#!/bin/bash
# Where a secret must not be: in any file of the store, in a core of the server, in its arguments or
# environment, in a page of the cache after others have read it every way there is.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

# Made here and now, so that nothing else on this machine can hold it.
secret=emsaprobe$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf %s "$secret" >"$work/probe"
for _ in $(seq 400); do printf '%s\n' "$secret"; done >"$work/long-probe"

# nowhere WHAT FILE...: none of the files holds the secret, in UTF-8 or UTF-16
nowhere() {
    local what=$1
    shift
    checks=$((checks + 1))
    # counted, not just looked for: a search that stops early would break the pipe and look like a failure
    if [ "$(cat -- "$@" | strings -a | grep -c "${secret:0:24}")" != 0 ] ||
        [ "$(cat -- "$@" | strings -a -el | grep -c "${secret:0:24}")" != 0 ]; then
        fault "$what: the secret is in one of: $*"
    fi
}

holds "init" emsa init
holds "env add" emsa env add prod
holds "set from a pipe" bash -c "emsa set --secret prod/web/PROBE - <'$work/probe'"
holds "set from a file" emsa set prod/web --secret-file "LONG=$work/long-probe"
holds "set it anew" emsa set prod/web --secret-file "LONG=$work/probe"
holds "and back" emsa set prod/web --secret-file "LONG=$work/long-probe"
holds "a commit with a reason" emsa set prod/web PLAIN=visibleprobe -m "no secret here"
mounted "$work/env"
same "it can be read" "$work/probe" "$work/env/prod/web/PROBE"
same "the long one too" "$work/long-probe" "$work/env/prod/web/LONG"
ends "get without --reveal" 4 "reveal" emsa get prod/web/PROBE
for words in "log" "show 3" "ls prod/web" "tree" "status" "log prod/web/PROBE --json" "verify"; do
    # shellcheck disable=SC2086 # several words
    emsa $words >"$work/said" 2>&1 || fault "emsa $words ended with $?"
    nowhere "emsa $words" "$work/said"
done
ends "a secret among the arguments is refused" 4 "arguments" emsa set --secret prod/web/PROBE "KEY=other"

# The sensitivity of the search itself: what is plain is found by it.
checks=$((checks + 1))
[ "$(find "$EMSA_STORE" -type f -exec cat {} + | strings -a | grep -c visibleprobe)" != 0 ] || fault "the search finds nothing"
mapfile -t store_files < <(find "$EMSA_STORE" "$EMSA_STORE.identity" -type f)
nowhere "the files of the store" "${store_files[@]}"

for pid in $(pgrep -x emsad); do
    nowhere "arguments and environment of process $pid" "/proc/$pid/cmdline" "/proc/$pid/environ"
done
server=$(server_pid)
is "there is one server" 1 "$(wc -w <<<"$server")"
is "the server may leave no core" 0 "$(awk '/Max core file size/ { print $5 }' "/proc/$server/limits")"
# (A sanitizer's shadow is terabytes of address space, and its mlock does nothing.)
if [ -z "${EMSA_SANITIZED:-}" ]; then
    mkdir "$work/cores"
    gcore -o "$work/cores/core" "$server" >"$work/out" 2>&1 || true
    mapfile -t cores < <(find "$work/cores" -type f)
    [ ${#cores[@]} = 0 ] || nowhere "a core made by gcore" "${cores[@]}"
    is "locked memory is in use" yes "$(awk '/^VmLck/ { print ($2 > 0 ? "yes" : "no") }' "/proc/$server/status")"
fi
nobody_reads() { setpriv --reuid 65534 --regid 65534 --clear-groups cat "/proc/$server/mem"; }
checks=$((checks + 1))
if nobody_reads >/dev/null 2>&1; then fault "anybody reads the server's memory"; fi
kill -ABRT "$server"
gone "$server"
is "no core after SIGABRT" "" "$(find "$work" "$EMSA_STORE" / -maxdepth 1 -name 'core*' -newer "$work/probe" -type f)"
same "and the secret is read from the next server" "$work/probe" <(cat "$work/env/prod/web/PROBE")

# Page by page: what is left of a secret in the cache after others have read it and gone.
for key in PROBE LONG; do
    holds "no page is left of $key" /usr/bin/python3 "$here/pages.py" "$work/env/prod/web/$key"
done
holds "verify" emsa verify
nowhere "the files of the store, at the end" "${store_files[@]}"
finish
