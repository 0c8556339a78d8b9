#!/bin/bash
# A server that has read and given 1,000 secrets, by every door there is: none of them is anywhere but in its locked
# memory.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$(dirname "$0")/../daemon/daemon.sh"

count=$((1000 / scale))
# Made here and now, so that nothing else on this machine can hold one; all begin alike, to be found at once.
word=zq$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')x
/usr/bin/python3 -c 'import secrets, sys
for n in range(int(sys.argv[2])):
    print(sys.argv[1] + secrets.token_hex(24))' "$word" "$count" >"$work/texts"

# nowhere WHAT FILE...: none of the files holds one, in UTF-8, in hexadecimal or in base64's letters
nowhere() {
    local what=$1
    shift
    checks=$((checks + 1))
    if [ "$(cat -- "$@" 2>/dev/null | grep -a -c -- "$word")" != 0 ]; then
        fault "$what: a secret is in one of: $*: $(grep -a -l -- "$word" "$@" | head -n 3)"
    fi
}

emsa init >/dev/null
emsa env add prod >/dev/null
/usr/bin/python3 -c 'import json, sys
print(json.dumps({"K%d" % n: text.strip() for n, text in enumerate(open(sys.argv[1]))}))' "$work/texts" >"$work/all.json"
keys=()
for ((n = 0; n < count; n++)); do keys+=(--secret "K$n"); done

mkdir "$work/env"
begin --mount "$work/env" --metrics "unix:$work/metrics"
is "it is ready" ready "$said"
holds "import them" emsa import prod/web "$work/all.json" --format json "${keys[@]}"
rm "$work/all.json"
emsa set prod/web PLAIN=visible -m "nothing hidden" >/dev/null
printf %s "url \${K1}" | emsa set --template prod/web/T - >/dev/null 2>&1 || emsa set prod/web 'T=u' >/dev/null

# Every door
for ((n = 0; n < count; n++)); do cat "$work/env/prod/web/K$n"; done >"$work/read"
is "all are read through the mount" "$count" "$(grep -o "$word" "$work/read" | wc -l)"
cat "$work/env/prod/web/.emsa/json" "$work/env/prod/web/.emsa/env" >"$work/read"
dd if="$work/env/prod/web/K2" bs=7 status=none >"$work/read"
/usr/bin/python3 -c 'import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
mmap.mmap(fd, 0, mmap.MAP_PRIVATE, mmap.PROT_READ)[:]' "$work/env/prod/web/K3"
for words in "get prod/web/K4 --reveal" "export prod/web --reveal" "export prod/web --reveal --format json" \
    "export --format yaml --reveal" "exec prod/web -- env" "explain prod/web/T" \
    "cp prod/web/K5 prod/web/COPY" "mv prod/web/K6 prod/web/MOVED" "rollback prod/web/K7 --to 3 --with-secrets"; do
    # shellcheck disable=SC2086 # several words
    holds "emsa $words" emsa $words
done
rm "$work/read" "$work/out" "$work/err"
for words in "log" "show 3" "ls prod/web" "tree" "status" "verify" "doctor" "check" "blame prod/web" "log prod/web/K1 --json" \
    "export prod/web" "get prod/web/K4" "set prod/web/K1" "diff prod/web@3 prod/web" "find K1" "refs prod/web/K1"; do
    # shellcheck disable=SC2086 # several words
    emsa $words >"$work/said" 2>&1 || true
    nowhere "emsa $words" "$work/said"
done
# Refused, and told of
printf '%s' "$(head -n 9 "$work/texts" | tail -n 1)" | emsa set --secret prod/web/none/too/deep - >"$work/said" 2>&1 || true
nowhere "a message about a wrong place" "$work/said"
setpriv --reuid 65534 --regid 65534 --clear-groups "$EMSA_BIN/emsa" get prod/web/K1 --reveal >"$work/said" 2>&1 || true
nowhere "what one who may not is told" "$work/said"

mapfile -t store_files < <(find "$EMSA_STORE" "$EMSA_STORE.identity" -type f)
nowhere "the files of the store, what is refused among them" "${store_files[@]}"
nowhere "the log" "$work/log"
mapfile -t processes < <(pgrep emsad)
is "supervisor, server, notifier, audit, metrics" 5 "${#processes[@]}"
for pid in "${processes[@]}"; do
    nowhere "arguments, environment and name of process $pid" "/proc/$pid/cmdline" "/proc/$pid/environ" "/proc/$pid/comm"
done

server=$(process server)
# Another user, and the same user without rights over it
for file in mem environ maps; do
    checks=$((checks + 1))
    ! setpriv --reuid 65534 --regid 65534 --clear-groups cat "/proc/$server/$file" >/dev/null 2>&1 ||
        fault "anybody reads /proc/PID/$file of the server"
    checks=$((checks + 1))
    ! setpriv --bounding-set -all --inh-caps -all cat "/proc/$server/$file" >/dev/null 2>&1 ||
        [ "$file" = maps ] || fault "the server's own user, without capabilities, reads /proc/PID/$file of it"
done

# (A sanitizer's shadow is terabytes of address space, and its mlock does nothing.)
if [ -z "${EMSA_SANITIZED:-}" ]; then
    for pid in "${processes[@]}"; do
        checks=$((checks + 1))
        if ! /usr/bin/python3 "$here/scan.py" "$pid" "$work/texts" >"$work/out" 2>"$work/err"; then
            fault "process $pid ($(cat "/proc/$pid/comm")) has secrets outside of locked memory: $(head -n 5 "$work/out") ($(paste -sd ' ' "$work/err"))"
        fi
    done
    mkfifo "$work/lasts" "$work/held"
    # The sensitivity of the search: a process that holds one is found.
    /usr/bin/python3 -c 'import sys
held = open(sys.argv[1]).readline()
print("held", flush=True)
sys.stdin.read()' "$work/texts" <"$work/lasts" >"$work/held" &
    holder=$!
    exec 8>"$work/lasts" # until this is closed
    is "it holds one" held "$(head -n 1 "$work/held")"
    ends "one that holds a secret is found" 1 "elsewhere" /usr/bin/python3 "$here/scan.py" "$holder" "$work/texts"
    exec 8>&-
    wait "$holder"
    mkdir "$work/cores"
    gcore -o "$work/cores/core" "$server" >"$work/out" 2>&1 || true
    mapfile -t cores < <(find "$work/cores" -type f)
    [ ${#cores[@]} = 0 ] || nowhere "a core that root made by ptrace" "${cores[@]}"
    rm -rf "$work/cores"
fi

# A core that the kernel makes, where this machine has it written to a file: there is none
is "the limit of cores" 0 "$(awk '/Max core file size/ { print $5 }' "/proc/$server/limits")"
prlimit --pid "$server" --core=unlimited:unlimited 2>/dev/null || true
touch "$work/before"
kill -ABRT "$server"
gone "$server"
is "no core after SIGABRT" "" "$(find "$work" "$EMSA_STORE" / -maxdepth 1 -name 'core*' -newer "$work/before" -type f)"
is "and the next server gives them" "$(head -n 2 "$work/texts" | tail -n 1)" "$(cat "$work/env/prod/web/K1")"
nowhere "the log, at the end" "$work/log"
over TERM
is "it ended well" 0 "$code"
finish
