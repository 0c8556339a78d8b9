#!/bin/bash
# Containers that read all the time, while everything of ours that may die dies, and the host takes its mounts away.
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

# Four readers: by the volume, by the hook, by attach, and of a view of the host that the container binds.
volume prod/billing
mkdir "$work/view"
holds "a view of the host" emsa mount prod/billing "$work/view"
holds "by a volume" reads by-volume -v prod-billing:/env:ro
holds "by the hook" reads by-hook "${annotated[@]}"
holds "by a bind" reads by-bind -v "$work/view:/env:ro"
holds "with nothing" stays by-attach -v "$work/told:/told"
holds "attached" emsa attach --pid "$(pid_of by-attach)" prod/billing /env
podman exec -d by-attach consumer read "$url" /told >/dev/null
for _ in 1 2 3 4; do is "reads" ready "$(hear)"; done

# The plugin: nobody notices, and the next one knows all volumes.
for _ in 1 2; do
    pid=$(plugin_pid)
    kill -KILL "$pid"
    gone "$pid"
    until [ -n "$(plugin_pid)" ]; do :; done
done
is "with another plugin" postgres://billing "$(said runs --rm -v prod-billing:/env:ro "$image" cat "$url")"

# The server, again and again, while values change.
for n in 1 2 3 4 5; do
    pid=$(process server)
    kill -KILL "$pid"
    gone "$pid"
    holds "a change at once" emsa set prod/billing "URL=postgres://$n"
done
is "what is there now" postgres://5 "$(said podman exec by-hook cat "$url")"

# The host's umount: what is a volume is refused, a view goes from the host and stays in the container.
ends "a volume" 4 "is a volume" emsa umount "$EMSA_STORE/volumes/prod-billing"
holds "a view" emsa umount "$work/view"
is "nothing is there" "" "$(findmnt -rn "$work/view" || true)"
is "and in the container it is" postgres://5 "$(said podman exec by-bind cat "$url")"
holds "changed" emsa set prod/billing URL=postgres://6
is "live" postgres://6 "$(said podman exec by-bind cat "$url")"
# By umount(8), behind our back: who has the volume keeps it. Podman asks for a volume with the first container of
# it, so a second one finds what stands there: it is told that nothing is mounted, until nobody has it any more.
umount "$EMSA_STORE/volumes/prod-billing"
is "in the container it never went" postgres://6 "$(said podman exec by-volume cat "$url")"
is "another one" "EMSA_NOT_MOUNTED" "$(said runs --rm -v prod-billing:/env:ro "$image" ls -A /env)"
is "how the first ended" "0 reads" "$(ended by-volume)"
holds "it again" reads by-volume -v prod-billing:/env:ro
is "reads" ready "$(hear)"
is "and others too" postgres://6 "$(said runs --rm -v prod-billing:/env:ro "$image" cat "$url")"

# The supervisor: the server serves on, the next supervisor takes it over.
server=$(process server)
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true
is "without a supervisor" postgres://6 "$(said podman exec by-attach cat "$url")"
holds "changed" emsa set prod/billing URL=postgres://7
begin --volume "$plugin"
is "the next supervisor" "ready $server" "$said $(process server)"
kill -KILL "$server"
gone "$server"
for one in by-volume by-hook by-bind by-attach; do
    is "$one: what is there now" postgres://7 "$(said podman exec "$one" cat "$url")"
done
holds "an upgrade" emsad upgrade
until [ -n "$(plugin_pid)" ]; do :; done

# No reader saw an error.
for one in by-volume by-hook by-bind; do
    is "$one: how it ended" "0 reads" "$(ended "$one")"
done
podman exec by-attach sh -c 'kill -TERM $(grep -l consumer /proc/[0-9]*/comm | sed "s,[^0-9],,g")'
is "by-attach: how it ended" reads "$(hear | sed 's/^[1-9][0-9]* //')"
end_containers
over TERM
finish
