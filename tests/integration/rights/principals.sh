#!/bin/bash
# Who a caller is: names that come, go, are others', are odd or are numbers; and processes that are not who they seem to be.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
# shellcheck source=machine.sh
. "$here/machine.sh"
fill
begin
is "ready" "ready" "$said"
cp "$here/peer.py" "$work/peer.py"
chmod 755 "$work" "$work/peer.py"
cp "$work/passwd" "$work/passwd.first"
# may UID: what a user gets who asks for the value
may() { setpriv --reuid "$1" --regid "$1" --clear-groups emsa get prod/web/PORT 2>&1 | head -n 1; }
denied() { echo "emsa: uid $1 has no right to Get 'prod/web/PORT'"; }

# A name is what a right is held by: who has it has the right.
emsa grant prod/web --to user:alice --read >/dev/null
is "a user of that name" 8080 "$(may 2001)"
grep -v '^alice:' "$work/passwd.first" >"$work/passwd"
is "a user that has no name any more" "$(denied 2001)" "$(may 2001)"
is "is said to be unknown" "False" "$(emsa --json grants user:alice | json grants 0 known)"
echo 'alice:x:2040:2040::/:' >>"$work/passwd"
is "whose name another one has" "$(denied 2001)" "$(may 2001)"
is "that one may" 8080 "$(may 2040)"
cat "$work/passwd.first" >"$work/passwd"
is "and back" 8080 "$(may 2001)"
is "the other one no more" "$(denied 2040)" "$(may 2040)"
echo 'alias:x:2001:2001::/:' >>"$work/passwd"
emsa grant prod/web --to user:alias --set >/dev/null
holds "a second name has its own" as alice emsa set prod/web/PORT 2
holds "and the first one's" as alice emsa get prod/web/PORT
emsa revoke prod/web --from user:alias --from user:alice >/dev/null

# What is in these files may be anything.
cat "$work/passwd.first" >"$work/passwd"
{
    printf '2030:x:2031:2031::/:\n'                      # a name that is a number, and another one's
    printf 'so so:x:2032:2032::/:\n'                     # a space
    printf 'corp\\mia:x:2033:2033::/:\n'                 # a domain
    printf 'svc$:x:2034:2034::/:\n'                      # a machine
    printf 'j\xfcrgen:x:2035:2035::/:\n'                 # no UTF-8
    printf 'user:prod:x:2036:2036::/:\n'                 # a colon too many: the number is no number
    printf 'a.b-c_d@corp.example:x:2037:2037::/:\n'
    printf '%0300d:x:2038:2038::/:\n' 0                  # longer than a name may be
    printf 'wrapped:x:4294969335:0::/:\n'                # 2^32 + 2039
    printf 'minus:x:-1:0::/:\nplus:x:+2039:0::/:\nhex:x:0x7f7:0::/:\nempty:x::0::/:\n'
    head -c 3000000 /dev/zero | tr '\0' 'x'
    printf ':x:2039:2039::/:\n'
    printf 'last:x:2041:2041::/:' # and no end of the line
} >>"$work/passwd"
for name in 2030 'so so' user:prod "$(printf '%0300d' 0)"; do
    ends "nothing for '${name:0:20}'" 2 "nobody who can hold rights" emsa grant prod/web --to "user:$name" --read
done
ends "nor for what is no text" 2 "not UTF-8" emsa grant prod/web --to $'user:j\xfcrgen' --read
for name in wrapped minus plus hex empty; do emsa grant prod/web --to "user:$name" --read >/dev/null 2>&1; done
for uid in 2031 2032 2035 2038; do is "$uid holds nothing" "$(denied "$uid")" "$(may "$uid" | sed 's/ ([^)]*)//')"; done
is "2036 neither" "$(denied 2036)" "$(may 2036)"
is "numbers that are none" "$(denied 2039)" "$(may 2039)"
holds "names with everything that a name may have" emsa grant prod/web --to user:a.b-c_d@corp.example --to user:last --to 'user:corp\mia' --to 'user:svc$' --read
for uid in 2033 2034; do is "$uid holds it" 2 "$(may "$uid")"; done
is "holds" 2 "$(may 2037)"
is "and the last line counts" 2 "$(may 2041)"
holds "one that cannot be shown" emsa grant / --to user:alice --admin
is "the log can be read by all means" "uid 2001 (alice)" "$(as alice emsa set prod/web/PORT 3 >/dev/null && emsa --json log prod/web -n 1 | json commits 0 author)"
emsa revoke / --from user:alice >/dev/null
emsa grant prod/web --to group:odd --set >/dev/null
echo 'odd:x:2035:' >>"$work/group"
is "a name without UTF-8 is no name" "uid 2035" "$(setpriv --reuid 2035 --regid 2035 --clear-groups emsa set prod/web/PORT 4 >/dev/null && emsa --json log prod/web -n 1 | json commits 0 author)"
cat "$work/passwd.first" >"$work/passwd"

# Without the files: nobody has a name, and root needs none.
emsa grant prod/web --to user:alice --read >/dev/null
is "alice may" 4 "$(may 2001)"
: >"$work/passwd"
is "an empty file" "$(denied 2001)" "$(may 2001)"
is "root" 4 "$(emsa get prod/web/PORT)"
cat "$work/passwd.first" >"$work/passwd"

# Groups, by name alone, and as the kernel has them.
ends "a group by its number" 2 "nobody who can hold rights" emsa grant prod/web --to group:3001 --read
emsa set prod/db PORT=5 --new >/dev/null
emsa grant prod/db --to group:dev --read >/dev/null
emsa grant prod/db --to user:nobody-else --admin >/dev/null
cat >"$work/wanted" <<'END'
connected-as-alice-asked-by-root io.emsa.Denied
given-to-a-child-of-root io.emsa.Denied
connected-as-root-asked-by-alice done
real-root-effective-alice io.emsa.Denied
real-alice-effective-root done
in-the-group done
was-in-the-group done
came-into-the-group-later io.emsa.Denied
by-its-first-group done
in-very-many-groups done
END
/usr/bin/python3 -B "$work/peer.py" "$socket" prod/db/PORT >"$work/found" 2>&1 || true
same "who connected is who asks" "$work/wanted" "$work/found"
is "root in a user namespace of its own is who it was" "emsa: uid 2001 (alice) has no right to Get 'prod/db/PORT'" \
    "$(as alice unshare --user --map-root-user emsa get prod/db/PORT 2>&1 | head -n 1)"
sed 's/^dev:x:3001:/dev:x:3009:/' "$work/group" >"$work/group.next"
cat "$work/group.next" >"$work/group"
ends "a group whose name another number has" 1 "has no right to" as erin emsa get prod/db/PORT
over TERM
is "its end" 0 "$code"
umount /etc/passwd /etc/group
umount -l /run
umount -l /var/lib
finish
