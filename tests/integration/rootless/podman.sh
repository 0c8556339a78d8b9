#!/bin/bash
# A user's own containers, with the user's own emsa: volumes, the hook, attach. Nobody is root anywhere but in there.
# shellcheck disable=SC2016 # for the commands that are run
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=user.sh
. "$here/user.sh"
settle
image=localhost/emsa-test
mkfifo -m 0666 "$work/ready"

# said COMMAND...: what the user's command printed, and why it failed
said() { as_user "$@" 2>"$work/err" || cat "$work/err"; }
# shows PATH: owner, mode and value
shows() { echo "echo \$(stat -c '%u:%g %a' $1) \$(cat $1)"; }

# A store of their own, and nobody's help for it.
holds "made" as_user emsa init
as_user mkdir m
holds "an environment" as_user emsa env add prod
holds "a value" as_user emsa set prod/web PORT=8080
ends "without a namespace nothing is mounted" 1 "podman unshare" as_user emsad --mount "$home/m"
as_user podman unshare emsad --volume "$home/plugin" --ready-fd 9 9>"$work/ready" 2>"$work/log" &
read -r state <"$work/ready"
is "in podman's namespace a daemon runs" ready "$state"
is "who made it reaches it from outside" 8080 "$(said emsa get prod/web/PORT)"

# Volumes.
is "a volume" env "$(said podman volume create --driver emsa -o environment=prod -o service=web -o layout=flat env)"
is "for one user" narrow "$(said podman volume create --driver emsa -o environment=prod -o service=web -o layout=flat -o uid=1000 -o gid=1001 -o mode=0400 narrow)"
is "root reads it" "0:0 444 8080" "$(said podman run --rm -v env:/env:ro "$image" sh -c "$(shows /env/PORT)")"
is "so do others" "0:0 444 8080" "$(said podman run --rm --user 7 -v env:/env:ro "$image" sh -c "$(shows /env/PORT)")"
is "whose it is reads it" "1000:1001 400 8080" "$(said podman run --rm --user 1000:1001 -v narrow:/env:ro "$image" sh -c "$(shows /env/PORT)")"
ends "others do not" 1 "denied" as_user podman run --rm --user 1002 -v narrow:/env:ro "$image" cat /env/PORT
is "users of its own" "65534:65534 444 8080" \
    "$(said podman run --rm --uidmap 0:1:1000 -v env:/env:ro "$image" sh -c "$(shows /env/PORT)")"

# The hook.
hooked=(podman run --rm --annotation io.emsa.environment=prod --annotation io.emsa.service=web --annotation io.emsa.layout=flat --annotation io.emsa.mode=0400)
is "the hook" "0:0 400 8080" "$(said "${hooked[@]}" "$image" sh -c "$(shows /env/PORT)")"
is "users of its own" "5:6 400 8080" \
    "$(said "${hooked[@]}" --annotation io.emsa.uid=5 --annotation io.emsa.gid=6 --uidmap 0:1:1000 --user 5:6 "$image" sh -c "$(shows /env/PORT)")"

# Into one that runs.
for users in "" "--uidmap 0:1:1000"; do
    name=one${users:+mapped}
    # shellcheck disable=SC2086 # two words
    holds "a container" as_user podman run -d -i --name "$name" $users "$image" cat
    pid=$(as_user podman inspect --format '{{.State.Pid}}' "$name")
    ends "from outside of the namespace" 1 "podman unshare" as_user emsa attach --pid "$pid" prod/web /env
    holds "attached" as_user podman unshare emsa attach --pid "$pid" prod/web /env --layout flat --mode 0400 --uid 5
    is "whose it is" "5:0 400 8080" "$(said podman exec --user 5 "$name" sh -c "$(shows /env/PORT)")"
    ends "others do not read it" 1 "denied" as_user podman exec --user 7 "$name" cat /env/PORT
    holds "a change" as_user emsa set prod/web PORT=9090
    is "is there" 9090 "$(said podman exec --user 5 "$name" cat /env/PORT)"
    holds "changed back" as_user emsa set prod/web PORT=8080
    holds "its end" as_user podman kill "$name"
done
until [ "$(as_user emsa views | wc -l)" = 2 ]; do :; done # the volumes
is "and nothing is mounted for anybody else" "" "$(findmnt -rn -t fuse,fuse.emsa -o TARGET || true)"
as_user podman rm --all --force --time 0 >"$work/out" 2>&1 || true
holds "stopped" as_user emsa stop
as_user podman system migrate >/dev/null 2>&1 || true
finish
