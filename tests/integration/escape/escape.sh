#!/bin/bash
# escape.sh [PRIVILEGE]: root in a container tries to get out of its view, and at the views of others. Real containers
# (podman, runc), five measures of privilege, three ways that a view gets into a container. What came back is
# searched for the names and values of others. With a privilege (default, reader, admin, privileged, users) all ways
# and many more ids. Two other consumers read, and wait for their events, all the while.
# shellcheck disable=SC2016 # for the commands that are run in containers
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
all=${1:-}
folder=$here
here=$root/tests/integration/daemon
# shellcheck source=../daemon/daemon.sh
. "$here/daemon.sh"
# shellcheck source=../../support/containers.sh
. "$root/tests/support/containers.sh"
# shellcheck source=attacker.sh
. "$folder/attacker.sh"
[ -z "${EMSA_SANITIZED:-}" ] || skip "a sanitizer's programs need libraries, and the image has none"

# Nobody could guess it: whoever shows it has shown something of others.
mark=$(head -c 9 /dev/urandom | od -An -v -t x1 | tr -d ' \n')
twin=$(head -c 9 /dev/urandom | od -An -v -t x1 | tr -d ' \n')
other=prod/mailer-$mark

fill_both() {
    emsa init >/dev/null
    for environment in prod "dev-$mark"; do
        emsa env add "$environment" -m "why $mark" >/dev/null
        printf 'secret of %s %s' "$environment" "$mark" >"$work/secret"
        emsa set --new "$environment/mailer-$mark" A_TICK=0 "KEY_$mark=value $mark" -m "why $mark" >/dev/null
        emsa set "$environment/mailer-$mark" --secret-file "PASSWORD_$mark=$work/secret" -m "why $mark" >/dev/null
    done
    emsa set --new "dev-$mark/billing" "PORT=$mark" -m "why $mark" >/dev/null
    emsa set --new prod/shared "HOST_$mark=db.internal" "OTHER_$mark=$mark" -m "why $mark" >/dev/null
    printf 'its own secret' >"$work/secret"
    emsa set --new prod/billing A_TICK=0 PORT=8080 -m "why $mark" >/dev/null
    emsa set prod/billing --secret-file "PASSWORD=$work/secret" -m "why $mark" >/dev/null
    emsa link prod/billing/HOST "shared/HOST_$mark" -m "why $mark" >/dev/null
    emsa set all/billing "LOG=json" -m "why $mark" >/dev/null
}

# What others have, and beside each a name of the same form that nobody has.
names() {
    local name
    for name in "dev-$mark" "dev-$mark/billing" "dev-$mark/billing/PORT" "$other" "$other/A_TICK" "$other/KEY_$mark" \
        "$other/.emsa" "$other/.emsa/rev" "$other/.emsa/json" "prod/shared-$mark" "prod/billing/KEY_$mark" \
        "prod/billing/HOST_$mark" "prod/billing/.emsa/KEY_$mark" "prod/billing/.emsa/at/4/KEY_$mark" \
        "prod/billing/.emsa/head/KEY_$mark" ".emsa/at/9/$other" "prod/.emsa/at/9/mailer-$mark" ".emsa/at/release-$mark" \
        "prod/billing/.emsa/at/release-$mark"; do
        printf '%s\t%s\n' "$name" "${name//$mark/$twin}"
    done
    printf '%s\t%s\n' all alm prod/shared prod/sharee all/billing alm/billing .emsa .emsb .emsa/at .emsb/at \
        .emsa/rev .emsb/rev prod/.emsa prod/.emsb prod/.emsa/head prod/.emsb/head all/.emsa alm/.emsa
}

# The numbers by which the server knows everything there is, as the host's root sees them.
ids() {
    find "$work/admin" "$work/admin/.emsa" "$work/admin/prod/.emsa" "$work/admin/$other/.emsa" "$work/admin/dev-$mark/.emsa" \
        "$work/admin/.emsa/at/9" "$work/admin/prod/.emsa/at/9" -printf '%i\n' 2>/dev/null | sort -u
}

