#!/bin/bash
# A reader that keeps a directory locked for as long as it likes stalls nobody but itself.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
[ -c /dev/userfaultfd ] || skip "needs /dev/userfaultfd"
fill
mkdir "$work/env"
begin --mount "$work/env"
is "ready" "ready" "$said"
mounted "$work/other"
mounted "$work/cached" --cache
server=$(process server) notifier=$(process notifier)

# held SERVICE VIEW OTHER [OPTION]
held() {
    holds "while $2 is held" timeout 120 /usr/bin/python3 "$here/hostile.py" "$EMSA_STORE/socket" "prod/$1" 20 "$work/$2" "$work/$3" "${@:4}"
    cat "$work/out" "$work/err"
}
holds "services of their own" emsa service add prod/one prod/two
held one env other
held two cached env --cache
is "the server is the same" "$server" "$(process server)"
is "and the notifier" "$notifier" "$(process notifier)"
is "nobody was judged stuck" "" "$(grep 'is stuck' "$work/log" || true)"

# Nor does the notifier's death, though the reader keeps one of its threads, so that it cannot be reaped; nor an end.
mkfifo "$work/held" "$work/input"
/usr/bin/python3 "$here/hostile.py" "$EMSA_STORE/socket" prod/one keep "$work/env" "$work/held" <"$work/input" >"$work/keep" 2>&1 &
keep=$!
exec 7>"$work/input"
read -r -t 60 word <"$work/held"
is "a directory is held" held "$word"
kill -9 "$notifier"
holds "a new key" emsa set prod/two NEW=seen
until [ "$(cat "$work/other/prod/two/NEW" 2>&1)" = seen ]; do :; done # or the test's own deadline
is "is listed in another view" 1 "$(find "$work/other/prod/two" -name NEW | wc -l)"
is "another notifier is there" yes "$([ "$(process notifier)" != "$notifier" ] && echo yes)"
is "beside the one that is held" 1 "$(grep -c 'another goes on beside it' "$work/log")"
over TERM
is "its end" 0 "$code"
is "nothing is mounted" "" "$(findmnt -rn "$work/env" || true)"
exec 7>&-
holds "and the reader ends" wait "$keep"
finish
