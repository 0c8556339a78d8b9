#!/bin/bash
# The audit process: under load nothing is lost and nobody waits; stopped, killed, or with a full disk it is in
# nobody's way, and what was in the ring is written by the next. EMSA_TEST_READS: how many, under load.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
/usr/bin/python3 -c 'import nacl' 2>/dev/null || skip "python3-nacl is not installed"
reads=$((${EMSA_TEST_READS:-20000} / scale))
keys=200
firsts=50 # and so many that are read once, while the others are read on and on
record=$EMSA_STORE/audit
fill
words=()
for ((n = 0; n < keys; n++)); do
    printf 'secret S%d' "$n" >"$work/S$n"
    words+=(--secret-file "S$n=$work/S$n")
done
for ((n = 0; n < firsts; n++)); do
    printf 'first %d' "$n" >"$work/F$n"
    words+=(--secret-file "F$n=$work/F$n")
done
holds "secrets" emsa set prod/web "${words[@]}"
mkdir "$work/env" "$work/masked"

count() { /usr/bin/python3 "$here/audit_count.py" "$record" "$@"; }
audit_pid() { process audit; }
# written N EVENT...: until the record has so many (follow would do, but for the counts)
written() {
    local wanted=$1 found=-1
    shift
    while [ "${found% *}" != "$wanted" ]; do
        found=$(count "$@")
        [ "${found% *}" -le "$wanted" ] || break
    done
    echo "${found% *}"
}
load() { /usr/bin/python3 "$here/audit_load.py" "$work/env/prod/web" "$@"; }

begin --mount "$work/env" --mount "prod:$work/masked,masked"
is "a daemon" ready "$said"
base=$(count read door=open)
load "$reads" "$work/enough" >"$work/told" &
loader=$!
for ((n = 0; n < firsts; n++)); do
    is "while others read" "first $n" "$(cat "$work/env/prod/web/F$n")"
    ! cat "$work/masked/prod/web/S$n" 2>/dev/null || fault "a masked secret was read"
done
: >"$work/enough"
wait "$loader" || fault "under load a read failed: $(cat "$work/told")"
read -r reads longest pace <"$work/told"
is "no read is lost" $((reads + firsts)) "$(written $((reads + firsts)) read door=open)"
is "nor the first of any" $((keys + firsts)) "$(count read door=open | cut -d' ' -f2)"
is "nor a denial" "$firsts $firsts" "$(count denied door=open)"
is "before there was none" "0 0" "$base"
is "nothing was lost" "0 0" "$(count lost)"
echo "$reads reads, $pace a minute, the longest took $longest ms, $(cat "$record"/record.* | wc -l) lines"
reads=$((reads + firsts))

# Stopped: nobody waits. Then it goes on.
stopped=$(audit_pid)
kill -STOP "$stopped"
holds "reads beside one that is stopped" load 2000
holds "a commit too" emsa set prod/web PORT=1
kill -CONT "$stopped"
is "are written when it goes on" $((reads + 2000)) "$(written $((reads + 2000)) read door=open)"

# Killed: what was in the ring is the next one's.
stopped=$(audit_pid)
kill -STOP "$stopped"
holds "reads beside one that is to be killed" load 1000
kill -KILL "$stopped"
is "are written by the next" $((reads + 3000)) "$(written $((reads + 3000)) read door=open)"

# The server, killed.
kill -KILL "$(process server)"
holds "reads after the server was killed" load 1000
is "are written" $((reads + 4000)) "$(written $((reads + 4000)) read door=open)"
is "two servers began" 2 "$(count start | cut -d' ' -f1)"

# The supervisor, killed: its audit process ends with it; the server goes on, and the next one has the ring.
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true
holds "reads without a supervisor" load 1000
begin
is "the next one follows" ready "$said"
is "and writes what was read meanwhile" $((reads + 5000)) "$(written $((reads + 5000)) read door=open)"
over TERM
is "ends well" 0 "$code"
holds "it is whole" emsa audit verify
holds "says the other one" /usr/bin/python3 "$here/audit_verify.py" "$record" "$EMSA_STORE.identity"

# A full disk: a small one of the record's own. Reads and commits go on; when there is room again all is there.
mkdir "$work/small"
mount -t tmpfs -o size=64k,mode=0700 small "$work/small"
mv "$record"/* "$work/small/" 2>/dev/null || true
rm -rf "${work:?}/small"/* "${record:?}"/*
mount --move "$work/small" "$record"
emsa get --reveal prod/web/S0 >/dev/null
head -c 100000 /dev/zero >"$record/filler" 2>/dev/null || true
begin --mount "$work/env" --audit required
is "a daemon on a full disk" ready "$said"
holds "reads, though they must be audited: no disk is waited for" load 12000
holds "a commit" emsa set prod/web PORT=2
until call Status | grep -q '"failing": *28'; do :; done
holds "people are told" emsa status
grep -q "record is not written (No space left" "$work/out" || fault "status does not tell: $(cat "$work/out")"
rm "$record/filler"
mount -o remount,size=64m "$record"
is "are written when there is room" 12000 "$(written 12000 read door=open)"
is "and the commit" 1 "$(count commit method=Set | cut -d' ' -f1)"

# One that is stopped while the daemon ends is no reason to lose anything.
kill -STOP "$(audit_pid)"
holds "reads before the end" load 500
over TERM
is "ends well" 0 "$code"
is "with all written" "12500" "$(count read door=open | cut -d' ' -f1)"
holds "it is whole" emsa audit verify
umount -l "$record"
finish
