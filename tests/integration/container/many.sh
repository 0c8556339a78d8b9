#!/bin/bash
# Many containers of ten services at once, by two doors: each has its own values, hears of its own changes, and reads
# on while servers die. EMSA_TEST_CONTAINERS says how many: 10, or 50.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
# shellcheck source=../../support/containers.sh
. "$root/tests/support/containers.sh"
# shellcheck source=services.sh
. "$here/services.sh"
count=${EMSA_TEST_CONTAINERS:-10}
emsa init >/dev/null
emsa env add prod >/dev/null
set_all() {
    local s all=()
    for s in {0..9}; do all+=("prod/s$s/URL=$1-$s"); done
    emsa set --new "${all[@]}" >/dev/null
}
set_all first
make_image
hooked "$(command -v emsa-hook)"
begin --volume "$plugin"
is "ready" ready "$said"
for s in {0..9}; do volume "prod/s$s"; done

# Every second one by the hook. Half of them read all the time, half wait to be told.
for ((n = 0; n < count; n++)); do
    s=$((n % 10)) door=(-v "prod-s$((n % 10)):/env:ro")
    [ $((n / 10 % 2)) = $((n % 2)) ] || door=(--annotation io.emsa.environment=prod --annotation "io.emsa.service=s$s")
    work_of=(watch "/env/prod/s$s/URL" "last-$s" /told)
    [ $((n / 2 % 2)) = 0 ] || work_of=(read "/env/prod/s$s/URL" /told)
    runs -d --name "c$n" -v "$work/told:/told" "${door[@]}" "$image" consumer "${work_of[@]}" >"$work/out" 2>"$work/err" &
    [ $((n % 4)) != 3 ] || wait -n || fault "c$n: $(cat "$work/err")"
done
for ((n = 0; n < count; n++)); do is "begun" ready "$(hear)"; done
for ((n = 0; n < count; n += 7)); do
    is "c$n: its value, and no other service" "first-$((n % 10))s$((n % 10))" \
        "$(podman exec "c$n" sh -c 'cat /env/prod/*/URL; ls /env/prod')"
done

# Servers die, and values change, twice; those who wait are told of each, in every container of the service.
for value in second last; do
    pid=$(process server)
    kill -KILL "$pid"
    gone "$pid"
    set_all "$value"
done
watchers=() readers=()
for ((n = 0; n < count; n++)); do
    if [ $((n / 2 % 2)) = 0 ]; then watchers+=("c$n"); else readers+=("c$n"); fi
done
is "all who waited were told, up to the last value" "0" "$(podman wait "${watchers[@]}" | sort -u | paste -sd ' ')"
is "some of both kinds" yes "$([ ${#readers[@]} -ge 4 ] && [ ${#watchers[@]} -ge 4 ] && echo yes)"
for one in "${readers[@]:0:5}"; do
    s=$((${one#c} % 10))
    is "$one: the last value" "last-$s" "$(podman exec "$one" cat "/env/prod/s$s/URL")"
done
podman stop --time 60 "${readers[@]}" >/dev/null
is "no reader saw an error" "0" "$(podman wait "${readers[@]}" | sort -u | paste -sd ' ')"
end_containers
until [ "$(emsa views | wc -l)" = 10 ]; do :; done
is "what is left are the volumes" 10 "$(emsa views | grep -c "$EMSA_STORE/volumes/prod-s")"
holds "removed" podman volume rm --all --force
is "and nothing" "" "$(emsa views)"
over TERM
finish
