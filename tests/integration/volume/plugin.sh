#!/bin/bash
# --volume: docker's plugin protocol in a process of its own, as runtimes speak it and as nobody should.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
# shellcheck source=asking.sh
. "$here/asking.sh"

fill

# Places that are none, and places that are taken.
while read -r code words socket; do
    begin --volume "$socket"
    over
    is "'$socket': exit" "$code" "$code$(grep -q "$words" "$work/log" || echo " without '$words': $(cat "$work/log")")"
done <<END_OF_PLACES
2 begin emsa.sock
4 socket $work/password
4 is.taken $EMSA_STORE/socket
END_OF_PLACES
begin
is "without the option there is no such process" "ready " "$said $(plugin_pid)"
over TERM

begin --volume "$place"
is "ready" ready "$said"
is "the owner's alone, in folders that were made" "600 0:0 700" "$(stat -c '%a %u:%g' "$place") $(stat -c %a "$work/run/docker")"
# it may still be on its way into its sandbox
until pid=$(process volume) && [ "$(in_status "$pid" Seccomp)" = 2 ]; do :; done
is "nobody, without rights" "65534 65534 65534 65534 0000000000000000 0000000000000000 1 2" \
    "$(for field in Uid CapEff CapBnd NoNewPrivs Seccomp; do in_status "$pid" $field; done | paste -sd ' ')"
is "holds sockets and what it logs to" "" \
    "$(find "/proc/$pid/fd" -lname '*' -printf '%l\n' | grep -v -e '^socket:' -e '^anon_inode:\[event' -e '^/dev/null' -e "^$work/log" | grep -vxF "$(readlink /proc/$$/fd/1)" || true)"
is "and has the name of what it is" "$pid" "$(plugin_pid)"

for what in shapes options malformed oversized half_closed; do
    holds "$what" protocol $what
done
holds "a thousand at once" hostile proper "$pid" $((1000 / scale))
holds "a thousand, of whom most are no friends" hostile crowd "$pid" $((1000 / scale))
for _ in $(seq $((${EMSA_TEST_CROWDS:-0} / scale))); do
    for kind in mixed malformed oversized slow half_closed rude noise; do
        holds "a thousand of $kind" hostile crowd "$pid" 1000 "$kind"
        [ "$faults" = 0 ] || finish
    done
done
holds "more who say nothing than there is room for" hostile crowd "$pid" 1200 slow
is "the same process" "$pid" "$(plugin_pid)"
is "nothing is left" '200 {"Volumes": [], "Err": ""}' "$(asked List)"
over TERM
finish
