#!/bin/bash
# A full disk: a change that does not fit is refused as a whole, what is there is served, a removal still fits,
# and then there is room again.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

mkdir "$work/small"
mount -t tmpfs -o size=24m small "$work/small"
export EMSA_STORE=$work/small/store
holds "init" emsa init
holds "env add" emsa env add prod
head -c 700000 /dev/urandom >"$work/value"
mounted "$work/env"
holds "a key that ends when it is full" emsa set prod/web SOON=1 --ttl 4s
set_many() {
    local n
    for n in $(seq 200); do
        emsa set prod/web/KEY"$n" --file "$work/value" >"$work/out" 2>"$work/err" || return
        last=$n
    done
}
last=0 code=0
set_many || code=$?
is "in the end it is full" 1 "$code"
checks=$((checks + 1))
grep -qi "full\|no space\|room" "$work/err" || fault "a full disk is not called so: $(cat "$work/err")"
[ "$last" -gt 3 ] || fault "only $last values of 700,000 bytes fit into 24 MiB"
revision=$(revision)
ends "once more" 1 "full\|no space\|room" emsa set prod/web/MORE --file "$work/value"
is "nothing of it is there" "$revision" "$(revision)"
same "what is there is served" "$work/value" "$work/env/prod/web/KEY$last"
holds "verify" emsa verify
checks=$((checks + 1))
/usr/bin/python3 -c 'import os, select, sys
while os.path.exists(sys.argv[1]):
    select.select([], [], [], 0.01)' "$work/env/prod/web/SOON"
is "what ends goes all the same" 1 "$(emsa log | grep -c 'emsa (expiry')"
holds "a removal fits" emsa rm prod/web/KEY1
holds "a small value fits" emsa set prod/web SMALL=1
stop_server
holds "verify without a server" emsa verify
is "and it is all there" 1 "$(emsa get prod/web/SMALL)"
finish
