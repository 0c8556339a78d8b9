#!/bin/bash
# A key of ssh's in an ssh-agent: it is an identity that signs what is changed and proves who asks; the private half is in no hand
# of ours. And agents that have no key, several, others, are locked, say no, are none or are not there.
# shellcheck disable=SC2119,SC2317 # begin may be given nothing; functions are called by "ends"
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
# shellcheck source=../rights/machine.sh
. "$root/tests/integration/rights/machine.sh"
command -v ssh-agent >/dev/null || skip "no ssh-agent: apt install openssh-client"

# agent NAME [VARIABLE...]: starts one; its socket is $work/NAME, reachable for the user ken
agents=()
agent() {
    local name=$1
    shift
    env "$@" ssh-agent -D -a "$work/$name" >"$work/$name.out" 2>&1 &
    agents+=($!)
    until SSH_AUTH_SOCK=$work/$name ssh-add -l >/dev/null 2>&1 || [ $? = 1 ]; do kill -0 "${agents[-1]}"; done
}
add() { # AGENT KEY [OPTION...]
    local name=$1 key=$2
    shift 2
    SSH_AUTH_SOCK=$work/$name ssh-add -q "$@" "$work/$key" 2>"$work/add" || fault "ssh-add $key: $(cat "$work/add")"
}
ssh-keygen -q -t ed25519 -N '' -C 'alice@laptop' -f "$work/alice"
ssh-keygen -q -t ed25519 -N '' -C 'other' -f "$work/second"
ssh-keygen -q -t rsa -b 2048 -N '' -C 'old' -f "$work/rsa"
ssh-keygen -q -t ecdsa -N '' -C 'curve' -f "$work/ecdsa"
chmod 755 "$work"
chmod 644 "$work"/*.pub
agent one
add one alice
add one rsa
export SSH_AUTH_SOCK=$work/one

# Its public half, by each of its names, and as another implementation makes it.
alice=$(emsa identity export --public --ssh "$work/alice.pub")
fingerprint=$(ssh-keygen -lf "$work/alice.pub" | cut -d ' ' -f 2)
for which in ssh-agent ssh-agent:alice@laptop "ssh-agent:$fingerprint" "ssh-agent:$work/alice.pub"; do
    is "$which" "$alice" "$(emsa identity export --public --ssh "$which")"
done
is "as libsodium has it" "$alice" "$(/usr/bin/python3 - "$work/alice.pub" <<'E2'
import base64, sys
from nacl.bindings import crypto_sign_ed25519_pk_to_curve25519
key = base64.b64decode(open(sys.argv[1]).read().split()[1])[-32:]
print("emsa1" + crypto_sign_ed25519_pk_to_curve25519(key).hex() + key.hex())
E2
)"
ends "who it is" 0 "$fingerprint" emsa identity show --ssh "$work/alice.pub"
is "as JSON" "alice@laptop" "$(emsa --json identity show --ssh ssh-agent | json comment)"
ends "two of them" 2 "not both" emsa identity show --ssh ssh-agent "$work/alice"
for kind in rsa ecdsa; do
    ends "a key of $kind" 2 "Ed25519" emsa identity export --public --ssh "$work/$kind.pub"
done
ends "a private key" 2 "no public key of ssh" emsa identity export --public --ssh "$work/alice"
ends "no file" 3 "cannot open the public key" emsa identity export --public --ssh "$work/nowhere.pub"

# It signs; the store knows it once it was granted something.
emsa init >/dev/null
emsa env add prod dev >/dev/null
emsa set prod/web PORT=80 --new >/dev/null
holds "granted" emsa grant prod --to id:alice --key "$alice" --set --read
signer() { emsa --json log "$1" -n 1 | json commits 0 signer "$2"; }
holds "signs" emsa --sign ssh-agent set prod/web PORT=81
is "known" True "$(signer prod/web known)"
is "by that key" "${alice:69}" "$(signer prod/web key)"
printf 'a secret of some length' >"$work/key"
holds "a secret" emsa --sign ssh-agent:alice@laptop set prod/web --secret-file "PASSWORD=$work/key"
emsa env add sealed --protected --signed -m "why" >/dev/null
ends "where changes are signed" 4 "was not granted --set there" emsa --sign ssh-agent set sealed/web A=1 --new -m "why"
holds "and were granted" emsa grant sealed --to id:alice --set -m "she may"
holds "by the environment" env EMSA_SIGN_IDENTITY=ssh-agent emsa set sealed/web A=1 --new -m "why"
holds "verify" emsa verify
holds "in Python" /usr/bin/python3 -B "$root/tests/integration/format/emsa_settle.py" /var/lib/emsa --identity "$work/identity"

# It proves who asks.
begin
is "a server" ready "$said"
chown 2012 "$work/one" # the agent answers its own user and root
as_alice() { as ken env SSH_AUTH_SOCK="$work/proxy" emsa --sign ssh-agent "$@"; }
/usr/bin/python3 -B "$here/agents.py" between "$work/proxy" "$work/one" 2012 >"$work/proxy.out" 2>&1 &
agents+=($!)
until [ -s "$work/proxy.out" ]; do kill -0 "${agents[-1]}"; done
ends "its user" 1 "uid 2012 (ken) has no right to Get" as ken emsa get prod/web/PORT
is "with the agent" 81 "$(as_alice get prod/web/PORT)"
is "a secret, by the server" "a secret of some length" "$(as_alice get prod/web/PASSWORD --reveal)"
holds "sets" as_alice set prod/web PORT=82
is "known" True "$(signer prod/web known)"
is "as who it is" "uid 2012 (ken)" "$(emsa --json log prod/web -n 1 | json commits 0 author)"
ends "and no more than that" 1 "uid 2012 (ken), 'id:alice', has no right to Set" as_alice set dev/web PORT=1
ends "no rights" 1 "'id:alice', has no right to Set" as_alice grant prod --to id:alice --admin

# Agents that cannot.
sign_by() { # AGENT [KEY]
    SSH_AUTH_SOCK=$work/$1 emsa --sign "ssh-agent${2:+:$2}" set prod/web PORT=99
}
ends "a key of another type" 2 "another type" sign_by one old
ends "no such key" 3 "no such Ed25519 key" sign_by one bob
add one second
ends "several" 5 "name one" sign_by one
holds "one of them" sign_by one "$work/second.pub"
is "which nobody knows" False "$(signer prod/web known)"
agent empty
ends "no key" 3 "has no Ed25519 key" sign_by empty
ends "no agent" 3 "SSH_AUTH_SOCK is not set" env -u SSH_AUTH_SOCK emsa --sign ssh-agent set prod/web PORT=99
ends "nobody there" 3 "nobody answers" sign_by alice
ends "nothing there" 3 "there is no ssh-agent" sign_by nowhere/at/all
ends "something else" 1 "ssh-agent" env SSH_AUTH_SOCK="$socket" emsa --sign ssh-agent set prod/web PORT=99
printf '#!/bin/sh\necho words\n' >"$work/askpass"
chmod 755 "$work/askpass"
agent locked
add locked alice
SSH_AUTH_SOCK=$work/locked SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force ssh-add -x >/dev/null 2>"$work/lock" || fault "ssh-add -x: $(cat "$work/lock")"
ends "locked" 3 "a locked one shows none" sign_by locked
agent asks SSH_ASKPASS=/bin/false SSH_ASKPASS_REQUIRE=force DISPLAY=:9
add asks alice -c
ends "one who says no" 1 "said no" sign_by asks
agent asked SSH_ASKPASS=/bin/true SSH_ASKPASS_REQUIRE=force DISPLAY=:9
add asked alice -c
holds "one who says yes" sign_by asked
for what in garbage forger half; do
    rm -f "$work/fake"
    /usr/bin/python3 -B "$here/agents.py" "$what" "$work/fake" "$work/one" >"$work/$what.out" 2>&1 &
    agents+=($!)
    until [ -s "$work/$what.out" ]; do kill -0 "${agents[-1]}"; done
    ends "an agent that is a $what" 1 "ssh-agent" sign_by fake "$work/alice.pub"
done
is "what was signed is there" 99 "$(emsa get prod/web/PORT)"
over TERM
holds "all of it is in order" emsa verify
kill "${agents[@]}" 2>/dev/null || true
wait
finish
