#!/bin/bash
# The far side of ssh: root's own login, in a home of the test's, with keys of the test's. To be sourced after tests/support/lib.sh.
# "far" is the host; 'mine' logs in, 'bound' may do nothing but relay.
set -euo pipefail
: "${work:?}" "${EMSA_BIN:?}"
[ -x /usr/sbin/sshd ] || skip "no sshd: apt install openssh-server"

mkdir -p /run/sshd "$work/ssh" "$work/home/.ssh"
ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/host"
ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/mine"
ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/bound"
chmod 700 "$work" "$work/home" "$work/home/.ssh"
{
    cat "$work/ssh/mine.pub"
    printf 'restrict,command="%s/emsa relay --store %s" ' "$EMSA_BIN" "$work/far"
    cat "$work/ssh/bound.pub"
} >"$work/ssh/authorized"
cat >"$work/ssh/sshd.conf" <<END
HostKey $work/ssh/host
AuthorizedKeysFile $work/ssh/authorized
PermitRootLogin prohibit-password
UsePAM no
StrictModes no
PrintMotd no
SetEnv PATH=$EMSA_BIN:/usr/bin:/bin
END
printf 'far %s\n' "$(cat "$work/ssh/host.pub")" >"$work/ssh/known"
cat >"$work/ssh/config" <<END
Host far
  ProxyCommand /usr/sbin/sshd -i -f $work/ssh/sshd.conf -E $work/ssh/log
  IdentityFile $work/ssh/mine
  IdentitiesOnly yes
  UserKnownHostsFile $work/ssh/known
  StrictHostKeyChecking yes
  LogLevel ERROR
END
export EMSA_SSH="ssh -F $work/ssh/config"
export XDG_RUNTIME_DIR=$work
export EMSA_KNOWN_STORES=$work/known/stores
