#!/bin/bash
# Another binary in the place of the one that runs, under readers and commits; and binaries that are no good.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
rounds=$((${EMSA_TEST_UPGRADES:-10} / scale))
fill
holds "a key that counts" emsa set prod/web N=0
mkdir "$work/env" "$work/programs"

# lay PROGRAM: as a package manager does, beside the old one and then in its place
lay() {
    cp "$1" "$work/programs/emsad.new"
    chmod 755 "$work/programs/emsad.new"
    mv "$work/programs/emsad.new" "$work/programs/emsad"
}

# upgraded COUNT: waits until as many upgrades have come so far that the new server answers
upgraded() {
    /usr/bin/python3 -c 'import pathlib, sys
sys.path.insert(0, sys.argv[1])
import varlink
while True:
    try:
        restarts = varlink.Connection(sys.argv[2]).call("Status")["restarts"]
    except ConnectionError:
        continue
    if restarts["upgraded"] >= int(sys.argv[3]) or restarts["upgrades_failed"] > 0:
        print(f"{restarts['"'"'last_pause'"'"'] / 1e6:.1f}")
        break' "$root/tests/support" "$EMSA_STORE/socket" "$1"
}

lay "$EMSA_BIN/emsad"
PATH=$work/programs:$PATH
begin --mount "$work/env"
is "ready" "ready" "$said"
mkfifo "$work/marks"
/usr/bin/python3 "$here/steady.py" "$work/env/prod/web" >"$work/reads" 2>&1 &
reads=$!
/usr/bin/python3 "$here/commits.py" "$EMSA_STORE/socket" prod/web $((1000 / scale)) "$work/marks" >"$work/commits" 2>&1 &
commits=$!
cat "$work/marks" >/dev/null &

for ((n = 1; n <= rounds; n++)); do
    lay "$EMSA_BIN/emsad"
    kill -USR2 "$daemon"
    upgraded "$n"
done >"$work/pauses"
is "all were made" "$rounds 0" "$(restarts upgraded) $(restarts upgrades_failed)"
echo "$rounds upgrades; pauses in ms:" \
    "$(sort -n "$work/pauses" | awk '{ all[NR] = $1 } END { print "min", all[1], "median", all[int((NR + 1) / 2)], "max", all[NR] }')"
wait "$commits" || fault "commits failed"
cat "$work/commits"

kill -9 "$(process server)"
is "another server takes the place of one on trial that was killed" 8080 "$(cat "$work/env/prod/web/PORT")"
is "and that is no other upgrade" "$rounds" "$(restarts upgraded)"

# By the command, which waits for the end of the trial; then everybody is of the new binary.
lay "$EMSA_BIN/emsad_once"
notifier=$(process notifier)
holds "upgrade" emsad upgrade
is "it says how long readers waited" 1 "$(grep -c 'upgraded: readers waited [0-9.]* ms' "$work/out")"
cat "$work/out"
is "the supervisor is the same process" "$daemon" "$(process supervisor)"
for who in supervisor server notifier; do
    holds "$who is of the new binary" cmp "/proc/$(process $who)/exe" "$EMSA_BIN/emsad_once"
done
is "the notifier is another" yes "$([ "$(process notifier)" != "$notifier" ] && echo yes)"
is "one supervisor's name" "$daemon" "$(supervisor_pid)"
kill -9 "$(process server)"
same "and replaces a server" "$work/password" "$work/env/prod/web/PASSWORD"

# Binaries that are no good: the one before goes on, with nobody the wiser but who asked.
# (Readers go on all the while.)
lay "$EMSA_BIN/emsad"
holds "back to a sound one" emsad upgrade
good=$(stat -L -c %i "/proc/$daemon/exe")
lay /bin/false
server=$(process server)
ends "one that ends at once" 1 "the one from before serves" "$EMSA_BIN/emsad" upgrade
is "has not touched the server" "$server" "$(process server)"
lay "$EMSA_BIN/emsad_once"
echo -n start >"$EMSA_STORE/fail-once"
ends "one that is never ready" 1 "the one from before serves" emsad upgrade
echo -n crash >"$EMSA_STORE/fail-once"
kill -USR2 "$daemon"
upgraded $((rounds + 3)) >/dev/null
while [ "$(restarts upgraded)" -lt $((rounds + 3)) ]; do :; done
is "one that crashes" "$((1000 / scale))" "$(setpriv --regid 4242 --clear-groups cat "$work/env/prod/web/N")"
is "in its first five seconds" 3 "$(restarts upgrades_failed)"
holds "the server is of the binary before" cmp "/proc/$(process server)/exe" "$EMSA_BIN/emsad"
is "and so is the supervisor" "$good" "$(stat -L -c %i "/proc/$daemon/exe")"
rm "$work/programs/emsad"
ends "none at all" 1 "the one from before serves" "$EMSA_BIN/emsad" upgrade
kill -TERM "$reads"
wait "$reads" || fault "reads failed"
cat "$work/reads"
over TERM
is "its end" 0 "$code"

# By a link that is led to another program each time, as alternatives are: the second time too.
mkdir "$work/versions"
for version in 1 2 3; do
    cp "$EMSA_BIN/emsad" "$work/versions/$version"
    printf %s "$version" >>"$work/versions/$version"
done
ln -s "$work/versions/1" "$work/programs/emsad"
begin --mount "$work/env"
for version in 2 3; do
    ln -sfn "$work/versions/$version" "$work/programs/emsad"
    holds "to what the link leads to, $version" emsad upgrade
    for who in supervisor server; do
        holds "$who is version $version" cmp "/proc/$(process $who)/exe" "$work/versions/$version"
    done
done

# An end within the trial is an end.
kill -USR2 "$daemon"
while [ "$(restarts upgraded)" -lt 3 ]; do :; done
over TERM
is "its end within a trial" 0 "$code"
is "which is no failure" "" "$(grep 'the upgrade to' "$work/log" || true)"
ends "nothing to upgrade" 3 "no daemon runs" "$EMSA_BIN/emsad" upgrade
finish
