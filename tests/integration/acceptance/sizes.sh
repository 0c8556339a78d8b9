#!/bin/bash
# Values of every awkward size and content, plain and secret: equal through cat, mmap, dd at odd offsets,
# emsa get, and what stat says.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

values=$work/values
mkdir "$values"
: >"$values/EMPTY"
printf x >"$values/ONE"
printf '\n' >"$values/ONE_NEWLINE"
printf 'a line' >"$values/LINE"
printf 'a line\n' >"$values/LINE_NEWLINE"
printf 'nul\0in\0side\n\xff\xfe' >"$values/BINARY"
head -c 4095 /dev/urandom >"$values/PAGE_LESS_ONE"
head -c 4096 /dev/urandom >"$values/PAGE"
head -c 4097 /dev/urandom >"$values/PAGE_AND_ONE"
head -c 131073 /dev/urandom >"$values/ODD"
head -c 1048576 /dev/urandom >"$values/LARGEST"
head -c 1048577 /dev/urandom >"$work/too-large"

holds "init" emsa init
holds "env add" emsa env add dev
for file in "$values"/*; do
    key=$(basename "$file")
    holds "set $key" emsa set "dev/sizes/$key" --file "$file"
    holds "set $key as a secret" emsa set dev/secrets --secret-file "$key=$file"
    holds "set $key from a pipe" bash -c "emsa set --raw dev/piped/$key --allow-equal -m 'the same thrice' - <'$file'"
done
ends "one byte more than the largest" 2 "1 MiB\|1048576\|too large" emsa set dev/sizes/MORE --file "$work/too-large"
mounted "$work/env"
for file in "$values"/*; do
    key=$(basename "$file")
    size=$(stat -c %s "$file")
    for service in sizes secrets piped; do
        same "cat $service/$key" "$file" <(cat "$work/env/dev/$service/$key")
        same "cat $service/$key again" "$file" "$work/env/dev/$service/$key"
        is "size of $service/$key" "$(stat -c %s "$file")" "$(stat -c %s "$work/env/dev/$service/$key")"
        same "get $service/$key" "$file" <(emsa get --reveal "dev/$service/$key")
        holds "mmap and odd offsets of $service/$key" \
            /usr/bin/python3 "$here/read_ways.py" "$file" "$work/env/dev/$service/$key"
        dd if="$work/env/dev/$service/$key" bs=$((size > 100000 ? 9973 : 97)) skip=3 of="$work/part" status=none
        same "dd of $service/$key, the first three blocks left out" <(tail -c +$((size > 100000 ? 29920 : 292)) "$file") "$work/part"
    done
done

# Many large secrets at once, where little memory may be locked: each reader has its turn.
emsa stop >/dev/null
umount -l "$work/env" 2>/dev/null || true
ulimit -l 8192
mounted "$work/env"
readers=()
for _ in $(seq 6); do
    for _ in $(seq 20); do cat "$work/env/dev/secrets/LARGEST"; done | cmp -s - <(for _ in $(seq 20); do cat "$values/LARGEST"; done) &
    readers+=($!)
done
for reader in "${readers[@]}"; do
    checks=$((checks + 1))
    wait "$reader" || fault "a reader of large secrets saw an error"
done
is "no request ended with an error" 0 "$(emsa status --json | json errors)"
holds "verify" emsa verify
finish
