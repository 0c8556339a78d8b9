#!/bin/bash
# Asking the volume plugin at $place; to be sourced after tests/integration/daemon/daemon.sh.
# shellcheck disable=SC2034 # names are read by the scripts that source this
set -euo pipefail
: "${work:?tests/support/lib.sh makes it}" "${here:?}"
place=$work/run/docker/plugins/emsa.sock
opts='"Opts": {"environment": "prod", "service": "web"}'

protocol() {
    /usr/bin/python3 "$here/protocol.py" "$place" "$@"
}

hostile() {
    /usr/bin/python3 "$here/hostile.py" "$place" "$@"
}

# asked WHAT [BODY]: the status and what was said
asked() {
    protocol ask "$@" 2>&1 | tail -n 1
}

plugin_pid() {
    pgrep -x emsad-volume || true
}

# place_in REPLY: its mountpoint
place_in() {
    cut -d '"' -f 4 <<<"$1"
}

# at_place: until somebody listens there
at_place() {
    until protocol ask Capabilities >"$work/refused" 2>&1; do :; done
}
