#!/bin/bash
# Containers for escape.sh: the attacker, who does what he is asked, and consumers, who say what they get; to be
# sourced after tests/support/lib.sh, ../daemon/daemon.sh and ../../support/containers.sh.
# shellcheck disable=SC2016,SC2034,SC2154 # for the commands that are run; for the scripts that source this; from it
set -euo pipefail
: "${work:?tests/support/lib.sh makes it}" "${image:?containers.sh names it}"
patience=180 # seconds; no answer that late is awaited

# make_image_with PROGRAM: the image, with this as /escape
make_image_with() {
    mkdir -p "$work/podman/image/talk"
    cp "$1" "$work/podman/image/escape"
    make_image
    hooked "$(command -v emsa-hook)"
}

sockets() {
    printf '%s\n' "$EMSA_STORE/socket" /run/emsa/socket "$plugin" /run/docker/plugins/emsa.sock \
        /run/emsa/credentials "$EMSA_STORE" emsa emsad emsa.sock
}

# consumer NAME SERVICE DESCRIPTOR: a container that only wants its values; what it says comes there
consumer() {
    mkdir -p "$work/$1"
    mkfifo "$work/$1/said"
    runs -d --name "$1" --annotation io.emsa.environment=prod --annotation "io.emsa.service=$2" -v "$work/$1:/talk" "$image" \
        /escape watch /talk /env >/dev/null
    eval "exec $3<>'$work/$1/said'"
}

# hears WHAT DESCRIPTOR VALUE: that consumer says that it has this value, and has had its event
hears() {
    local wanted_value=1 wanted_event=1 word value
    while [ "$wanted_value$wanted_event" != 00 ]; do
        read -r -t "$patience" -u "$2" word value || {
            fault "$1: after $patience s no value $3 or no event"
            return 0
        }
        [ "$word" != error ] || fault "$1: a read failed: $value"
        [ "$word $value" != "value $3" ] || wanted_value=0
        [ "$word $value" != "event $3" ] || wanted_event=0
    done
}

# consumed NAME DESCRIPTOR: ends one; how long its longest read took
consumed() {
    local word value
    emsa set prod/billing A_TICK=end >/dev/null
    emsa set "$other" A_TICK=end >/dev/null
    while read -r -t "$patience" -u "$2" word value && [ "$word" != ends ]; do
        [ "$word" != error ] || fault "consumer $1: $value"
    done
    echo "consumer $1: ${value% *} reads, the longest ${value#* } ms"
    checks=$((checks + 1))
    [ "${value#* }" -lt 10000 ] || fault "consumer $1 waited ${value#* } ms"
    emsa set "$other" "A_TICK=$tick" >/dev/null
    emsa set prod/billing "A_TICK=$tick" >/dev/null
}

# options CLASS: what such a container may do
options() {
    case $1 in
    default) ;;
    reader) echo --cap-add DAC_READ_SEARCH ;;
    admin) echo --cap-add SYS_ADMIN ;;
    privileged) echo --privileged ;;
    users) echo --uidmap 0:100000:65536 ;;
    esac
}

# start CLASS WAY: an attacker, whose answers come at once
class="" way=""
start() {
    class=$1 way=$2
    local more=()
    mapfile -t more < <(options "$class" | tr ' ' '\n')
    rm -f "$work/talk/"{ask,told,go,loot}
    mkfifo "$work/talk/"{ask,told,go}
    : >"$work/talk/loot"
    chmod -R a+rwX "$work/talk"
    exec 5<>"$work/talk/ask" 6<>"$work/talk/told"
    more+=(-d --name attacker -v "$work/talk:/talk")
    local program=(sh -c 'read -r go </talk/go; exec /escape /talk /env')
    case $way in
    hook) runs --annotation io.emsa.environment=prod --annotation io.emsa.service=billing "${more[@]}" "$image" "${program[@]}" ;;
    volume) runs "${more[@]}" -v own:/env:ro "$image" "${program[@]}" ;;
    attach) runs "${more[@]}" "$image" "${program[@]}" ;;
    esac >"$work/out" 2>"$work/err" || {
        fault "$class, $way: no container: $(tail -n 2 "$work/err")"
        ended
        return 1
    }
    [ "$way" != attach ] ||
        holds "attached" emsa attach --pid "$(podman inspect attacker | json 0 State Pid)" prod/billing /env --history
    echo go >"$work/talk/go"
}

# ask COMMAND: asks the attacker; his rows are kept, and holes are faults
ask() {
    local line
    echo "$*" >&5
    while read -r -t "$patience" -u 6 line; do
        [ "$line" != . ] || return 0
        printf '%s\t%s\t%s\n' "$class" "$way" "$line" >>"$work/rows"
        checks=$((checks + 1))
        [ "${line:0:1}" != '!' ] || fault "$class, $way: $line"
    done
    fault "$class, $way: no answer to '$*': $(podman logs attacker 2>&1 | tail -n 2)"
}

ended() {
    podman rm --force --time 0 attacker >/dev/null 2>&1 || true
    exec 5>&- 6>&-
}

# searched WHAT: nothing of others in what came back
searched() {
    checks=$((checks + 1))
    [ -s "$work/talk/loot" ] || fault "$1: nothing came back at all"
    ! grep -aqF "$mark" "$work/talk/loot" "$work"/talk/before-* "$work"/talk/after-* ||
        fault "$1: of others came back: $(grep -aF -m 3 "$mark" "$work/talk/loot" | tr -c '[:print:]\n' '?' | cut -c 1-300)"
}
