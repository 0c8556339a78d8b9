#!/bin/bash
# A user of the machine who is not root, with 65,536 more users to give to containers, and with podman; to be sourced
# after tests/support/lib.sh, by root within tests/support/inside. Nothing of the machine's own files is changed.
# shellcheck disable=SC2034 # names are read by the scripts that source this
set -euo pipefail
: "${work:?tests/support/lib.sh makes it}" "${root:?}"

for program in podman runc busybox newuidmap; do
    command -v "$program" >/dev/null || skip "no $program here"
done
[ -c /dev/fuse ] || skip "there is no /dev/fuse"
[ -z "${EMSA_SANITIZED:-}" ] || skip "a sanitizer's programs need libraries, and containers are without"
chmod 0755 "$work"
mknod -m 0666 "$work/fuse" c 10 229 # as udev makes it
mount --bind "$work/fuse" /dev/fuse
home=$work/home
mkdir -m 0700 "$home" "$work/runtime"
chown 4242:4242 "$home" "$work/runtime"
mkdir "$work/bin" # wherever they were built, everybody may run them there
cp "$EMSA_BIN"/{emsa,emsad,emsa-run,emsa-hook} "$work/bin"
for name in passwd subuid subgid; do cat "/etc/$name" >"$work/$name" 2>/dev/null || true; done
echo "emsa-test:x:4242:4242::$home:/bin/sh" >>"$work/passwd"
echo "emsa-test:200000:65536" | tee -a "$work/subuid" >>"$work/subgid"
for name in passwd subuid subgid; do mount --bind "$work/$name" "/etc/$name"; done

# as_user COMMAND...
as_user() {
    (cd "$home" && exec setpriv --reuid 4242 --regid 4242 --clear-groups --inh-caps=-all -- env -i HOME="$home" \
        XDG_RUNTIME_DIR="$work/runtime" PATH="$work/bin:$PATH" EMSA_STORE="$home/store" "$@")
}

as_user podman unshare true 2>"$work/said" || skip "users make no user namespaces here: $(tail -n 1 "$work/said")"

# Their podman, and an image of busybox.
settle() {
    local applet into=$work/image
    mkdir -p "$home/.config/containers" "$into/"{bin,env,etc,proc,sys,dev,tmp}
    cat >"$home/.config/containers/containers.conf" <<END_OF_CONF
[containers]
default_ulimits = ["nofile=1024:4096", "nproc=1000:1000"]
netns = "none"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
hooks_dir = ["$work/hooks"]
[engine.volume_plugins]
emsa = "$home/plugin"
END_OF_CONF
    printf '[storage]\ndriver = "vfs"\n' >"$home/.config/containers/storage.conf"
    mkdir "$work/hooks"
    sed "s|@CMAKE_INSTALL_PREFIX@|$work|; s|\"createRuntime\"\\],|\"--store\", \"$home/store\", \"createRuntime\"],|" \
        "$root/tools/packaging/emsa-hook.json.in" >"$work/hooks/emsa.json"
    cp -L "$(command -v busybox)" "$into/bin/busybox"
    for applet in sh cat ls stat id true; do ln -s busybox "$into/bin/$applet"; done
    tar -C "$into" -cf "$work/image.tar" .
    chown -R 4242:4242 "$home"
    as_user podman import "$work/image.tar" localhost/emsa-test >"$work/said" 2>&1 ||
        skip "podman cannot import an image here: $(tail -n 1 "$work/said")"
    [ "$(as_user podman run --rm localhost/emsa-test id -u 2>"$work/said")" = 0 ] ||
        skip "podman cannot run a user's container here: $(tail -n 1 "$work/said")"
}
