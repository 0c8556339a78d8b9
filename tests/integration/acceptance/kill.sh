#!/bin/bash
# kill -9 of the server, again and again, under readers and somebody who commits: no reader sees an error, no commit
# fails, no acknowledged one is lost, nothing is damaged. Once where the kernel sends again what a dead server had in
# its hands, once where that is found in the shared memory. And kill -9 of the command in the middle of its work.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"

kills=$((${EMSA_TEST_KILLS:-500} / scale))
seed=${EMSA_TEST_SEED:-$((RANDOM * 32768 + RANDOM + 1))}
echo "seed $seed"
holds "init" emsa init
holds "env add" emsa env add prod
values=()
for n in $(seq 20); do values+=("KEY$n=value-$n"); done
holds "keys" emsa set prod/web "${values[@]}"
printf 'secret of web' >"$work/value"
holds "a secret" emsa set prod/web --secret-file "PASSWORD=$work/value"
mkdir "$work/env"
for option in "" --replay; do
    # shellcheck disable=SC2086 # none is no argument
    begin $option --mount "$work/env"
    is "ready" "ready" "$said"
    holds "readers and commits over $kills kills ($option)" "$EMSA_BIN/killed" "$work/env/prod/web" "$work/value" \
        "$kills" "$seed"
    cat "$work/out"
    echo "longest time without a server: $(($(emsa status --json | json restarts longest_pause) / 1000)) us"
    is "the last server saw no error" 0 "$(emsa status --json | json errors)"
    is "none refused a request" 0 "$(emsa status --json | json restarts requests_refused)"
    holds "verify" emsa verify
    # shellcheck disable=SC2119 # as it is asked to
    over TERM
    is "its end" 0 "$code"
done
holds "verify, without a server" emsa verify

# The command itself, without a server, at any moment of a commit.
acknowledged=0
for n in $(seq $((100 / scale))); do
    emsa set prod/web "COUNT=$n" >/dev/null &
    writer=$!
    # Somewhere in its work: as many turns as the round has, not a time.
    for ((turn = 0; turn < n * 50; turn++)); do :; done
    kill -9 "$writer" 2>/dev/null || true
    if wait "$writer" 2>/dev/null; then acknowledged=$n; fi
    found=$(emsa get prod/web/COUNT 2>/dev/null || echo 0)
    checks=$((checks + 1))
    [ "$found" -ge "$acknowledged" ] || fault "an acknowledged commit is lost: $found, acknowledged was $acknowledged"
done
holds "verify after all of it" emsa verify
finish
