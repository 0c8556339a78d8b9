#!/bin/bash
# Services to put into containers, and containers to put them into; to be sourced after tests/support/containers.sh.
# shellcheck disable=SC2034 # names are read by the scripts that source this
set -euo pipefail
: "${work:?tests/support/lib.sh makes it}" "${image:?}"
url=/env/prod/billing/URL
annotated=(--annotation io.emsa.environment=prod --annotation io.emsa.service=billing)
mkdir -p "$work/podman/image/bin"
cp "$EMSA_BIN/consumer" "$work/podman/image/bin/consumer"
mkfifo "$work/told"

two_services() {
    emsa init >/dev/null
    emsa env add prod >/dev/null
    emsa env add dev >/dev/null
    emsa set --new prod/billing URL=postgres://billing >/dev/null
    printf s3cret >"$work/secret"
    emsa set prod/billing --secret-file "PASSWORD=$work/secret" >/dev/null
    emsa set --new prod/mailer URL=smtp://mailer >/dev/null
}

# volume ENVIRONMENT/SERVICE [OPTION...]: makes the volume ENVIRONMENT-SERVICE
volume() {
    local place=$1
    shift
    podman volume create --driver emsa -o "environment=${place%/*}" -o "service=${place#*/}" "$@" "${place/\//-}" >/dev/null
}

# stays NAME OPTION...: a container that does nothing, until it is stopped
stays() {
    local name=$1
    shift
    runs -d --name "$name" "$@" "$image" tail -f /dev/null >/dev/null
}

# reads NAME OPTION...: a container that reads its url all the time; "ended" says how it went
reads() {
    local name=$1
    shift
    runs -d --name "$name" -v "$work/told:/told" "$@" "$image" consumer read "$url" /told >/dev/null
}

# hear: the next line that a container tells
exec 6<>"$work/told"
hear() {
    local line
    read -r -u 6 -t 60 line || line="nothing in a minute"
    echo "$line"
}

# ended NAME: the exit code of a container that is told to end, and whether it had read
ended() {
    podman stop --time 60 "$1" >/dev/null
    echo "$(podman inspect --format '{{.State.ExitCode}}' "$1") $(hear | sed 's/^[1-9][0-9]* reads$/reads/')"
    podman rm "$1" >/dev/null
}

pid_of() {
    podman inspect --format '{{.State.Pid}}' "$1"
}
