#!/bin/bash
# kill -9 of the server, again and again, under readers and a writer: no reader sees an error, no acknowledged
# commit is lost, nothing is damaged. And kill -9 of the command in the middle of its work.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

rounds=$((200 / scale))
holds "init" emsa init
holds "env add" emsa env add prod
for n in $(seq 20); do
    printf 'value-%s' "$n" >"$work/value"
    emsa set "prod/web/KEY$n" --file "$work/value" >/dev/null
done
printf 'secret of web' >"$work/value"
emsa set prod/web --secret-file "PASSWORD=$work/value" >/dev/null
mounted "$work/env"

holds "readers and a writer over $rounds kills" /usr/bin/python3 "$here/kill.py" "$work/env/prod" \
    "$EMSA_STORE/socket" "$rounds"
cat "$work/out"
holds "verify" emsa verify
stop_server
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
