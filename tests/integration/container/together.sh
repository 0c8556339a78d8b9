#!/bin/bash
# Containers that others put together: pods, 'podman kube play', and compose, which speaks docker's API to podman.
# shellcheck disable=SC2317 # what "holds" runs
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
# shellcheck source=../../support/containers.sh
. "$root/tests/support/containers.sh"
# shellcheck source=services.sh
. "$here/services.sh"

# Podman asks for more descriptors than this machine may give, and takes no setting where it makes a pod's own
# container or what others' interfaces ask for: such limits are left out of what runc gets.
cat >"$work/runc" <<'END_OF_RUNC'
#!/usr/bin/python3
import json, os, sys
words = sys.argv[1:]
for option, file in (("--bundle", "/config.json"), ("--process", "")):
    if option in words:
        path = words[words.index(option) + 1] + file
        with open(path) as file:
            config = json.load(file)
        config.get("process", config).pop("rlimits", None)
        with open(path, "w") as file:
            json.dump(config, file)
os.execvp("runc", ["runc", *words])
END_OF_RUNC
chmod +x "$work/runc"
printf '[engine.runtimes]\nrunc = ["%s"]\n' "$work/runc" >>"$CONTAINERS_CONF"

two_services
make_image
begin --volume "$plugin"
is "ready" ready "$said"
volume prod/billing
volume prod/mailer

# A pod: its containers share a network, and each has its own values.
holds "a pod" podman pod create --name pod --network none
holds "billing in it" podman run -d --pod pod --name billing -v prod-billing:/env:ro "$image" consumer read "$url" /dev/null
holds "the mailer in it" podman run -d --pod pod --name mailer -v prod-mailer:/env:ro "$image" consumer read /env/prod/mailer/URL /dev/null
is "each its own" "postgres://billing smtp://mailer" "$(said podman exec billing cat "$url") $(said podman exec mailer cat /env/prod/mailer/URL)"
is "and no other" "exit 1" "$(said podman exec mailer ls "$url")"
holds "changed" emsa set prod/billing URL=postgres://moved
is "live" postgres://moved "$(said podman exec billing cat "$url")"
holds "stopped" podman pod stop --time 0 pod
holds "started again" podman pod start pod
is "there again" postgres://moved "$(said podman exec billing cat "$url")"
holds "away" podman pod rm --force --time 0 pod

# What kubernetes' files say, played by podman: the volume is a claim.
cat >"$work/pod.yaml" <<END_OF_POD
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  hostNetwork: true
  restartPolicy: Never
  containers:
    - name: billing
      image: $image
      command: ["/bin/consumer", "read", "$url", "/dev/null"]
      volumeMounts: [{name: env, mountPath: /env, readOnly: true}]
  volumes:
    - name: env
      persistentVolumeClaim: {claimName: prod-billing}
END_OF_POD
holds "played" podman kube play "$work/pod.yaml"
is "it reads" postgres://moved "$(said podman exec shop-billing /bin/cat "$url")"
holds "taken down" podman kube down "$work/pod.yaml"
is "the volume stays" "prod-billing prod-mailer" "$(podman volume ls -q | sort | paste -sd ' ')"

# An existing compose file, and beside it the one that emsa writes: volumes are made, and go, by compose itself.
if ! command -v docker-compose >/dev/null; then
    end_containers
    over TERM
    finish
fi
mkdir "$work/project"
cd "$work/project"
cat >compose.yaml <<END_OF_PROJECT
version: "3.7"
services:
  billing: {image: $image, network_mode: none, command: [/bin/consumer, read, $url, /dev/null]}
  mailer: {image: $image, network_mode: none, command: [/bin/consumer, read, /env/prod/mailer/URL, /dev/null]}
END_OF_PROJECT
emsa export prod --format compose-override --file compose.yaml >compose.emsa.yaml
command podman --root "$work/podman/root" --runroot "$work/podman/run" --tmpdir "$work/podman/tmp" \
    --storage-driver vfs system service --time 0 "unix://$work/podman.sock" >"$work/service" 2>&1 &
api=$!
until [ -S "$work/podman.sock" ]; do :; done
compose() {
    env DOCKER_HOST="unix://$work/podman.sock" docker-compose -f compose.yaml -f compose.emsa.yaml "$@"
}
holds "up" compose up -d
is "each its own" "postgres://moved smtp://mailer" \
    "$(said podman exec project_billing_1 cat "$url") $(said podman exec project_mailer_1 cat /env/prod/mailer/URL)"
is "and no other" "exit 1" "$(said podman exec project_mailer_1 ls "$url")"
holds "changed" emsa set prod/billing URL=postgres://third
is "live" postgres://third "$(said podman exec project_billing_1 cat "$url")"
holds "down" compose down --volumes --timeout 0
is "compose's own volumes are gone" "prod-billing prod-mailer" "$(podman volume ls -q | sort | paste -sd ' ')"
is "and no data" postgres://third "$(emsa get prod/billing/URL)"
kill "$api"
wait "$api" 2>/dev/null || true
end_containers
over TERM
finish
