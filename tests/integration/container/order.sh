#!/bin/bash
# The order at boot: a container that begins before the daemon does not run on what its image has; behind it, it runs.
# shellcheck disable=SC2016 # for the commands that are run in there
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
view=$work/views/prod-billing
by_volume=(-v prod-billing:/env:ro)
by_view=(-v "$view:/env:ro,rslave")

# Once, so that podman knows the volume. It is of this machine's last boot, so to speak.
begin --volume "$plugin"
is "ready" ready "$said"
volume prod/billing
over TERM
mkdir -p "$work/views"
holds "a place before its mount" emsa mount --prepare "$view"

# No daemon: by no door does anything run.
ends "a volume" 126 "plugin" runs --rm "${by_volume[@]}" "$image" echo ran
is "a volume: nothing ran" "" "$(grep -x ran "$work/out" || true)"
ends "no volume is made" 125 "plugin" volume prod/mailer
ends "the hook" 126 "start emsad" runs --rm "${annotated[@]}" "$image" echo ran
is "the hook: nothing ran" "" "$(grep -x ran "$work/out" || true)"
ends "a view of the host" 1 "No such file" runs --rm "${by_view[@]}" "$image" cat "$url"
is "it says why" "EMSA_NOT_MOUNTED 0" "$(said runs --rm "${by_view[@]}" "$image" sh -c 'echo $(ls -A /env) $(stat -c %a /env)')"
ends "nobody but root even looks" 1 "denied" runs --rm --user 1000 "${by_view[@]}" "$image" ls /env
ends "nor root without its powers" 1 "denied" runs --rm --cap-drop all "${by_view[@]}" "$image" ls /env
if [ -z "${EMSA_SANITIZED:-}" ]; then
    ends "emsa-run refuses" 125 "nothing is mounted" runs --rm "${by_view[@]}" "$image" /emsa/run -- echo ran
    ends "also on the image's own" 125 "nothing is mounted" runs --rm "$image" /emsa/run -- echo ran
fi
holds "made while there was none" podman create --network=none --name early "${by_volume[@]}" "$image" cat "$url"
ends "it does not begin" 125 "plugin" podman start --attach early

# With the daemon all of them run, as they are.
begin --volume "$plugin"
is "ready again" ready "$said"
holds "the view" emsa mount prod/billing "$view"
holds "wait says so" emsa wait "$view" --timeout 0
is "a volume runs" postgres://billing "$(said runs --rm "${by_volume[@]}" "$image" cat "$url")"
is "what was made before" postgres://billing "$(said podman start --attach early)"
is "the hook runs" postgres://billing "$(said runs --rm "${annotated[@]}" "$image" cat "$url")"
is "the view runs" postgres://billing "$(said runs --rm "${by_view[@]}" "$image" cat "$url")"
if [ -z "${EMSA_SANITIZED:-}" ]; then
    is "emsa-run too" "postgres://billing" "$(said runs --rm "${by_view[@]}" "$image" /emsa/run -- sh -c 'echo $URL')"
fi

end_containers
over TERM
finish
