#!/bin/bash
# emsa-run: what a command gets, and when it does not run.
# shellcheck disable=SC2016,SC2317 # for the commands that are run; what "ends" runs
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

run() {
    emsa-run --dir "$work/env/prod/web" "$@"
}

# as_nobody COMMAND...: without any right of root
as_nobody() {
    setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all -- "$@"
}

gets() {
    is "values and secrets" "8080 s3cret" "$(run -- sh -c 'echo $PORT $PASSWORD')"
    is "--dir in one word" "8080" "$(emsa-run --dir="$work/env/prod/web" sh -c 'echo $PORT')"
    is "above the caller's" "8080" "$(PORT=1 run -- sh -c 'echo $PORT')"
    is "and once" "1" "$(PORT=1 run -- env | grep -c '^PORT=')"
    is "the rest is inherited" "kept" "$(OTHER=kept run -- sh -c 'echo $OTHER')"
    is "bytes as they are" "$(hex <"$work/bytes")" \
        "$(emsa-run --dir "$work/env/prod/bytes" -- /usr/bin/python3 -c \
            'import os, sys; sys.stdout.buffer.write(os.environb[b"B"])' | hex)"
    is "an empty value" "<>" "$(emsa-run --dir "$work/env/prod/bytes" -- sh -c 'echo "<$E>"')"
    is "the command's words are its own" "--dir --version" "$(run printf '%s %s' --dir --version)"
    is "PATH is the service's" "found" "$(emsa-run --dir "$work/env/prod/path" -- only-there)"
    is "it is the same process" "same" \
        "$(bash -c 'a=$$; exec emsa-run --dir "$1" -- sh -c "[ $a = \$\$ ] && echo same"' - "$work/env/prod/web")"
    is "no descriptor is left open" "$(bash -c 'ls /proc/self/fd | wc -l')" "$(run -- bash -c 'ls /proc/self/fd | wc -l')"
    is "the one service below a directory" "8080" "$(emsa-run --dir "$work/only" -- sh -c 'echo $PORT')"
}

ends_as_it_does() {
    ends "its exit status" 9 "" run -- sh -c 'exit 9'
    ends "a signal" 143 "" bash -c 'emsa-run --dir "$1" -- sh -c "kill -TERM \$\$"; exit $?' - "$work/env/prod/web"
    ends "no such command" 127 "no-such" run -- no-such-command
    ends "not to be run" 126 "passwd" run -- /etc/passwd
    ends "a directory" 126 "denied" run -- /etc
    ends "no command" 125 "which command" run
    ends "no such option" 125 "no option" run --unknown -- true
    ends "no such signal" 125 "HUP or TERM" run --on-change=KILL -- true
    ends "no argument" 125 "needs an argument" emsa-run --dir
    ends "help" 0 "usage: emsa-run" emsa-run --help
    ends "version" 0 "emsa-run [0-9]" emsa-run --version
}

not_there() {
    mkdir "$work/plain" "$work/marked"
    touch "$work/marked/EMSA_NOT_MOUNTED" "$work/file"
    chmod 0000 "$work/marked"
    ends "no directory" 125 "no directory" emsa-run --dir "$work/none" -- echo ran
    ends "a file" 125 "not a directory" emsa-run --dir "$work/file" -- echo ran
    ends "nothing mounted" 125 "nothing is mounted" emsa-run --dir "$work/plain" -- echo ran
    ends "the mark" 125 "nothing is mounted" emsa-run --dir "$work/marked" -- echo ran
    [ -n "${EMSA_SANITIZED:-}" ] || # which wants to look into itself at the end
        ends "the mark, for who may not look" 125 "nothing is mounted" as_nobody "$(command -v emsa-run)" --dir "$work/marked" -- echo ran
    ends "the whole tree" 125 "not of one service" emsa-run --dir "$work/env" -- echo ran
    ends "a value" 125 "not a directory" emsa-run --dir "$work/env/prod/web/PORT" -- echo ran
    ends "a service without values" 0 "" emsa-run --dir "$work/env/prod/none" -- true
    ends "an environment without services" 125 "no service" emsa-run --dir "$work/env/empty" -- echo ran
    for found in "$work/out" "$work/err"; do
        is "nothing ran" "" "$(grep -l '^ran' "$found" || true)"
    done
}

