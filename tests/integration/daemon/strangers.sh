#!/bin/bash
# The default store's socket, which everybody may reach: what a caller without rights gets. In a machine whose
# /var/lib, /run and /etc/emsa are this test's own.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
mount -t tmpfs -o mode=755 own /var/lib
mount -t tmpfs -o mode=755 own /run
unset EMSA_STORE
export EMSA_IDENTITY=$work/identity
fill
begin
is "ready" "ready" "$said"
socket=/run/emsa/socket
is "everybody may come" "drwx--x--x srw-rw-rw-" "$(stat -c %A /run/emsa) $(stat -c %A $socket)"
mkdir -p "$work/a/b/c" "$work/a/support"
cp "$here/call.py" "$here/crowd.py" "$work/a/b/c/"
cp "$root/tests/support/varlink.py" "$work/a/support/"
chmod -R a+rX "$work"
# shellcheck disable=SC2317 # called by name
stranger() { setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 "$work/a/b/c/$1" "$socket" "${@:2}"; }

ends "no value" 1 "io.emsa.Denied" stranger call.py Get '{"paths": ["prod/web/PORT"]}'
ends "no list" 1 "io.emsa.Denied" stranger call.py List '{"path": "prod"}'
ends "no change" 1 "io.emsa.Denied" stranger call.py Remove '{"paths": ["prod/web/PORT"]}'
ends "no mount" 1 "io.emsa.Denied" stranger call.py Mount
ends "no supervision" 1 "io.emsa.Denied" stranger call.py TakeOver
ends "no stop" 1 "io.emsa.Denied" stranger call.py Stop
# Each is written down: a moment later, by the audit process; a line that never comes ends this by its time.
until [ "$(emsa audit | grep -c denied)" -ge 5 ]; do :; done
is "nothing changed" 8080 "$(emsa get prod/web/PORT)"
holds "a crowd of them" stranger crowd.py
cat "$work/out"
holds "root comes in after them" emsa status
holds "a crowd of root's" /usr/bin/python3 "$here/crowd.py" $socket
cat "$work/out"
is "the server is the one from the beginning" "" "$(grep 'was ended by\|ended with status' "$work/log" || true)"
over TERM
is "its end" 0 "$code"
is "the socket is gone" "" "$(ls /run/emsa)"
umount -l /run
umount -l /var/lib
finish