# Changes of everything that is others': each must tell the attacker nothing.
stirred=0
stir() {
    stirred=$((stirred + 1))
    {
        emsa set "$other" "KEY_$mark=longer value $mark $stirred" "NEW_$mark=$stirred" -m "why $mark"
        emsa set --new "prod/more-$mark" "KEY=$mark" -m "why $mark"
        emsa set "dev-$mark/billing" "PORT=$mark$stirred" "PASS_$mark=$stirred" -m "why $mark"
        emsa rm "$other/NEW_$mark" -m "why $mark"
        emsa set prod/shared "OTHER_$mark=$mark$stirred" -m "why $mark"
        emsa lock "$other/KEY_$mark" -m "why $mark"
        emsa unlock "$other/KEY_$mark" -m "why $mark"
        emsa service rm "prod/more-$mark" --all -m "why $mark"
        emsa env add "more$stirred-$mark" -m "why $mark"
        emsa tag "release-$mark-$stirred" -m "why $mark"
    } >"$work/out" 2>"$work/err" || fault "a change of others: $(cat "$work/err")"
}

# tick WHEN: both consumers get the next value, and its event
tick=0
ticks() {
    tick=$((tick + 1))
    emsa set "$other" "A_TICK=$tick" >/dev/null 2>"$work/err" || fault "$1: $(cat "$work/err")"
    emsa set prod/billing "A_TICK=$tick" >/dev/null 2>"$work/err" || fault "$1: $(cat "$work/err")"
    hears "$1: another service" 7 "$tick"
    hears "$1: the same service elsewhere" 8 "$tick"
    checks=$((checks + 1))
}

# One attacker with all that he may try.
attack() {
    local class=$1 way=$2 looked
    start "$class" "$way" || return 0
    ask "limit $guesses"
    ask arm
    stir
    ask heard
    looked=before-$way
    [ "$way" = attach ] && looked=before-history
    ask "look $looked"
    stir
    ask "look after-${looked#before-}"
    same "$class, $way: what he sees while others change" "$work/talk/$looked" "$work/talk/after-${looked#before-}"
    ask try
    ticks "$class, $way: after all attempts"
    for load in "${loads[@]}"; do
        ask "load $load"
        ticks "$class, $way: while $load"
        ticks "$class, $way: while $load"
        ask rest
    done
    ticks "$class, $way: after the load"
    ended
    searched "$class, $way"
}

# What takes the own view away: others have theirs.
harmed() {
    local class=$1 way=$2 what=$3
    start "$class" "$way" || return 0
    ask "harm $what"
    ticks "$class, $way: after $what"
    ended
    searched "$class, $way, $what"
}

make_image_with "$(command -v escape)"
fill_both
begin --volume "$plugin"
is "ready" ready "$said"
mounted "$work/admin"
mkdir -p "$work/talk"
names >"$work/talk/names"
ids >"$work/talk/ids"
sockets >"$work/talk/sockets"
consumer one "mailer-$mark" 7
consumer two billing 8
podman volume create --driver emsa -o environment=prod -o "service=mailer-$mark" "vol-$mark" >/dev/null
podman volume create --driver emsa -o environment=prod -o service=billing own >/dev/null
ticks "before"

guesses=2000 loads=()
if [ -n "$all" ]; then
    guesses=100000
    [ "$all" != default ] || loads=(flood hold hold-all stopped killed)
    [ "$all" = default ] || loads=(flood stopped killed)
    attack "$all" hook
    loads=()
    attack "$all" volume
    attack "$all" attach
else
    loads=(flood hold stopped killed)
    attack default hook
    loads=()
    attack reader attach
    attack admin volume
    loads=(jealous)
    attack privileged hook
    loads=()
    attack users attach
    harmed admin hook "umount -f"
    harmed privileged attach abort
fi
if [ "$all" = admin ] || [ "$all" = privileged ]; then
    for way in hook attach volume; do
        for what in "read-only superblock" "umount -l" "umount -f" abort; do harmed "$all" "$way" "$what"; done
    done
fi
consumed one 7
consumed two 8
is "a volume stands again" "$tick" "$(runs --rm -v own:/env:ro "$image" cat /env/prod/billing/A_TICK 2>&1)"
is "and that of another" "$tick" "$(runs --rm -v "vol-$mark:/env:ro" "$image" cat "/env/$other/A_TICK" 2>&1)"
is "the host's mount" "$tick" "$(cat "$work/admin/$other/A_TICK")"
[ -z "${EMSA_ESCAPE_ROWS:-}" ] || cat "$work/rows" >>"$EMSA_ESCAPE_ROWS"
end_containers
over TERM
finish
