#!/bin/bash
# How much one user may take of what there is for all: views.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
# shellcheck source=machine.sh
. "$here/machine.sh"
fill
cp "$here/holder.py" "$work/holder.py"
chmod 755 "$work" "$work/holder.py"
emsa grant prod/web --to user:alice --to user:bob --read >/dev/null
begin --views-each 3
is "ready" "ready" "$said"

# All at once: no more are made than may be.
mkfifo "$work/to" "$work/from"
as alice /usr/bin/python3 -B "$work/holder.py" "$socket" prod/web 8 <"$work/to" >"$work/from" &
alice=$!
exec 8>"$work/to" 7<"$work/from"
told() {
    local line=
    read -r line <&7 || true
    echo "$line"
}
is "three of eight" "3 5 uid 2001 has 3 views, as many as one user may: unmount one, or have the daemon allow more ('emsad --views-each')" "$(told)"
mkdir -p "$work/alice.d"
chown 2001 "$work/alice.d"
ends "by the command" 4 "has 3 views, as many as one user may" as alice emsa mount prod/web "$work/alice.d"
is "others have their own" "3 1" "$(as bob /usr/bin/python3 -B "$work/holder.py" "$socket" prod/web 4 </dev/null | cut -d' ' -f1,2)"
is "and root what it likes" "5 0 " "$(/usr/bin/python3 -B "$work/holder.py" "$socket" prod/web 5 </dev/null)"

# The next server knows whose they are.
server=$(emsa --json status | json pid)
kill -KILL "$server"
until after=$(emsa --json status | json pid) && [ "$after" != "$server" ]; do :; done
echo more >&8
is "not by a server's death" "io.emsa.Refused" "$(told | cut -d' ' -f1)"

# One that is gone makes room.
views() { emsa --json views prod/web | json views | grep -o "'id'" | wc -l; }
before=$(views)
until [ "$before" -eq 3 ]; do before=$(views); done
echo one >&8
is "one is let go of" "gone" "$(told)"
until [ "$(views)" -eq 2 ]; do :; done
echo more >&8
is "and one more is made" "None" "$(told | cut -d' ' -f1)"
echo more >&8
is "but one" "io.emsa.Refused" "$(told | cut -d' ' -f1)"
exec 8>&- 7<&-
wait "$alice"
until [ "$(views)" -eq 0 ]; do :; done
over TERM
is "its end" 0 "$code"
umount /etc/passwd /etc/group
umount -l /run
umount -l /var/lib
finish
