#!/bin/bash
# A server that ends without an answer is asked again, with the same id, a few times; then the command gives up.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=told.sh
. "$here/told.sh"

# breaks TIMES: a server that does so that often, once it listens
breaks() {
    rm -f "$EMSA_STORE/socket" "$work/ids"
    mkfifo "$work/ids.pipe" 2>/dev/null || true
    /usr/bin/python3 "$here/broken.py" "$EMSA_STORE/socket" "$1" >"$work/ids.pipe" &
    broken=$!
    exec 7<"$work/ids.pipe"
    read -r word <&7
    is "it listens" ready "$word"
}

export EMSA_SIGN_IDENTITY=none # this server does not know which store it serves

holds "init" emsa init
breaks 3
holds "a change" emsa set prod/web A=1
cat <&7 >"$work/ids"
exec 7<&-
wait "$broken"
told "says that it was done before" "revision 7" "$work/out"
is "asked four times" 4 "$(wc -l <"$work/ids")"
is "with one id" 1 "$(sort -u "$work/ids" | wc -l)"
is "of 16 bytes" 33 "$(head -n 1 "$work/ids" | wc -c)"

breaks 100
ends "for ever" 1 "without an answer" emsa set prod/web A=1
kill "$broken" 2>/dev/null || true
exec 7<&-
wait "$broken" 2>/dev/null || true

# One that is gone: its socket is left, nobody listens, and the command does it itself.
ends "what is left of a server" 3 "prod" emsa set prod/web A=1
rm -f "$EMSA_STORE/socket"
holds "verify" emsa verify
finish
