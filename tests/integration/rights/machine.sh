#!/bin/bash
# A machine of the test's own: its users and groups, its store and socket. To be sourced after tests/support/lib.sh and
# tests/integration/daemon/daemon.sh.
set -euo pipefail
: "${work:?}"
mount -t tmpfs -o mode=755 own /var/lib
mount -t tmpfs -o mode=755 own /run
unset EMSA_STORE
export EMSA_IDENTITY=$work/identity
{
    echo 'root:x:0:0:root:/root:/bin/bash'
    number=2001
    for name in alice bob carol dave erin frank grace heidi ivan judy mallory ken; do
        echo "$name:x:$number:$number::/:/bin/sh"
        number=$((number + 1))
    done
    # a second name of judy's, and lines that are none
    printf 'judith:x:2010:2010::/:/bin/sh\n+::::::\nalice:x:99999999999999999999:0::/:\nbroken\n:x:2009:0::/:\nivan2:x::0::/:\n'
} >"$work/passwd"
{
    printf 'root:x:0:\ndev:x:3001:frank,mallory\nops:x:3002:frank,mallory\n'
    number=2001
    for name in alice bob carol dave erin frank grace heidi ivan judy mallory ken; do
        echo "$name:x:$number:"
        number=$((number + 1))
    done
} >"$work/group"
chmod 644 "$work/passwd" "$work/group"
mount --bind "$work/passwd" /etc/passwd
mount --bind "$work/group" /etc/group
# shellcheck disable=SC2034 # for who sources this
socket=/run/emsa/socket

# as USER COMMAND...: the command as one of them, in the groups that a login gives
as() {
    local user=$1
    shift
    case $user in
    erin) setpriv --reuid 2005 --regid 3001 --clear-groups "$@" ;;
    frank) setpriv --reuid 2006 --regid 2006 --groups 3001,3002 "$@" ;;
    *)
        local uid
        uid=$(awk -F: -v name="$user" '$1 == name { print $3; exit }' "$work/passwd")
        setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
        ;;
    esac
}
