#!/bin/bash
# Containers of root's whose users are others outside: owner and mode as they see them.
# shellcheck disable=SC2016,SC2034 # users are read by their names; for the commands that are run
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
folder=$here
here=$root/tests/integration/daemon
# shellcheck source=../daemon/daemon.sh
. "$here/daemon.sh"
# shellcheck source=../../support/containers.sh
. "$root/tests/support/containers.sh"
for name in subuid subgid; do # for --userns=auto, in this mount namespace alone
    cat "/etc/$name" >"$work/$name" 2>/dev/null || true
    echo "containers:300000:655360" >>"$work/$name"
    [ -e "/etc/$name" ] || skip "there is no /etc/$name"
    mount --bind "$work/$name" "/etc/$name"
done
make_image
hooked "$(command -v emsa-hook)"
fill
begin --volume "$plugin"
is "ready" ready "$said"
show='echo $(stat -c "%u:%g %a" /env/PORT) $(cat /env/PORT 2>&1)'
fixed=(--uidmap 0:100000:65536)
auto=(--userns=auto)

# seen OPTION...: what a container shows
seen() { runs --rm "$@" "$image" sh -c "$show" 2>"$work/err" || cat "$work/err"; }
volume() {
    local name=$1
    shift
    holds "volume $name" podman volume create --driver emsa -o environment=prod -o service=web -o layout=flat "$@" "$name"
}

# A volume's owner is the host's; all may read what is not narrowed.
volume all
volume one -o uid=101000 -o gid=101001 -o mode=0400
for mode in fixed auto; do
    declare -n users=$mode
    for uid in 0 1000; do
        is "$mode, a volume, as $uid" "65534:65534 444 8080" "$(seen "${users[@]}" --user $uid -v all:/env:ro)"
    done
done
is "whose it is" "1000:1001 400 8080" "$(seen "${fixed[@]}" --user 1000:1001 -v one:/env:ro)"
is "who passes by modes in there" "1000:1001 400 8080" "$(seen "${fixed[@]}" -v one:/env:ro)"
is "nobody else" "" "$(seen "${fixed[@]}" --user 1002 -v one:/env:ro | grep 8080 || true)"

# The hook's and attach's is the container's own.
for mode in fixed auto; do
    declare -n users=$mode
    hook=(--annotation io.emsa.environment=prod --annotation io.emsa.service=web --annotation io.emsa.layout=flat
        --annotation io.emsa.mode=0400)
    is "$mode, the hook, as root" "0:0 400 8080" "$(seen "${users[@]}" "${hook[@]}")"
    hook+=(--annotation io.emsa.uid=900 --annotation io.emsa.gid=901)
    is "$mode, the hook, as 900" "900:901 400 8080" "$(seen "${users[@]}" "${hook[@]}" --user 900:901)"
    is "$mode, the hook, as another" "" "$(seen "${users[@]}" "${hook[@]}" --user 902 | grep 8080 || true)"
    holds "$mode, one that runs" runs -d -i --name "$mode" "${users[@]}" "$image" cat
    pid=$(podman inspect "$mode" | json 0 State Pid)
    holds "$mode, attached" emsa attach --pid "$pid" prod/web /env --layout flat --mode 0400 --uid 900 --gid 901
    is "$mode, as 900" "900:901 400 8080" "$(podman exec --user 900:901 "$mode" sh -c "$show" 2>&1)"
    is "$mode, as another" "" "$(podman exec --user 902 "$mode" sh -c "$show" 2>&1 | grep 8080 || true)"
    holds "$mode, its end" podman kill "$mode"
done

# What a runtime does that maps the owners of a bind (crun, for podman's volume option "idmap").
volume mapped -o idmap -o mode=0400 -o uid=0 -o gid=0
holds "one that runs" runs -d -i --name inside "${fixed[@]}" "$image" cat
pid=$(podman inspect inside | json 0 State Pid)
holds "mapped" /usr/bin/python3 "$folder/idmap.py" "$EMSA_STORE/volumes/mapped" "$pid" "$work/mapped"
is "root's in there is this" "100000:100000 400" "$(stat -c '%u:%g %a' "$work/mapped/PORT")"
as_other() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
is "who is that reads it" 8080 "$(as_other 100000 cat "$work/mapped/PORT")"
ends "who is not does not" 1 "denied" as_other 101000 cat "$work/mapped/PORT"
holds "a change" emsa set prod/web PORT=9090
is "is seen" 9090 "$(as_other 100000 cat "$work/mapped/PORT")"
ends "one that is not for that" 1 "invalid" /usr/bin/python3 "$folder/idmap.py" "$EMSA_STORE/volumes/all" "$pid" "$work/mapped"
umount "$work/mapped"
end_containers
over TERM
finish
