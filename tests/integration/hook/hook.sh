#!/bin/bash
# emsa-hook with real containers: podman, runc, an image of busybox.
# shellcheck disable=SC2016,SC2119,SC2317 # for the commands that are run; what "ends" runs
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
# shellcheck source=../../support/containers.sh
. "$root/tests/support/containers.sh"
[ -z "${EMSA_SANITIZED:-}" ] || skip "a sanitizer's emsa-run needs libraries, and the image has none"

# start ANNOTATION... -- OPTION... -- COMMAND...: runs a container with io.emsa.ANNOTATION
start() {
    local annotations=() options=()
    for (( ; $# > 0; )); do
        [ "$1" != -- ] || break
        annotations+=(--annotation "io.emsa.$1")
        shift
    done
    shift
    for (( ; $# > 0; )); do
        [ "$1" != -- ] || break
        options+=("$1")
        shift
    done
    shift
    runs "${annotations[@]}" "${options[@]}" "$image" "$@"
}

billing=(environment=prod service=billing)

# inside_is WHAT EXPECTED ANNOTATION... -- OPTION... -- COMMAND...
inside_is() {
    local what=$1 expected=$2
    shift 2
    is "$what" "$expected" "$(start "${billing[@]}" "$@" 2>"$work/err" || cat "$work/err")"
}

# refused WHAT WORDS ANNOTATION...: such a container runs nothing
refused() {
    local what=$1 words=$2
    shift 2
    ends "$what" 126 "$words" start "$@" -- --rm -- echo ran
    is "$what: nothing ran" "" "$(grep -x ran "$work/out" || true)"
}

views() {
    inside_is "its values" "8080" -- --rm -- cat /env/prod/billing/PORT
    inside_is "secrets too" "s3cret" -- --rm -- cat /env/prod/billing/PASSWORD
    inside_is "no other environment" "prod" -- --rm -- ls /env
    inside_is "no other service" "billing" -- --rm -- ls /env/prod
    inside_is "a superblock of its own" "/ /env ro" -- --rm -- \
        sed -n 's/^[0-9]* [0-9]* [0-9:]* \([^ ]*\) \([^ ]*\) \(r[ow]\).* - fuse.*/\1 \2 \3/p' /proc/self/mountinfo
    inside_is "flat, elsewhere, in a directory that is made" "8080" path=/etc/made/here layout=flat -- --rm -- cat /etc/made/here/PORT
    inside_is "an owner and a mode" "1000 1001 400" uid=1000 gid=1001 mode=0400 -- --rm -- \
        stat -c '%u %g %a' /env/prod/billing/PORT
    inside_is "users of its own" "0 0 400 8080" mode=0400 -- --rm --uidmap 0:100000:65536 -- \
        sh -c 'echo $(stat -c "%u %g %a" /env/prod/billing/PORT) $(cat /env/prod/billing/PORT)'
    inside_is "a read-only image" "8080" -- --rm --read-only -- cat /env/prod/billing/PORT
    inside_is "variables" "8080 s3cret" -- --rm -- /emsa/run -- sh -c 'echo $PORT $PASSWORD'
    inside_is "no link leads out" "8080" path=/out/env -- --rm -- cat /env/prod/billing/PORT
    is "and nothing is mounted here" "" "$(findmnt -rn -t fuse,fuse.emsa -o TARGET || true)"
    is "without annotations nothing is mounted" "EMSA_NOT_MOUNTED" "$(start -- --rm -- ls /env 2>&1)"
}

lives() {
    mkfifo "$work/end"
    start "${billing[@]}" -- -d --name one -v "$work/end:/tmp/end" -- sh -c 'read -r nothing </tmp/end' >/dev/null
    start environment=prod service=mailer -- -d --name two -v "$work/end:/tmp/end" -- sh -c 'read -r nothing </tmp/end' >/dev/null
    is "two at once" "8080 25" "$(podman exec one cat /env/prod/billing/PORT) $(podman exec two cat /env/prod/mailer/PORT)"
    is "in no table but theirs" "" "$(findmnt -rn -t fuse,fuse.emsa -o TARGET || true)"
    emsa set prod/billing PORT=9090 >/dev/null
    is "a change" "9090" "$(podman exec one cat /env/prod/billing/PORT)"
    kill -KILL "$(server_pid)"
    is "a server that is killed" "9090 25" "$(podman exec one cat /env/prod/billing/PORT) $(podman exec two cat /env/prod/mailer/PORT)"
    podman stop -t 0 one >/dev/null 2>&1
    podman start one >/dev/null
    is "started again" "9090" "$(podman exec one cat /env/prod/billing/PORT)"
    podman rm -f -t 0 one two >/dev/null 2>&1
    emsa set prod/billing PORT=8080 >/dev/null
}

refusals() {
    refused "no such service" "prod/biling\|biling" environment=prod service=biling
    refused "no such environment" "live" environment=live service=billing
    refused "a name that is missing" "io.emsa.service' is missing" environment=prod
    refused "one that is misspelt" "no annotation 'io.emsa.servise'" environment=prod servise=billing
    refused "all that is wrong" "tree or flat" "${billing[@]}" layout=round mode=rw
    refused "a link to nothing" "link to nothing" "${billing[@]}" path=/dangling/env
    refused "a file" "no directory" "${billing[@]}" path=/bin/busybox
    hooked "$work/none"
    ends "a hook that is not there: the image's entry refuses" 125 "nothing is mounted" \
        start "${billing[@]}" -- --rm -- /emsa/run -- echo ran
    ends "and there is nothing to read" 1 "No such file" start "${billing[@]}" -- --rm -- cat /env/prod/billing/PORT
    hooked "$(command -v emsa-hook)"
    holds "no daemon" emsa stop
    refused "is refused" "start emsad" "${billing[@]}"
    begin
    is "the daemon is ready" ready "$said"
    inside_is "until there is one" "8080" -- --rm -- cat /env/prod/billing/PORT
}

alone() {
    ends "no state" 2 "no JSON object" emsa-hook --store "$EMSA_STORE"
    ends "no such option" 2 "no option" emsa-hook --none
    ends "another stage" 2 "createRuntime" emsa-hook createContainer
    ends "help" 0 "usage: emsa-hook" emsa-hook --help
    ends "version" 0 "emsa-hook [0-9]" emsa-hook --version
    printf '{"status":"creating","pid":999999999,"bundle":"%s","annotations":{"io.emsa.environment":"prod","io.emsa.service":"billing"}}' \
        "$work" >"$work/state"
    echo '{"root":{"path":"/"}}' >"$work/config.json"
    ends "a process that is gone" 3 "no process" bash -c 'emsa-hook --store "$EMSA_STORE" <"$1"' - "$work/state"
}

ln -s /../../../../.. "$work/podman/image/out"
ln -s /nothing/at/all "$work/podman/image/dangling"
make_image
hooked "$(command -v emsa-hook)"
emsa init >/dev/null
emsa env add prod >/dev/null
printf s3cret >"$work/s"
emsa set --new prod/billing PORT=8080 >/dev/null
emsa set prod/billing --secret-file "PASSWORD=$work/s" >/dev/null
emsa set --new prod/mailer PORT=25 >/dev/null
begin
views
lives
refusals
alone
finish
