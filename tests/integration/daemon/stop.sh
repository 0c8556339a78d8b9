#!/bin/bash
# An end in the middle of a stream of commits, of readers and of watchers: at once, and nobody is left, not
# the notifier either, which may wait in the kernel for an answer of a server that has ended.
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

longest=0
for ((round = 1; round <= rounds; round++)); do
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
    before=$(date +%s%N)
    over TERM
    took=$((($(date +%s%N) - before) / 1000000))
    ((took <= longest)) || longest=$took
    is "the end of round $round" 0 "$code"
    is "nobody is left after round $round" "" "$(pgrep emsad || true)"
    is "nobody was ended by force in round $round" "" "$(grep 'by force' "$work/log" || true)"
    kill "${readers[@]}"
    wait "${readers[@]}" "$commits" 2>/dev/null || true
    exec 8<&-
done
echo "$rounds ends, the longest took $longest ms"
finish
