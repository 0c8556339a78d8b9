#!/bin/bash
# A server that gets no more memory: see memory.py.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"

fill
head -c 65000 /dev/urandom >"$work/value"
for n in $(seq 50); do emsa set "prod/web/KEY$n" --file "$work/value" >/dev/null; done
for n in $(seq 10); do emsa set prod/web --secret-file "SECRET$n=$work/value" >/dev/null; done
mkdir "$work/env"

# under HOW GROUP: a daemon in that group, and what happens to it
under() {
    begin --mount "$work/env"
    is "$1: ready" "ready" "$said"
    holds "$1: readers of a server without memory" /usr/bin/python3 "$here/memory.py" "$work/env/prod/web" \
        "$EMSA_STORE/socket" "$2" "$1"
    cat "$work/out"
    # Its last memory is for its readers; who ends it may have to do so by force.
    over TERM
    emsa rm prod/web/ADDED >/dev/null 2>&1 || true # it was refused
}

# A sanitizer ends a process that cannot have what it wants for itself.
[ -n "${EMSA_SANITIZED:-}" ] || under space "$work"

# A group of our own beneath our own, where we may make one (cgroup v1: in the next version one that has processes
# can have no children).
group=/sys/fs/cgroup/memory$(awk -F: '$2 == "memory" { print $3 }' /proc/self/cgroup)/$(basename "$work")
if [ ! -e "$(dirname "$group")/memory.limit_in_bytes" ] || ! mkdir "$group" 2>"$work/err"; then
    echo "left out: no control group for memory that is ours to divide $(cat "$work/err" 2>/dev/null || true)"
    finish
fi
for how in kill hang; do
    echo $BASHPID >"$group/cgroup.procs"
    under "$how" "$group"
    echo $BASHPID >"$(dirname "$group")/cgroup.procs"
    rmdir "$group"
    mkdir "$group"
done
rmdir "$group"
finish
