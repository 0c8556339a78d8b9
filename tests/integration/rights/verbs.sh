#!/bin/bash
# grant, revoke and grants as people type them.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
# shellcheck source=machine.sh
. "$here/machine.sh"
fill

# Without a server: root's, in this process.
holds "more than one place, of whom and right" emsa grant prod/web prod --to user:alice --to group:dev --read --set -m "new here"
says() { checks=$((checks + 1)) && { grep -q -- "$2" "$work/out" "$work/err" || fault "$1: no '$2' in $(cat "$work/out" "$work/err")"; }; }
says "each is told" "+  prod/web  (user:alice may read, set)"
holds "what is granted is granted" emsa grant prod/web --to user:alice --read
says "and said so" "nothing to change"
holds "nobody of that name" emsa grant / --to user:zoe --audit
says "is said" "'/' is for 'user:zoe', who is nobody of this system yet"
ends "no right" 2 "which rights" emsa grant prod --to user:alice
ends "to nobody" 2 "to whom" emsa grant prod --read
ends "a number is no name" 2 "nobody who can hold rights" emsa grant prod --to user:1000 --read
ends "an identity that is not known" 3 "no identity .alice. is known here" emsa grant prod --to id:alice --read
ends "a key" 2 "is a key" emsa grant prod/web/PORT --to user:alice --read
ends "no such service" 3 "did you mean 'prod/web'" emsa grant prod/wep --to user:alice --read
ends "no such environment" 3 "no environment 'prd'" emsa grant prd --to user:alice --read
ends "what was not granted" 3 "was not granted that at 'prod'" emsa revoke prod --from user:bob
ends "not all of it was" 3 "was not granted all of that" emsa revoke prod --from user:alice --read --admin
ends "from nobody" 2 "from whom" emsa revoke prod --read
revision=$(emsa --json status | json rev)
holds "a dry run" emsa grant prod --to user:bob --read --dry-run
is "changes nothing" "$revision" "$(emsa --json status | json rev)"
ends "since another revision" 5 "" emsa grant prod --to user:bob --read --if-rev 1
holds "the list" emsa grants
says "everything" "^/ .*user:zoe (unknown here).*audit.*this server"
holds "of one place: what holds there" emsa grants prod/web
says "from above" "^prod  .*user:alice"
holds "of one user" emsa grants user:alice
is "one user's" 2 "$(grep -c user:alice "$work/out")"
is "and no other's" "" "$(grep group: "$work/out" || true)"
is "as JSON" "read set" "$(emsa --json grants user:alice | json grants 0 rights | tr -d "[],'" | xargs)"
holds "the log" emsa log prod/web
says "why" "new here"
rev=$(emsa --json grants user:alice | json grants 0 rev)
holds "that commit" emsa show "$rev"
says "what it did" "+  prod/web  *grant  *user:alice: read, set"
holds "taken back" emsa revoke prod/web --from user:alice --read
says "told" "-  prod/web  (user:alice may no longer read)"
holds "all of it" emsa revoke prod prod/web --from user:alice --from group:dev
is "nothing is left" "" "$(emsa grants prod | grep -v -e zoe -e '^/ .*id:' || true)"

# Rights go with their place, and no rollback brings them back.
emsa grant prod/web --to user:alice --read >/dev/null
before=$(emsa --json status | json rev)
emsa revoke prod/web --from user:alice >/dev/null
emsa set prod/web/PORT 9090 >/dev/null
holds "a rollback" emsa rollback prod/web --to "$before"
is "leaves rights alone" "" "$(emsa grants user:alice)"
emsa grant prod/web --to user:alice --read >/dev/null
emsa export --format yaml >"$work/sheet" 2>/dev/null
is "a sheet carries none" "" "$(grep alice "$work/sheet" || true)"
holds "removed and placed again" emsa service rm prod/web --all
emsa set prod/web PORT=1 >/dev/null
is "it is another" "" "$(emsa grants user:alice)"

