#!/bin/bash
# 1,000 views by the verb: a commit reaches all of them, and none is lost when the server dies.
# shellcheck disable=SC2119 # begin may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
folder=$here
here=$root/tests/integration/daemon
fill
set_all() {
    for n in {0..9}; do emsa set "prod/s$n" "KEY=$1" --new >/dev/null; done
}
set_all one
begin
count=$((1000 / scale))
mkdir "$work/views"
mkfifo "$work/ask" "$work/answer"
/usr/bin/python3 "$folder/many.py" "$EMSA_STORE/socket" "$work/views" "$count" <"$work/ask" >"$work/answer" &
exec 7>"$work/ask" 8<"$work/answer"
read -r made <&8
is "all are made" made "$made"
is "all are there" "$count" "$(emsa views | wc -l)"
# ask VALUE: what all views show
ask() { echo "$1" >&7; read -r answer <&8; echo "$answer"; }
is "all show it" "$count looked at, 0 wrong" "$(ask one)"
set_all two
is "all show what was changed" "$count looked at, 0 wrong" "$(ask two)"
kill -9 "$(process server)"
is "also behind the death of a server" "$count looked at, 0 wrong" "$(ask two)"
set_all three
is "and what is changed then" "$count looked at, 0 wrong" "$(ask three)"
exec 7>&-
for place in "$work/views/"*; do umount "$place"; done
until [ -z "$(emsa views)" ]; do :; done
is "all have ended" "" "$(emsa views)"
over TERM
is "its end" 0 "$code"
finish
