#!/bin/bash
# exec, mount and stop: what a command that is run gets and gives back, and what starts and ends a server.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck disable=SC2016 # for the command that is run

execs() {
    is "values and secrets" "8080 s3cret" "$(emsa exec prod/web -- sh -c 'echo $PORT $PASSWORD')"
    is "above the caller's" "8080" "$(PORT=1 emsa exec prod/web -- sh -c 'echo $PORT')"
    is "and once" "1" "$(PORT=1 emsa exec prod/web -- env | grep -c '^PORT=')"
    is "the rest is inherited" "kept" "$(OTHER=kept emsa exec prod/web -- sh -c 'echo $OTHER')"
    is "--pristine: the values alone" "PASSWORD PORT" \
        "$(OTHER=x emsa exec prod/web --pristine -- /usr/bin/env 2>/dev/null | sed 's/=.*//' | sort | paste -sd ' ')"
    is "--only" "PORT=8080" "$(emsa exec prod/web --only PORT --pristine -- env)"
    ends "--only of nothing" 3 "NONE" emsa exec prod/web --only PORT,NONE -- true
    ends "what is no variable" 0 "x.y" emsa exec prod/web -- true
    ends "is an error with --strict" 2 "x.y" emsa exec prod/web --strict -- true
    ends "a NUL byte" 2 "NUL" emsa exec prod/nul -- true
    is "options of the command are its own" "-n --json" "$(emsa exec prod/web -- printf '%s %s' -n --json)"
    ends "its exit status" 9 "" emsa exec prod/web -- sh -c 'exit 9'
    ends "no such command" 127 "no-such" emsa exec prod/web -- no-such-command
    ends "not to be run" 126 "passwd" emsa exec prod/web -- /etc/passwd
    ends "no such service" 3 "" emsa exec prod/none -- true
    is "it is the same process" "same" "$(bash -c 'a=$$; exec emsa exec prod/web -- sh -c "[ $a = \$\$ ] && echo same"')"
    is "SIGPIPE as usual" "141" "$(emsa exec prod/web -- bash -c 'yes | head -n 1 >/dev/null; echo ${PIPESTATUS[0]}')"
    is "limits as they were" "$(ulimit -c) $(ulimit -l)" "$(emsa exec prod/web -- bash -c 'echo $(ulimit -c) $(ulimit -l)')"
    # (a sanitizer takes the limit away by itself, unless it is told not to)
    is "also that of core files" 1 "$(ASAN_OPTIONS=disable_coredump=0 bash -c 'ulimit -S -c 1; emsa exec prod/web -- bash -c "ulimit -c"')"
    is "whom we were" "$(id)" "$(emsa exec prod/web -- id)"
    is "no descriptor is left open" "$(bash -c 'ls /proc/self/fd | wc -l')" \
        "$(emsa exec prod/web -- bash -c 'ls /proc/self/fd | wc -l')"
    ends "a signal of its own" 143 "" bash -c 'emsa exec prod/web -- sh -c "kill -TERM \$\$"; exit $?'
    head -c 300000 /dev/zero | tr '\0' x >"$work/large"
    holds "a large value" emsa set prod/large/L --file "$work/large"
    ends "too large for an environment" 126 "files" emsa exec prod/large -- true
}

holds "init" emsa init
holds "env add" emsa env add prod
printf s3cret >"$work/s"
printf 'a\0b' >"$work/nul"
holds "values" emsa set prod/web PORT=8080 x.y=1 --secret-file "PASSWORD=$work/s"
holds "a NUL" emsa set prod/nul/N --file "$work/nul"
execs

ends "stop without a server" 3 "nothing to stop" emsa stop
ends "not a directory" 2 "not a directory" emsa mount "$work/s"
ends "no directory" 3 "mkdir" emsa mount "$work/none"
is "no server was started for them" "" "$(supervisor_pid)"
mounted "$work/env"
pid=$(supervisor_pid)
is "readable at once" "8080" "$(cat "$work/env/prod/web/PORT")"
ends "mounted already" 4 "already" emsa mount "$work/env"
execs
holds "umount" emsa umount "$work/env"
gone "$pid"
is "the server ends with its last mount" "False" "$(emsa status --json | json server)"
ends "nothing to umount" 3 "" emsa umount "$work/env"

mkdir -p "$work/env"
mkfifo "$work/front"
emsa mount --foreground "$work/env" >"$work/front" &
front=$!
read -r line <"$work/front"
is "in the foreground it says so" "mounted" "$(grep -o mounted <<<"$line")"
is "in the foreground it is there" "8080" "$(cat "$work/env/prod/web/PORT")"
kill -TERM "$front"
wait "$front" || fault "mount --foreground ended with $?"
is "and gone with SIGTERM" "" "$(ls "$work/env")"

mounted "$work/env"
pid=$(supervisor_pid)
holds "stop" emsa stop
gone "$pid"
is "after stop no server runs" "False" "$(emsa status --json | json server)"
umount -l "$work/env" 2>/dev/null || true
finish
