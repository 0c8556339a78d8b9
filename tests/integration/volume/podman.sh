#!/bin/bash
# podman with real containers: volumes from their making to their end, while values change and processes die.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
# shellcheck source=../../support/containers.sh
. "$root/tests/support/containers.sh"

make_image
fill
emsa env add dev >/dev/null
emsa set prod/billing URL=postgres://billing >/dev/null
emsa set dev/billing URL=postgres://dev >/dev/null
begin --volume "$plugin"
is "ready" ready "$said"

# As the README has it.
is "made" billing-env "$(said podman volume create --driver emsa -o environment=prod -o service=billing billing-env)"
is "run" postgres://billing "$(said runs --rm -v billing-env:/env:ro "$image" cat /env/prod/billing/URL)"
is "nothing else is there" "/env /env/prod /env/prod/billing /env/prod/billing/URL" \
    "$(said runs --rm -v billing-env:/env:ro "$image" find /env -name .emsa -prune -o -print | sort | paste -sd ' ')"
is "also flat" dev-env "$(said podman volume create --driver emsa -o environment=dev -o service=billing -o layout=flat -o mode=0400 -o uid=7 dev-env)"
is "its file" "400 7" "$(said runs --rm -v dev-env:/env:ro "$image" stat -c '%a %u' /env/URL)"
is "two services at once" "postgres://billingpostgres://dev" "$(said runs --rm -v billing-env:/a:ro -v dev-env:/b:ro "$image" \
    cat /a/prod/billing/URL /b/URL)"
is "read only" "exit 1" "$(said runs --rm -v billing-env:/env "$image" touch /env/prod/billing/NEW)"

# What is refused says why.
ends "an option that there is not" 125 "no option 'servcie'" podman volume create --driver emsa -o environment=prod -o servcie=billing wrong
ends "a service that there is not" 125 "did you mean 'billing'" podman volume create --driver emsa -o environment=prod -o service=biling wrong
is "and is not there" "billing-env dev-env" "$(podman volume ls -q | sort | paste -sd ' ')"
is "inspected" "emsa prod/billing" "$(podman volume inspect billing-env | json 0 Driver) $(podman volume inspect billing-env | json 0 Status path)"

# While it runs: values change, and everything of ours that may die dies.
runs -d --name one -v billing-env:/env:ro "$image" sh -c 'while cat /env/prod/billing/URL >/dev/null; do :; done' >/dev/null
reads() {
    said podman exec one cat /env/prod/billing/URL
}
is "it reads" postgres://billing "$(reads)"
emsa set prod/billing URL=postgres://moved >/dev/null
is "a new value" postgres://moved "$(reads)"
pid=$(plugin_pid)
kill -KILL "$pid"
gone "$pid"
is "without a plugin it reads on" postgres://moved "$(reads)"
for _ in 1 2 3; do
    pid=$(process server)
    kill -KILL "$pid"
    gone "$pid"
    is "a server was killed" postgres://moved "$(reads)"
done
until [ -n "$(plugin_pid)" ]; do :; done
is "another beside it" postgres://moved "$(said runs --rm -v billing-env:/env:ro "$image" cat /env/prod/billing/URL)"
is "in use" "exit 2" "$(said podman volume rm billing-env)"
is "it never failed" running "$(podman inspect one | json 0 State Status)"
is "stopped" one "$(said podman stop --time 0 one)"
is "started" one "$(said podman start one)"
is "and reads" postgres://moved "$(reads)"
holds "removed" podman rm --force --time 0 one

# Forgotten by another while it is used: the name and the place go, and who has it mounted keeps it.
forget() {
    /usr/bin/python3 "$here/protocol.py" "$plugin" ask Remove '{"Name": "billing-env"}' | tail -n 1
}
runs -d --name one -v billing-env:/env:ro "$image" busybox tail -f /dev/null >/dev/null
is "forgotten by another" '200 {"Err": ""}' "$(forget)"
is "it reads on" postgres://moved "$(reads)"
emsa set prod/billing URL=postgres://again >/dev/null
is "new values, too" postgres://again "$(reads)"
is "another is not" "exit 12" "$(said runs --rm -v billing-env:/env:ro "$image" cat /env/prod/billing/URL | cut -c -7)"
podman rm --force --time 0 one >/dev/null
podman volume rm --force billing-env >"$work/out" 2>&1 || true # podman says that the plugin has none, and forgets it, too
is "made again" billing-env "$(said podman volume create --driver emsa -o environment=prod -o service=billing billing-env)"
is "another reads" postgres://again "$(said runs --rm -v billing-env:/env:ro "$image" cat /env/prod/billing/URL)"
is "and there was no data in it to go" postgres://again "$(emsa get prod/billing/URL)"
emsa set prod/billing URL=postgres://moved >/dev/null

# A stop of the daemon, and another: the same volumes.
over TERM
is "without a daemon nothing runs" "exit 126" "$(said runs --rm -v billing-env:/env:ro "$image" cat /env/prod/billing/URL)"
begin --volume "$plugin"
is "with the next one it does" postgres://moved "$(said runs --rm -v billing-env:/env:ro "$image" cat /env/prod/billing/URL)"
is "forgotten" "billing-env dev-env" "$(said podman volume rm billing-env dev-env | paste -sd ' ')"
is "and no data" postgres://moved "$(emsa get prod/billing/URL)"
end_containers
over TERM
is "one place in the unit and in what podman is told" 1 \
    "$(grep -ho '/run/docker/plugins/emsa.sock' "$root/tools/packaging/emsad.service.in" "$root/tools/packaging/emsa-containers.conf" | uniq | wc -l)"
finish
