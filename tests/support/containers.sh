#!/bin/bash
# Real containers, with podman and runc, in a storage of the test's own; to be sourced after tests/support/lib.sh.
# shellcheck disable=SC2034 # names are read by the scripts that source this
set -euo pipefail
: "${work:?tests/support/lib.sh makes it}" "${root:?}"

for program in podman runc busybox; do
    command -v "$program" >/dev/null || skip "no $program here"
done

image=localhost/emsa-test
plugin=$work/run/docker/plugins/emsa.sock # for emsad --volume
chmod 0755 "$work"
mkdir -p "$work/podman/image" "$work/hooks"
cat >"$work/podman/containers.conf" <<END_OF_CONF
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1000:1000"]
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
hooks_dir = ["$work/hooks"]
[engine.volume_plugins]
emsa = "$plugin"
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

# hooked PROGRAM: emsa-hook's JSON as it is installed, but for this program and the test's store
hooked() {
    sed "s|@CMAKE_INSTALL_PREFIX@/bin/emsa-hook|$1|; s|\"createRuntime\"\\],|\"--store\", \"$EMSA_STORE\", \"createRuntime\"],|" \
        "$root/tools/packaging/emsa-hook.json.in" >"$work/hooks/emsa.json"
}

# The image: a shell that needs no other file, emsa-run, and an /env that says that nothing is mounted, as the
# README has it. What stands below $work/podman/image already comes with it. A sanitizer's emsa-run would need libraries.
make_image() {
    local into=$work/podman/image applet
    mkdir -p "$into/"{bin,emsa,etc,proc,sys,dev,tmp}
    cp -L "$(command -v busybox)" "$into/bin/busybox"
    for applet in sh cat tail ls sleep stat id find grep sed mount umount touch mkdir echo test kill true readlink env; do
        ln -s busybox "$into/bin/$applet"
    done
    [ -n "${EMSA_SANITIZED:-}" ] || cp "$(command -v emsa-run)" "$into/emsa/run"
    mkdir -m 0000 "$into/env"
    touch "$into/env/EMSA_NOT_MOUNTED"
    tar -C "$into" -c . | podman import - "$image" >"$work/podman/imported" 2>&1 ||
        skip "podman cannot import an image here: $(tail -n 1 "$work/podman/imported")"
    [ "$(runs --rm "$image" echo works 2>"$work/podman/said")" = works ] ||
        skip "podman cannot run a container here: $(tail -n 1 "$work/podman/said")"
}

# said COMMAND...: what it printed, and how it ended where that is not well
said() {
    local code=0
    "$@" >"$work/out" 2>"$work/err" || code=$?
    [ "$code" = 0 ] || echo "exit $code"
    cat "$work/out"
}

plugin_pid() {
    pgrep -x emsad-volume || true
}

# What still runs is ended, so that the test's folder can go.
end_containers() {
    podman rm --all --force --time 0 >/dev/null 2>&1 || true
}