# Through the socket.
begin
is "ready" "ready" "$said"
ends "who holds nothing" 1 "has no right to" as alice emsa get prod/web/PORT
emsa grant prod/web --to user:alice --read --set >/dev/null
is "who may" 1 "$(as alice emsa get prod/web/PORT)"
printf 's3cret words' >"$work/value"
chmod 644 "$work/value"
holds "sets a secret through a pipe" as alice emsa set prod/web --secret-file "TOKEN=$work/value"
is "and reads it" "s3cret words" "$(as alice emsa get --reveal prod/web/TOKEN)"
is "who wrote is the kernel's word" "uid 2001 (alice)" "$(emsa --json log prod/web -n 1 | json commits 0 author)"
ends "not elsewhere" 1 "has no right to Set" as alice emsa set prod/other A=1 --new
ends "nor more of it" 1 "has no right to" as alice emsa grant prod/web --to user:alice --admin
is "one's own rights are seen" 1 "$(as alice emsa grants | grep -c user:alice)"
emsa grant prod --to group:ops --admin >/dev/null
holds "by the groups of the process" as frank emsa grant prod/web --to user:bob --list
is "bob lists" "PORT" "$(as bob emsa ls prod/web | awk '$1 == "PORT" { print $1 }')"
ends "mallory is in the group only by /etc/group" 1 "has no right to" as mallory emsa ls prod
emsa revoke prod/web --from user:alice >/dev/null
ends "taken back is taken back at once" 1 "has no right to" as alice emsa get prod/web/PORT
# Each refusal is written down: a moment later, by the audit process; a line that never comes ends this by its time.
until [ "$(emsa audit --who 2001 | grep -c denied)" -ge 4 ]; do :; done

# A whole day's work in one service.
emsa grant prod/web --to user:dave --read --set >/dev/null
mkdir -m 777 "$work/dave"
as dave emsa export prod/web --format yaml >"$work/dave/sheet"
sed 's/PORT: .*/PORT: "2"/' "$work/dave/sheet" >"$work/dave/changed"
chmod 644 "$work/dave/changed"
holds "apply" as dave emsa apply "$work/dave/changed"
is "did it" 2 "$(as dave emsa get prod/web/PORT)"
cat >"$work/dave/editor" <<'END'
sed -i 's/PORT: .*/PORT: 3/' "$1"
END
chmod 755 "$work/dave/editor"
holds "edit" as dave env XDG_RUNTIME_DIR="$work/dave" VISUAL="sh $work/dave/editor" emsa edit prod/web
is "did it too" 3 "$(as dave emsa get prod/web/PORT)"
holds "a template" as dave emsa set prod/web/URL --template "http://h:\${PORT}/"
holds "explain" as dave emsa explain prod/web/URL
holds "diff" as dave emsa diff prod/web --from 3
holds "exec" as dave emsa exec prod/web -- true
holds "check" as dave emsa check prod/web
holds "rollback" as dave emsa rollback prod/web --to "$(emsa --json status | json rev)"
holds "rm" as dave emsa rm prod/web/URL
ends "but no log" 1 "has no right to" as dave emsa log prod/web
ends "and nothing new beside it" 1 "has no right to" as dave emsa service add prod/other
printf 'A=1\nB=2\n' >"$work/dave/env"
chmod 644 "$work/dave/env"
emsa grant prod/web --to user:carol --set >/dev/null
holds "who only sets: import" as carol emsa import prod/web "$work/dave/env"
holds "and rm" as carol emsa rm prod/web/A
ends "and no template" 1 "has no right to" as carol emsa set prod/web/T --template "\${B}"

# Many connections of one user leave room for others.
cat >"$work/crowd.py" <<'END'
import socket, sys
held, turned = [], 0
for _ in range(40):
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.connect(sys.argv[1])
    try:
        link.sendall(b'{"method": "io.emsa.List", "parameters": {}}\0')
    except BrokenPipeError:
        pass  # turned away already; why stands to be read
    try:
        turned += b"io.emsa.Busy" in link.recv(1 << 16)
    except ConnectionResetError:
        turned += 1
    held.append(link)
print(len(held) - turned, turned)
END
chmod 644 "$work/crowd.py"
is "sixteen of one user" "16 24" "$(as bob /usr/bin/python3 "$work/crowd.py" "$socket")"
holds "and the next comes in" as bob emsa ls prod/web
over TERM
is "its end" 0 "$code"
umount /etc/passwd /etc/group
umount -l /run
umount -l /var/lib
finish