not_variables() {
    local bad=$work/env/prod/bad
    ends "what is no variable" 125 "7 of the values" emsa-run --dir "$bad" -- echo ran
    is "all at once" "2fa N1 N2 N3 long tls.crt tls.key" "$(grep -o "^  '[^']*'" "$work/err" | tr -d " '" | sort | paste -sd ' ')"
    ends "why: a name" 125 "'tls.crt' cannot be the name" emsa-run --dir "$bad" -- true
    ends "why: a NUL" 125 "'N1' holds a NUL byte" emsa-run --dir "$bad" -- true
    ends "why: its length" 125 "'long' has 200000 bytes, and a variable takes no more than 131066" emsa-run --dir "$bad" -- true
    is "left to be files" "8080" "$(emsa-run --dir "$bad" --file tls.crt --file tls.key --file 2fa --file N1 \
        --file N2 --file N3 --file long -- sh -c 'echo $PORT')"
    is "the longest" "131064" "$(emsa-run --dir "$work/env/prod/longest" -- /usr/bin/python3 -c 'import os; print(len(os.environ["LONGEST"]) + 1)')"
    ends "together too much" 126 "largest is 'L.*--file" emsa-run --dir "$work/env/prod/large" -- true
    ends "more than anybody may" 125 "6 MiB" emsa-run --dir "$work/env/prod/larger" -- true
    ends "masked secrets" 125 "'PASSWORD' cannot be read" emsa-run --dir "$work/masked/prod/web" -- true
}

# A root directory in which there is nothing else: it brings all that it needs.
alone() {
    [ -z "${EMSA_SANITIZED:-}" ] || return 0 # such a build needs its libraries
    mkdir -p "$work/image/env"
    cp "$(command -v emsa-run)" "$work/image/run"
    mount --bind "$work/env/prod/web" "$work/image/env"
    is "alone in an image" "$(emsa-run --version)" "$(chroot "$work/image" /run -- /run --version)"
    umount "$work/image/env"
}

dead() {
    kill -9 "$(supervisor_pid)" "$(server_pid)"
    gone "$(pgrep -x emsad-server || echo 999999)"
    ends "a dead mount" 125 "is dead: its server has ended" emsa-run --dir "$work/env/prod/web" -- echo ran
    ends "the whole of it" 125 "is dead" emsa-run --dir "$work/env" -- echo ran
}

holds "init" emsa init
holds "environments" emsa env add prod empty
printf s3cret >"$work/s"
printf 'one\ntwo "three" $four \\n \377\001 ' >"$work/bytes"
printf 'a\0b' >"$work/nul"
head -c 200000 /dev/zero | tr '\0' x >"$work/long"
head -c 131063 /dev/zero | tr '\0' x >"$work/longest"
head -c 120000 /dev/zero | tr '\0' x >"$work/large"
mkdir "$work/programs"
printf '#!/bin/sh\necho found\n' >"$work/programs/only-there"
chmod 0755 "$work/programs/only-there"
holds "values" emsa set prod/web PORT=8080
holds "a secret" emsa set --secret prod/web/PASSWORD --file "$work/s"
holds "bytes" emsa set prod/bytes/B --file "$work/bytes"
holds "nothing" emsa set prod/bytes E=
holds "a path" emsa set prod/path "PATH=$work/programs:$PATH"
holds "a service without values" emsa service add prod/none
holds "names" emsa set --new prod/bad PORT=8080 2fa=x tls.crt=x tls.key=x
for key in N1 N2 N3; do holds "a NUL" emsa set prod/bad/$key --file "$work/nul"; done
holds "a long one" emsa set prod/bad/long --file "$work/long"
holds "the longest" emsa set prod/longest/LONGEST --file "$work/longest"
for number in $(seq 1 60); do
    [ "$number" -gt 20 ] || echo "prod/large/L$number=@$work/large"
    echo "prod/larger/L$number=@$work/large"
done >"$work/list"
while IFS='=@' read -r path _ file; do emsa set --new "$path" --file "$file" >/dev/null; done <"$work/list"
mounted "$work/env"
mounted "$work/masked" --masked
mkdir -p "$work/only/prod"
mount --bind "$work/env/prod" "$work/only" # an environment that shows several services
ends "an environment of several" 125 "not of one service" emsa-run --dir "$work/only" -- true
umount "$work/only"
holds "alone" emsa env add single
holds "one service" emsa set --new single/web PORT=8080
mount --bind "$work/env/single" "$work/only"
gets
ends_as_it_does
not_there
not_variables
alone
umount "$work/only"
holds "snapshots" /usr/bin/python3 "$here/revisions.py" "$work/env/prod/pair" $((200 / scale))
dead
finish
