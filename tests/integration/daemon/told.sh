#!/bin/bash
# Notifier, supervisor and server are killed in the middle of a stream of commits: every watcher, on the mount and on binds of a
# directory and of a file in another mount namespace, gets the event of every last value, and no commit is missed.
# shellcheck disable=SC2119 # begin may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
count=$((${EMSA_TEST_COMMITS:-1000} / scale))
command -v inotifywait >/dev/null || skip "no inotifywait (package inotify-tools)"
fill
for ((key = 0; key < 40; key++)); do echo "K$key=first"; done >"$work/first"
mapfile -t first <"$work/first"
holds "keys" emsa set prod/web END=first "${first[@]}"
mkdir "$work/env" "$work/folder" "$work/told"
touch "$work/file"
mkfifo "$work/marks" "$work/standing"
begin --mount "$work/env"
is "ready" "ready" "$said"

# watch HOW PATH NAME: what it found is in told/NAME
watch() {
    /usr/bin/python3 "$here/told.py" watch "$1" "$2" "$work/standing" >"$work/told/$3" 2>&1
}
export -f watch
export work here
watchers=()
exec 7<>"$work/standing"
for how in inotifywait inotify; do
    watch "$how" "$work/env/prod/web" "$how.mount" &
    watchers+=($!)
    # shellcheck disable=SC2016 # the inner shell's own
    unshare --mount --propagation private bash -c 'mount --bind "$work/env/prod/web" "$work/folder" && watch "$1" "$work/folder" "$1.folder"' - "$how" &
    watchers+=($!)
    # shellcheck disable=SC2016
    unshare --mount --propagation private bash -c 'mount --bind "$work/env/prod/web/K0" "$work/file" && watch "$1" "$work/file" "$1.file"' - "$how" &
    watchers+=($!)
done
for _ in "${watchers[@]}"; do
    read -r -t 60 _ <&7 || fault "a watch does not stand"
done
/usr/bin/python3 "$here/told.py" commit "$EMSA_STORE/socket" "$work/env" "$count" "$work/marks" >"$work/commits" 2>&1 &
commits=$!
exec 8<"$work/marks"
kills=0 notifiers=0 supervisors=0 servers=0
while read -r _ <&8; do
    case $((kills++ % 4)) in
    0 | 2)
        kill -9 "$(process notifier)" && notifiers=$((notifiers + 1))
        ;;
    1)
        kill -9 "$daemon"
        wait "$daemon" 2>/dev/null || true
        supervisors=$((supervisors + 1))
        begin --mount "$work/env"
        is "the next one takes over" "ready" "$said"
        ;;
    3)
        kill -9 "$(process server)" && servers=$((servers + 1))
        ;;
    esac
done
wait "$commits" || fault "commits failed"
cat "$work/commits"
echo "killed: the notifier $notifiers times, the supervisor $supervisors, the server $servers"
for watcher in "${watchers[@]}"; do
    wait "$watcher" || fault "a watcher failed"
done
cat "$work/told"/*
over TERM
finish
