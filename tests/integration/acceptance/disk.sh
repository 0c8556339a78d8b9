#!/bin/bash
# A disk that does not answer: see disk.py. The store lies on ext4 on a loop device on a file system of our own
# (slow_disk), whose process we stop. EMSA_TEST_HANG seconds at least; 0 is as long as it takes to show it.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

PATH=$PATH:/usr/sbin:/sbin
mkdir "$work/host" "$work/disk"
mkfifo "$work/said"
slow_disk "$work/host" 256 >"$work/said" &
disk=$!
read -r said <"$work/said" || true
is "a disk" ready "${said:-}"
mkfs.ext4 -q -F "$work/host/disk"
mount -o loop "$work/host/disk" "$work/disk" 2>"$work/err" || skip "no loop device: $(cat "$work/err")"

export EMSA_STORE=$work/disk/store
holds "init" emsa init
holds "env add" emsa env add prod
for n in $(seq 20); do
    printf 'value-%s' "$n" >"$work/value"
    emsa set "prod/web/KEY$n" --file "$work/value" >/dev/null
done
printf 'secret of web' >"$work/value"
emsa set prod/web --secret-file "PASSWORD=$work/value" COUNTER=1 OTHER=1 >/dev/null
mounted "$work/env"

code=0
timeout -k 1 $((150 + 4 * ${EMSA_TEST_HANG:-0})) /usr/bin/python3 "$here/disk.py" "$work/env/prod/web" "$EMSA_STORE" \
    "$disk" "${EMSA_TEST_HANG:-0}" || code=$?
kill -CONT "$disk"
is "readers, commits and a disk that stands still" 0 "$code"
is "no request ended with an error" 0 "$(emsa status --json | json errors)"
holds "verify" emsa verify
stop_server
holds "verify, without a server" emsa verify
umount "$work/disk"
finish
