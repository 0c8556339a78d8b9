#!/bin/bash
# An identity that is proven through ssh: the far side's user may do nothing, and CI what its identity was granted. The system's
# store there, its server killed in the middle, and no server at all.
# shellcheck disable=SC2119,SC2317 # begin may be given nothing; functions are called by "ends"
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
# shellcheck source=../rights/machine.sh
. "$root/tests/integration/rights/machine.sh"
# The privilege separation of sshd takes a user of its own.
echo 'sshd:x:2999:2999::/run/sshd:/usr/sbin/nologin' >>"$work/passwd"
# shellcheck source=far.sh
. "$here/far.sh"
printf 'restrict,command="setpriv --reuid 2012 --regid 2012 --clear-groups %s/emsa relay" %s\n' "$EMSA_BIN" "$(cat "$work/ssh/bound.pub")" \
    >"$work/ssh/authorized"
sed -i "s|IdentityFile .*|IdentityFile $work/ssh/bound|" "$work/ssh/config"
chmod 755 "$work"
cp "$here/relayed.py" "$work/"

fill
for name in ci other; do
    emsa identity new "$name" --out "$work/$name" >/dev/null
done
emsa grant prod/web --to id:ci --key "$(emsa identity export --public "$work/ci")" --set >/dev/null
cp "$work/ci" "$work/ci.too"
chown 2012 "$work/ci.too"
begin
is "a server there" ready "$said"
ci() {
    env -u EMSA_IDENTITY emsa --host ssh://root@far --sign "$work/ci" "$@"
}
ends "the user there" 1 "uid 2012 (ken) has no right to Get" emsa --host ssh://root@far get prod/web/PORT
holds "CI sets" ci set prod/web PORT=8081
is "what was meant" 8081 "$(emsa get prod/web/PORT)"
is "signed" True "$(emsa --json log prod/web -n 1 | json commits 0 signer known)"
printf 'another-password' >"$work/new"
holds "a secret too" ci set prod/web --secret-file "PASSWORD=$work/new"
is "is there" another-password "$(emsa get prod/web/PASSWORD --reveal)"
ends "reads nothing" 1 "uid 2012 (ken), 'id:ci', has no right to Get" ci get prod/web/PORT
ends "nor by way of a link" 1 "'id:ci', has no right to Set" ci link prod/web/COPY web/PASSWORD
ends "another identity" 1 "that this store does not know, has no right" emsa --host ssh://root@far --sign "$work/other" set prod/web PORT=1
id=$(emsa --json status | json id)
is "which store it is, is remembered" "far $id 600" "$(cat "$work/known/stores") $(stat -c %a "$work/known/stores")"
echo "far 00112233445566778899aabbccddeeff" >"$work/known/stores"
ends "another store than before" 4 "was 00112233445566778899aabbccddeeff before" ci set prod/web PORT=1
echo "near/var $id" >"$work/known/stores"
ends "the store of another place" 4 "says that it is the one at 'near/var'" ci set prod/web PORT=1
is "nothing was remembered then" 1 "$(wc -l <"$work/known/stores")"
echo "far $id # the same" >>"$work/known/stores"
holds "two names of one place" ci set prod/web PORT=8081
ends "no place to remember" 0 "cannot be remembered" env EMSA_KNOWN_STORES=/proc/none/stores emsa --host ssh://root@far --sign "$work/ci" set prod/web PORT=8081
ends "another store" 4 "EMSA_STORE_ID" env EMSA_STORE_ID=00112233445566778899aabbccddeeff emsa --host ssh://root@far --sign "$work/ci" set prod/web PORT=1

# One connection over a server's end: whoever proved something proves it again.
kill -9 "$(process server)"
holds "after a server's end" ci set prod/web PORT=8082
mkfifo "$work/feed"
PYTHONPATH=$root/tests/integration/rights setpriv --reuid 2012 --regid 2012 --clear-groups /usr/bin/python3 -B "$work/relayed.py" \
    "$EMSA_BIN/emsa" "$work/ci.too" >"$work/said" 2>"$work/relay-err" <"$work/feed" &
relay=$!
exec 7>"$work/feed"
until grep -q 'done' "$work/said"; do kill -0 "$relay"; done
kill -9 "$(process server)"
echo go >&7
exec 7>&-
wait "$relay" || fault "the relay's client: $(cat "$work/relay-err")"
is "a relay says so when what was proven is lost, and takes the proof again" "done io.emsa.Unproven done" "$(xargs <"$work/said")"
over TERM
ends "without a server its user has no store there" 3 "no server of the system" ci set prod/web PORT=8083
holds "what was done is in order" emsa verify
finish
