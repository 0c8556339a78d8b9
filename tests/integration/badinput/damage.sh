#!/bin/bash
# A store that was damaged while nobody looked: never wrong data. verify exits 6, a read gives the right bytes
# or EIO, a truncated file or one of an unknown format is not opened.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

seed=${EMSA_TEST_SEED:-$((RANDOM * 32768 + RANDOM + 1))}
echo "seed $seed"
holds "init" emsa init
holds "env add" emsa env add prod
for n in $(seq 0 39); do
    head -c $((n * 150)) /dev/urandom | base64 -w0 >"$work/value$n"
    if ((n % 2)); then
        emsa set prod/web/KEY"$n" --file "$work/value$n" >/dev/null
    else
        emsa set prod/web --secret-file "KEY$n=$work/value$n" >/dev/null
    fi
done
holds "verify" emsa verify
cp -a "$EMSA_STORE" "$work/good"
data=$(basename "$(find "$work/good" -name data.mdb)")
is "there is a data file" data.mdb "$data"

restore() {
    stop_server || fault "the server did not end"
    rm -rf "$EMSA_STORE"
    cp -a "$work/good" "$EMSA_STORE"
}

# Truncated, at several lengths.
used=$(emsa status --json | json used_bytes)
for size in 0 100 4096 8192 $((used / 2)); do
    restore
    truncate -s "$size" "$EMSA_STORE/$data"
    ends "a file cut to $size bytes" 6 "" emsa verify
    ends "cannot be read either" 6 "" emsa get --reveal prod/web/KEY1
done
restore

# Written over while a server has it open: every verb says damage, not a full disk and not a failure of its own.
for what in zero urandom; do
    first=0
    [ $what = urandom ] || first=2 # behind the two pages of the head
    mounted "$work/env"
    dd if=/dev/$what of="$EMSA_STORE/$data" bs=4096 seek="$first" count=$((used / 4096 - 2)) conv=notrunc status=none
    ends "get after $what" 6 "" emsa get prod/web/KEY1
    ends "set after $what" 6 "" emsa set prod/web KEY1=x
    ends "rm after $what" 6 "" emsa rm prod/web/KEY1
    ends "env add after $what" 6 "" emsa env add more
    ends "ls after $what" 6 "" emsa ls prod/web
    ends "cat after $what" 1 "input/output error" cat "$work/env/prod/web/KEY1"
    umount "$work/env"
    restore
done

# flip OFFSET BIT: in data.mdb
flip() {
    /usr/bin/python3 - "$EMSA_STORE/$data" "$1" "$2" <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as data:
    data.seek(int(sys.argv[2]))
    byte = data.read(1)[0]
    data.seek(int(sys.argv[2]))
    data.write(bytes([byte ^ (1 << int(sys.argv[3]))]))
PYTHON
}

# One bit at a time, anywhere in what is used: whatever is answered is right, or is refused.
RANDOM=$((seed % 32768))
noticed=0
for _ in $(seq $((60 / scale))); do
    restore
    offset=$(((RANDOM * 32768 + RANDOM) % used))
    flip "$offset" $((RANDOM % 8))
    code=0
    emsa verify >"$work/out" 2>&1 || code=$?
    checks=$((checks + 1))
    case $code in
    0) ;; # a bit that nothing means: padding, a free page
    6) noticed=$((noticed + 1)) ;;
    *) fault "verify with the bit at $offset flipped ended with $code: $(head -c 300 "$work/out")" ;;
    esac
    for n in 1 2 17 38 39; do
        code=0
        emsa get --reveal "prod/web/KEY$n" >"$work/got" 2>"$work/err" || code=$?
        checks=$((checks + 1))
        if [ $code = 0 ]; then
            cmp -s "$work/got" "$work/value$n" || fault "wrong data of KEY$n with the bit at $offset flipped"
        elif [ $code != 6 ] && [ $code != 3 ]; then
            fault "get KEY$n with the bit at $offset flipped ended with $code: $(head -c 300 "$work/err")"
        fi
    done
done
echo "$noticed flips were noticed by verify"

# In a value's bytes, under a running server: EIO and an alarm, and the server lives.
restore
offset=$(grep -abo -F "$(head -c 60 "$work/value39")" "$EMSA_STORE/$data" | tail -n 1 | cut -d: -f1)
flip "$((offset + 20))" 3
mounted "$work/env"
ends "a flipped value in the mount" 1 "input/output error" cat "$work/env/prod/web/KEY39"
same "its neighbour is served" "$work/value38" "$work/env/prod/web/KEY38"
checks=$((checks + 1))
[ "$(emsa status --json | json alarms)" -gt 0 ] || fault "the alarm is not counted"
ends "verify through the server" 6 "" emsa verify
stop_server

# Nothing there to be damaged.
restore
ends "no store at all" 3 "init" emsa --store "$work/nothing" ls
mkdir "$work/empty"
ends "an empty directory" 3 "init" emsa --store "$work/empty" ls
finish
