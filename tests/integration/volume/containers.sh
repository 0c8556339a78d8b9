#!/bin/bash
# Real containers, with podman and runc, in a storage of the test's own; to be sourced after tests/support/lib.sh.
# shellcheck disable=SC2034 # names are read by the scripts that source this
set -euo pipefail
: "${work:?tests/support/lib.sh makes it}"

for program in podman runc busybox; do
    command -v "$program" >/dev/null || skip "no $program here"
done

image=localhost/emsa-test
mkdir -p "$work/podman"
cat >"$work/podman/containers.conf" <<END_OF_CONF
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1000:1000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
[engine.volume_plugins]
emsa = "$work/run/docker/plugins/emsa.sock"
END_OF_CONF
export CONTAINERS_CONF=$work/podman/containers.conf

podman() {
    command podman --root "$work/podman/root" --runroot "$work/podman/run" --tmpdir "$work/podman/tmp" \
        --storage-driver vfs "$@"
}

# runs OPTION...: podman run, without a network
runs() {
    podman run --network=none "$@"
}

# An image with a shell, of one file that needs no other.
make_image() {
    mkdir -p "$work/podman/image/bin" "$work/podman/image/etc"
    cp -L "$(command -v busybox)" "$work/podman/image/bin/busybox"
    local applet
    for applet in sh cat ls sleep stat id find grep mount umount touch mkdir echo test kill true; do
        ln -s busybox "$work/podman/image/bin/$applet"
    done
    tar -C "$work/podman/image" -c . | podman import - "$image" >"$work/podman/imported" 2>&1 ||
        skip "podman cannot import an image here: $(tail -n 1 "$work/podman/imported")"
    [ "$(runs --rm "$image" echo works 2>"$work/podman/said")" = works ] ||
        skip "podman cannot run a container here: $(tail -n 1 "$work/podman/said")"
}

# What still runs is ended, so that the test's folder can go.
end_containers() {
    podman rm --all --force --time 0 >/dev/null 2>&1 || true
}
