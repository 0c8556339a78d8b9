#!/bin/bash
# A store at the far end of ssh: what is asked there is what would be asked here.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=far.sh
. "$here/far.sh"
far=ssh://root@far$work/far

# there VERB...: at the far end; here VERB...: the same store, as the far side has it
there() {
    emsa --host "$far" "$@"
}
here_too() {
    emsa --store "$work/far" "$@"
}

# alike VERB...: what both print is equal
alike() {
    holds "'$*' there" there "$@"
    cp "$work/out" "$work/there"
    holds "'$*' here" here_too "$@"
    same "$*" "$work/there" "$work/out"
}

verbs() {
    holds "an environment" there env add prod -m "first"
    holds "values" there set prod/web PORT=8080 HOST=web.internal
    printf 'hidden words\n' | there set prod/web/PASSWORD - --secret >/dev/null
    head -c 1048576 /dev/urandom >"$work/large"
    holds "a file of this machine" there set prod/web --secret-file "LARGE=$work/large"
    printf 'A=1\nB=two words\n' >"$work/dotenv"
    holds "an import of this machine" there import prod/mail "$work/dotenv" --new
    holds "a link" there link prod/web/SAME web/PORT
    is "is what is there" 8080 "$(here_too get prod/web/PORT)"
    there get prod/web/LARGE --reveal >"$work/got"
    same "1 MiB, there and back" "$work/large" "$work/got"
    is "a secret" "hidden words" "$(there get prod/web/PASSWORD --reveal)"
    for verb in "ls" "ls prod/web" "tree" "log" "show 2" "find P*" "explain prod/web/PORT" "export prod/mail" "export prod --format yaml --no-secrets" \
        "check" "grants" "blame prod/web" "diff prod/web prod/mail" "verify" "ls --json"; do
        # shellcheck disable=SC2086
        alike $verb
    done
    is "as variables" "two words" "$(there exec prod/mail -- printenv B)"
    is "who it was" "uid 0 (root)" "$(there log -n 1 --json | json commits 0 author)"
    holds "by a variable" env EMSA_HOST="$far" emsa get prod/web/PORT
    holds "with the store beside the host" emsa --host ssh://far --store "$work/far" get prod/web/PORT
    ends "the default store there" 3 "no store" emsa --host ssh://far ls
}

# The far side's own words and statuses.
refusals() {
    ends "no key" 3 "no key" there get prod/web/NONE
    ends "what is refused" 4 "share prod/web/PORT --with mail" there link prod/mail/PORT web/PORT
    ends "a conflict" 5 "" there set prod/web PORT=9 --if-rev 1
    is "nothing changed" 8080 "$(there get prod/web/PORT)"
    for verb in "init" "mount $work/m" "umount $work/m" "wait $work/m" "watch prod" "stop" "doctor" "relay" "audit verify" "identity show"; do
        # shellcheck disable=SC2086
        ends "'$verb' there" 4 "of the machine that it runs on" there $verb
    done
    holds "an identity's own file needs no host" there identity show "$work/far.identity"
    for text in far ssh: ssh:// ssh://-oProxyCommand=x ssh://a@-b 'ssh://a b' 'ssh://far:x' ssh://far:0 ssh://far:70000 'ssh://u;x@far' ssh://@far http://far \
        'ssh://[::1' 'ssh://::1'; do
        ends "'$text'" 2 "names no host" emsa --host "$text" ls
    done
    ends "relay at a terminal" 2 "over ssh" script -qec "emsa relay" /dev/null
    ends "no such ssh" 3 "cannot run" env EMSA_SSH=/nowhere/ssh emsa --host "$far" ls
    ends "nobody there" 1 "nobody answers" env EMSA_SSH="ssh -F $work/ssh/config -o ProxyCommand=false" emsa --host "$far" ls
    ends "a wrong host key" 1 "nobody answers" env EMSA_SSH="$EMSA_SSH -o UserKnownHostsFile=/dev/null" emsa --host "$far" ls
    sed -i 's/^SetEnv.*/SetEnv PATH=\/usr\/bin:\/bin/' "$work/ssh/sshd.conf"
    ends "no emsa there" 3 "no 'emsa' in the path" there ls
    sed -i "s|^SetEnv.*|SetEnv PATH=$EMSA_BIN:/usr/bin:/bin|" "$work/ssh/sshd.conf"
    holds "a path with a quote" here_too ls
    cp -a "$work/far" "$work/it's; there"
    cp "$work/far.identity" "$work/it's; there.identity"
    is "a store whose name a shell would take apart" 8080 "$(emsa --host "ssh://far$work/it's; there" get prod/web/PORT)"
}

# A key that may do nothing but this.
forced() {
    EMSA_SSH="$EMSA_SSH -o IdentityFile=$work/ssh/bound"
    sed -i "s|IdentityFile .*|IdentityFile $work/ssh/bound|" "$work/ssh/config"
    is "a forced command" 8080 "$(emsa --host ssh://far get prod/web/PORT)"
    is "whatever it asks for" 8080 "$(emsa --host ssh://far/elsewhere get prod/web/PORT)"
}

# A far side that says what none should: a message, and the right status.
strange() {
    local what code words
    while read -r what code words; do
        ends "a far side that is $what" "$code" "$words" env EMSA_SSH="/usr/bin/python3 $here/frames.py $what" emsa --host ssh://far get prod/web/PORT
    done <<'END'
silent 1 ended with status 3
motd 1 something else.*Welcome
other 1 something else.*relay 2
cut 1 whether it was done there is not known
huge 2 too large
liar 1 other values
noise 2 no JSON object
late 1 whether it was done there is not known
steering 4 no?\[2J? or so
END
    # what steers a terminal is shown, and steers nothing
    is "a far side's table" "now  read      prod/?]0;owned?web" \
        "$(EMSA_SSH="/usr/bin/python3 $here/frames.py steering" emsa --host ssh://far audit)"
}

emsa init --store "$work/far" >/dev/null
verbs
mkfifo "$work/ready"
emsad --store "$work/far" --ready-fd 9 9>"$work/ready" 2>"$work/log" &
daemon=$!
is "a server, there" ready "$(cat "$work/ready")"
is "asks it" 8080 "$(there get prod/web/PORT)"
is "says where it is" "$far" "$(there status | sed -n 's/^server .* at //p')"
refusals
strange
forced
kill "$daemon"
wait "$daemon" || true
finish
