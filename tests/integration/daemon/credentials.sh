#!/bin/bash
# --credentials: what a unit's LoadCredential= gets, and that it gets nothing else, least of all an empty value.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
door=$work/credentials

# asked UNIT ID: as systemd asks
asked() {
    /usr/bin/python3 "$here/credentials.py" "$door" ask "$@"
}

# given WHAT VALUE UNIT ID
given() {
    is "$1" "$2" "$(asked "$3" "$4" || echo "refused: $?")"
}

# refused WHAT WORDS UNIT ID: the unit fails, and the log says why
refused() {
    : >"$work/log"
    ends "$1" 3 "" asked "$3" "$4"
    grep -q -- "$2" "$work/log" || fault "$1: nothing like '$2' in: $(cat "$work/log")"
}

values() {
    given "a key, of a template's instance" "hidden words" web@prod.service PASSWORD
    given "plain" 8080 web@prod.service PORT
    given "all of it in the name" "hidden words" other.service prod@web@PASSWORD
    given "whatever the unit is" 8080 a-b@c.socket prod@web@PORT
    given "an empty value is one" "" web@prod.service EMPTY
    given "a link" "hidden words" mail@prod.service WORDS
    given "a key with dots" "a certificate" web@prod.service tls.crt
    asked web@prod.service LARGE >"$work/large.out" || fault "1 MiB was refused"
    same "1 MiB" "$work/large" "$work/large.out"
    asked web@prod.service BYTES >"$work/bytes.out"
    same "any bytes" "$work/bytes" "$work/bytes.out"
    emsa set prod/web PORT=9090 >/dev/null
    given "the value of now" 9090 web@prod.service PORT
}

refusals() {
    refused "no such key" "prod/web/NONE" web@prod.service NONE
    refused "the log names the unit" "'NONE' of unit 'web@prod.service'" web@prod.service NONE
    refused "no such service" "none" none@prod.service PORT
    refused "no such environment" "nowhere" web@nowhere.service PORT
    refused "no environment at all" "of which environment" web.service PORT
    refused "definitions" "definitions" web@all.service PORT
    refused "a name too few" "neither a key" x.service prod@web
    refused "a name too many" "neither a key" x.service prod@web@PORT@x
    refused "an empty name" "refused" x.service @web@PORT
    refused "no name of a service" "refused" 'we\x2db@prod.service' PORT
    refused "no suffix" "not the name of a unit" web PORT
    refused "upwards" "refused" web@prod.service ..
    for name in '' '\0' '\0web' '\0abc/unit/web@prod.service/' '\0abc/unit//PORT' '\0abc/unit/web@prod.service' \
        '\0abc/unit/web@prod.service/PORT/x' '\0/unit/web@prod.service/PORT' '\0xyz/unit/web@prod.service/PORT' \
        '\0abc/unix/web@prod.service/PORT' '\0abc/unit/web@prod.service/PO\0RT' '\011112222333344445/unit/web@prod.service/PORT' \
        "$work/abc/unit/web@prod.service/PORT"; do
        [[ $name != /* ]] || mkdir -p "$(dirname "$name")"
        ends "the address '$name'" 3 "" /usr/bin/python3 "$here/credentials.py" "$door" name "$name"
    done
    is "for root alone" "600 0" "$(stat -c '%a %u' "$door")"
    chmod 0666 "$door"
    chmod 0755 "$work"
    cp "$here/credentials.py" "$work/ask.py"
    : >"$work/log"
    ends "who is not root" 3 "" setpriv --reuid 65534 --regid 65534 --clear-groups -- \
        /usr/bin/python3 "$work/ask.py" "$door" ask web@prod.service PORT
    is "and is told of" 1 "$(grep -c "not root's" "$work/log")"
    given "root still is" 9090 web@prod.service PORT
}

# A supervisor that can open nothing more: who asks waits, and has the value when it can again.
full() {
    local limit ask
    limit=$(prlimit --pid "$daemon" --nofile --noheadings --output SOFT)
    : >"$work/log"
    prlimit --pid "$daemon" --nofile=9: # as many as it polls
    asked web@prod.service PORT >"$work/late" &
    ask=$!
    until grep -q "cannot accept" "$work/log"; do :; done
    prlimit --pid "$daemon" --nofile="$limit:"
    holds "who waited" wait "$ask"
    is "has its value" 9090 "$(cat "$work/late")"
}

deaths() {
    is "a crowd" "" "$(/usr/bin/python3 "$here/credentials.py" "$door" crowd $((600 / scale)) 2>&1)"
    holds "servers killed" /usr/bin/python3 "$here/credentials.py" "$door" killed $((20 / scale + 1))
    cat "$work/out"
    kill -KILL "$daemon"
    gone "$daemon"
    wait "$daemon" || true
    begin --store "$EMSA_STORE" --credentials "$door"
    is "the next supervisor" ready "$said"
    given "listens too" 9090 web@prod.service PORT
    holds "the end" /usr/bin/python3 "$here/credentials.py" "$door" stopped "$daemon"
    over
    is "is clean" 0 "$code"
    is "nothing is left" "" "$(ls "$door" 2>/dev/null || true)"
}

places() {
    ends "no absolute path" 2 "does not begin with" emsad --credentials here
    ends "no path" 2 "path of a socket" emsad --credentials ",environment=prod"
    ends "no environment" 2 "environment" emsad --credentials "$door,environment=a/b"
    touch "$work/file"
    ends "a file" 4 "no socket" emsad --credentials "$work/file"
    begin --store "$EMSA_STORE" --credentials "$door,environment=prod"
    is "an environment of its own" ready "$said"
    given "for units without an instance" 9090 web.service PORT
    given "and with one, which says nothing" 9090 web@2.service PORT
    given "all said" 8080 web.service dev@web@PORT
    emsa init --store "$work/second" >/dev/null
    ends "taken" 4 "taken" emsad --store "$work/second" --credentials "$door"
    over TERM
}

fill
emsa env add dev >/dev/null
head -c 1048576 /dev/zero | tr '\0' x >"$work/large"
printf '\0\1\377 \n' >"$work/bytes"
printf 'a certificate' >"$work/crt"
: >"$work/empty"
emsa set prod/web --secret-file "LARGE=$work/large" >/dev/null
emsa set prod/web/BYTES --file "$work/bytes" >/dev/null
emsa set prod/web/tls.crt --file "$work/crt" >/dev/null
emsa set prod/web/EMPTY --file "$work/empty" >/dev/null
emsa set dev/web PORT=8080 >/dev/null
emsa service add prod/mail >/dev/null
emsa share prod/web/PASSWORD --with mail >/dev/null
emsa link prod/mail/WORDS web/PASSWORD >/dev/null
begin --store "$EMSA_STORE" --credentials "$door"
is "ready" ready "$said"
values
refusals
full
deaths
places
finish
