#!/bin/bash
# An end in the middle of a stream of commits and of readers, as asked or by the death of both supervisor and server: at once, and
# nobody is left, not the notifier either, which may wait in the kernel for an answer that nobody will give.
# shellcheck disable=SC2119 # begin may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
rounds=${EMSA_TEST_STOPS:-6}
fill
holds "a key that counts" emsa set prod/web N=0
mkdir "$work/env"
mkfifo "$work/marks"
readers=()

# look: names and values, until there are none any more
look() {
    while :; do
        cat "$work/env/prod/web/N" || true
        ls -l "$work/env/prod/web" || true
        stat "$work/env/prod/web/NEW$RANDOM" || true
    done >"$work/look" 2>&1
}

# stream: commits that make and take away names, until there is nobody to ask
stream() {
    /usr/bin/python3 -c 'import pathlib, sys
sys.path.insert(0, sys.argv[1])
import varlink
connection = varlink.Connection(sys.argv[2])
number = 0
with open(sys.argv[3], "w", buffering=1) as marks:
    try:
        while True:
            number += 1
            connection.set({"prod/web/N": str(number).encode(), f"prod/web/K{number}": b"new"})
            if number == 5:
                marks.write("on the way\n")
    except (OSError, EOFError, varlink.Refused):
        pass' "$root/tests/support" "$EMSA_STORE/socket" "$work/marks"
}

# busy: a daemon with all of that; quiet: the end of it
busy() {
    begin --mount "$work/env"
    is "ready" "ready" "$said"
    stream &
    commits=$!
    readers=()
    for _ in 1 2; do
        look &
        readers+=($!)
    done
    exec 8<"$work/marks"
    read -r _ <&8
}
quiet() {
    kill "${readers[@]}"
    wait "${readers[@]}" "$commits" 2>/dev/null || true
    exec 8<&-
}

longest=0
for ((round = 1; round <= rounds; round++)); do
    busy
    before=$(date +%s%N)
    over TERM
    took=$((($(date +%s%N) - before) / 1000000))
    ((took <= longest)) || longest=$took
    is "the end of round $round" 0 "$code"
    is "nobody is left after round $round" "" "$(pgrep emsad || true)"
    is "nobody was ended by force in round $round" "" "$(grep 'by force' "$work/log" || true)"
    quiet
done
echo "$rounds ends, the longest took $longest ms"

for ((round = 1; round <= rounds; round++)); do
    busy
    server=$(process server) notifier=$(process notifier)
    kill -9 "$daemon" "$server"
    wait "$daemon" 2>/dev/null || true
    gone "$server"
    begin --mount "$work/env"
    is "the next one begins in round $round" "ready" "$said"
    holds "the notifier before has ended in round $round" gone "$notifier" 20
    holds "its mount answers in round $round" cat "$work/env/prod/web/N"
    over TERM
    quiet
done

# A call that does not end has its five seconds, and is not taken for a server that hangs.
begin
mkfifo "$work/begun"
/usr/bin/python3 "$here/slow_call.py" "$EMSA_STORE/socket" "$work/begun" >"$work/slow" 2>&1 &
slow=$!
cat "$work/begun" >/dev/null
over TERM
wait "$slow" || true
is "an end in the middle of a call" "1 0" "$(grep -c 'did not finish in time' "$work/log") $(grep -c stuck "$work/log")"

# Held by a notifier that cannot end, the mount is not dead, and nobody answers there: the next start ends it.
busy
server=$(process server) notifier=$(process notifier)
kill -STOP "$notifier"
kill -9 "$daemon" "$server"
wait "$daemon" 2>/dev/null || true
gone "$server"
begin --mount "$work/env"
is "the next one begins where a mount was silent" "ready" "$said"
is "and says so" 1 "$(grep -c 'kept its readers waiting' "$work/log")"
holds "its mount answers" cat "$work/env/prod/web/N"
kill -9 "$notifier"
over TERM
quiet
finish
