#!/bin/bash
# The three doors into a container: a volume of the plugin, the OCI hook, and attach. What is in there is live,
# alone, and told of.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
# shellcheck source=../../support/containers.sh
. "$root/tests/support/containers.sh"
# shellcheck source=services.sh
. "$here/services.sh"
two_services
make_image
hooked "$(command -v emsa-hook)"
begin --volume "$plugin"
is "ready" ready "$said"
doors=(by-volume by-hook by-attach)

# A container by each door, and one of another service; all at once.
volume prod/billing
volume prod/mailer
table() { findmnt -rn -t fuse.emsa -o TARGET | wc -l; }
is "the two volumes" 2 "$(table)"
holds "by a volume" stays by-volume -v prod-billing:/env:ro
holds "of another service" stays mailer -v prod-mailer:/env:ro
holds "by the hook" stays by-hook "${annotated[@]}"
holds "with nothing" stays by-attach
ends "nothing is there yet" 1 "No such file" podman exec by-attach cat "$url"
holds "attached" emsa attach --pid "$(pid_of by-attach)" prod/billing /env

# In one go, since each call of podman takes a third of a second: what root sees in there.
cat >"$work/look" <<'END_OF_LOOK'
cat /env/prod/billing/URL /env/prod/billing/PASSWORD; echo
find /env -name .emsa -prune -o -print | sort
for name in /env/prod/mailer /env/prod/mailer/URL /env/dev /env/.. /env/../env/dev /env/all; do
    [ $name = /env/.. ] || ! stat $name 2>/dev/null || echo found $name
done
touch /env/prod/billing/NEW 2>/dev/null && echo written
echo x 2>/dev/null >/env/prod/billing/URL && echo written
sed -n 's/^[0-9]* [0-9]* [0-9:]* \([^ ]*\) \([^ ]*\) \(r[ow]\).* - fuse.*/\1 \2 \3/p' /proc/self/mountinfo
END_OF_LOOK
for door in "${doors[@]}"; do
    is "$door: its own and nothing else" "postgres://billings3cret
/env
/env/prod
/env/prod/billing
/env/prod/billing/PASSWORD
/env/prod/billing/URL
/ /env ro" "$(podman exec -i "$door" sh <"$work/look" 2>&1)"
done
is "the other service" "smtp://mailer" "$(said podman exec mailer cat /env/prod/mailer/URL)"
is "here are the two volumes still, and no view of a container" 2 "$(table)"
views() { emsa views --json | /usr/bin/python3 -c 'import json, sys; print(*sorted(view["path"] for view in json.load(sys.stdin)["views"]))'; }
is "what stands" "prod/billing prod/billing prod/billing prod/mailer" "$(views)"

# A change is there, and who watches in a container is told by inotify.
watchers=()
for door in "${doors[@]}"; do
    : >"$work/events-$door"
    podman exec "$door" consumer watch "$url" postgres://moved /dev/stdout >"$work/events-$door" &
    watchers+=($!)
    until grep -q ready "$work/events-$door"; do :; done
done
emsa set prod/mailer URL=smtp://other >/dev/null
# each is told before the next is done: who watches says what is there when it looks
told() { for door in "${doors[@]}"; do until grep -q "$1" "$work/events-$door"; do :; done; done; }
emsa set prod/billing NEW=1 >/dev/null
told "CREATE NEW"
emsa rm prod/billing/NEW >/dev/null
told "DELETE NEW"
emsa set prod/billing URL=postgres://moved >/dev/null
wait "${watchers[@]}" || fault "a watcher ended with $?"
for door in "${doors[@]}"; do
    is "$door: told" "ready|CREATE NEW postgres://billing|DELETE NEW postgres://billing|MODIFY postgres://moved" "$(paste -sd '|' "$work/events-$door")"
done

# Stopped and started: volume and hook are there again, what was attached went with the container.
podman stop --time 0 "${doors[@]}" >/dev/null 2>&1
until [ "$(views)" = "prod/billing prod/mailer" ]; do :; done
podman start "${doors[@]}" >/dev/null
is "volume: again" postgres://moved "$(said podman exec by-volume cat "$url")"
is "hook: again" postgres://moved "$(said podman exec by-hook cat "$url")"
is "attach: it ends with the container" "EMSA_NOT_MOUNTED" "$(said podman exec by-attach ls -A /env)"
podman rm --force --time 0 "${doors[@]}" mailer >/dev/null
is "--rm: the volume stays" postgres://moved "$(said runs --rm -v prod-billing:/env:ro "$image" cat "$url")"
is "--rm: the hook's goes" postgres://moved "$(said runs --rm "${annotated[@]}" "$image" cat "$url")"
until [ "$(views)" = "prod/billing prod/mailer" ]; do :; done
is "only the volumes stand" 2 "$(table)"

# One volume in two containers, each in its way; single files; a folder of it.
at=$(podman volume inspect --format '{{.Mountpoint}}' prod-billing)
[ -n "$at" ] || at=$EMSA_STORE/volumes/prod-billing
holds "rw" stays wide -v prod-billing:/env
holds "ro, elsewhere" stays other -v prod-billing:/etc/env:ro
is "rw is not writable either" "exit 1" "$(said podman exec wide touch /env/prod/billing/NEW)"
is "the same there" postgres://moved "$(said podman exec other cat /etc/env/prod/billing/URL)"
holds "a single file" stays single -v "$at/prod/billing/URL:/etc/url:ro"
holds "a folder of it" stays folder -v "$at/prod/billing:/env/prod/billing:ro"
is "its value" postgres://moved "$(said podman exec single cat /etc/url)"
: >"$work/events-single"
podman exec single consumer watch /etc/url postgres://third /dev/stdout >"$work/events-single" &
watcher=$!
until grep -q ready "$work/events-single"; do :; done
emsa set prod/billing URL=postgres://third >/dev/null
wait "$watcher" || fault "the watcher of a single file ended with $?"
is "a single file is told of" "ready|MODIFY postgres://third" "$(paste -sd '|' "$work/events-single")"
is "and read anew" postgres://third "$(said podman exec single cat /etc/url)"
is "the folder too" postgres://third "$(said podman exec folder cat "$url")"
end_containers

# A service that there is not, by each door.
ends "no volume" 125 "did you mean 'billing'" volume prod/biling
ends "no container" 126 "biling" runs --rm --annotation io.emsa.environment=prod --annotation io.emsa.service=biling "$image" echo ran
holds "a container" stays by-attach
ends "nothing attached" 3 "did you mean 'billing'" emsa attach --pid "$(pid_of by-attach)" prod/biling /env
end_containers
over TERM
finish
