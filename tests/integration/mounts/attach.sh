#!/bin/bash
# Into a mount namespace from outside: of a process that has a root of its own and, the second time, users of its own.
# shellcheck disable=SC2119 # begin may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
folder=$here
here=$root/tests/integration/daemon
fill
begin
mkfifo "$work/ask" "$work/told"

# inmate [users]: a process in namespaces of its own, with a root of its own; sets $inmate
inmate() {
    mkdir -p "$work/root"
    /usr/bin/python3 "$folder/inmate.py" "$work/root" "$@" <"$work/ask" >"$work/told" &
    exec 7>"$work/ask" 8<"$work/told"
    read -r inmate <&8
}
# look UID PATH: what that user in there sees
look() {
    echo "$*" >&7
    read -r seen <&8
    echo "$seen"
}

inmate
before=$(wc -l </proc/self/mountinfo)
ends "no process" 2 "whose" emsa attach prod/web /env
ends "none of that number" 3 "no process" emsa attach --pid 4000000 prod/web /env
ends "no directory in there" 3 "make it there" emsa attach --pid "$inmate" prod/web /nothing
ends "a link to nothing" 3 "" emsa attach --pid "$inmate" prod/web /dangling
ends "a link to itself" 2 "not followed" emsa attach --pid "$inmate" prod/web /loop
ends "no such service" 3 "did you mean" emsa attach --pid "$inmate" prod/wed /env
ends "of its /proc" 2 "not followed" emsa attach --pid "$inmate" prod/web /magic/env
ends "something is mounted there" 4 "type tmpfs" emsa attach --pid "$inmate" prod/web /taken
ends "its root" 4 "type tmpfs" emsa attach --pid "$inmate" prod/web /
ends "this namespace" 4 "emsa mount" emsa attach --pid $$ prod/web "$work/mnt"
ends "the first process's" 4 "emsa mount" emsa attach --pid 1 prod/web "$work/mnt"
ends "somebody else's process" 1 "not yours" setpriv --reuid 4242 --regid 4242 --clear-groups \
    "$(command -v emsa)" --store "$EMSA_STORE" attach --pid "$inmate" prod/web /env
until [ -z "$(emsa views)" ]; do :; done # what nobody mounted ends
holds "attached, by a link that leads up" emsa attach --pid "$inmate" prod/web /up --layout flat
is "it is in there" "0:0 8080" "$(look 0 /env/PORT)"
is "and nowhere here" "$before" "$(wc -l </proc/self/mountinfo)"
ends "not twice" 4 "already" emsa attach --pid "$inmate" prod/web /env
holds "changed" emsa set prod/web PORT=9090
is "it is live" "0:0 9090" "$(look 0 /env/PORT)"
kill -9 "$(process server)"
is "also behind the death of a server" "0:0 9090" "$(look 0 /env/PORT)"
is "told of" "$(printf 'prod/web')" "$(emsa views --json | json views 0 path)"
kill -9 "$inmate"
gone "$inmate"
until [ -z "$(emsa views)" ]; do :; done
is "it has ended with the namespace" "" "$(emsa views)"

# Twenty times more: nothing of them stays.
held() {
    local role
    for role in supervisor server notifier; do
        find "/proc/$(process $role)/fd" -mindepth 1 | wc -l
    done | paste -sd ' '
}
before=$(held)
inmate
for _ in {1..20}; do
    holds "again" emsa attach --pid "$inmate" prod/web /env
    is "detached in there" 0 "$(look umount /env)"
done
kill -9 "$inmate"
gone "$inmate"
until [ -z "$(emsa views)" ]; do :; done
until [ "$(held)" = "$before" ]; do :; done
is "nothing is held" "$before" "$(held)"

# One whose file system never answers: it is given up, with nothing in its hands.
inmate
ends "nothing answers" 1 "nothing answers there" emsa attach --pid "$inmate" prod/web /hang/env
until [ -z "$(emsa views)" ]; do :; done
is "no view stays for it" "$before" "$(held)"
holds "others can be mounted" emsa attach --pid "$inmate" prod/web /env
# The daemon dies with all that it has, and what it mounted in there is dead: another takes its place.
kill -9 "$(process server)" "$daemon" "$(process notifier)"
over
begin
is "dead" "Transport endpoint is not connected" "$(look 0 /env/prod/web/PORT)"
holds "another in its place" emsa attach --pid "$inmate" prod/web /env
is "and not on it" "0:0 9090 1" "$(look 0 /env/prod/web/PORT) $(look mounts /env)"
kill -9 "$inmate"
gone "$inmate"

# Who is 0 in there is somebody else here.
inmate users
holds "attached" emsa attach --pid "$inmate" prod/web /env --layout flat --mode 0400 --json
echo "idmap: $(json idmap <"$work/out")"
is "root in there owns it and reads it" "0:0 9090" "$(look 0 /env/PORT)"
is "another one of them does not" "Permission denied" "$(look 7 /env/PORT)"
holds "of another of them" emsa attach --pid "$inmate" prod/web /again --layout flat --mode 0400 --uid 1000 --gid 1001
is "who reads it" "1000:1001 9090" "$(look 1000 /again/PORT)"
is "who is not it does not" "Permission denied" "$(look 7 /again/PORT)"
is "detached in there" 0 "$(look umount /again)"
ends "a user that it has not" 2 "no user 70000" emsa attach --pid "$inmate" prod/web /again --uid 70000
holds "as the server calls them" emsa attach --pid "$inmate" prod/web /again --layout flat --no-idmap
is "it is nobody's in there, and all may read it" "65534:65534 9090" "$(look 7 /again/PORT)"
kill -9 "$inmate"
gone "$inmate"
over TERM
is "its end" 0 "$code"
finish
