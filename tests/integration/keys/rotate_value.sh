#!/bin/bash
# rotate value: a new random secret that a command takes over first.
# shellcheck disable=SC2016 # commands are for the shell that is run
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
key=prod/billing/PASSWORD
emsa init >/dev/null
emsa env add prod >/dev/null
printf old | emsa set --secret "$key" - >/dev/null 2>&1

ends "how much" 2 "generate 32" emsa rotate value "$key"
ends "too little" 2 "16 to 4096" emsa rotate value "$key" --generate 8
ends "a service" 2 "is no key" emsa rotate value prod/billing --generate 32
ends "the same key" 2 "the same key" emsa rotate value "$key" --generate 32 --keep-previous PASSWORD
ends "no such key" 3 "no key 'prod/billing/PASWORD'" emsa rotate value prod/billing/PASWORD --generate 32 --run "touch $work/ran"
is "and nothing was run" no "$([ -e "$work/ran" ] && echo yes || echo no)"
emsa set prod/billing PORT=80 >/dev/null
emsa set prod/shared HOST=db --new >/dev/null
printf once | emsa set --secret prod/shared/TOKEN - >/dev/null 2>&1
emsa share prod/shared/TOKEN --with billing >/dev/null
emsa link prod/billing/TOKEN shared/TOKEN >/dev/null
emsa env add base >/dev/null
printf below | emsa set --secret base/billing/PASSWORD - >/dev/null 2>&1
emsa env add above --base base >/dev/null
before=$(revision)
ends "what is no secret" 4 "is no secret: 'emsa set --secret" emsa rotate value prod/billing/PORT --generate 32
ends "what a link shows" 4 "has its value by a link" emsa rotate value prod/billing/TOKEN --generate 32
ends "what is inherited" 4 "is inherited (from base)" emsa rotate value above/billing/PASSWORD --generate 32
is "and nothing changed" "$before" "$(revision)"
ends "a command that fails" 1 "status 7: nothing was set" emsa rotate value "$key" --generate 32 --run 'cat >/dev/null; exit 7'
is "sets nothing" old "$(emsa get --reveal "$key")"
ends "one that is killed" 1 "signal 9" emsa rotate value "$key" --generate 32 --run 'kill -9 $$'
is "neither" old "$(emsa get --reveal "$key")"
holds "a dry run" emsa rotate value "$key" --generate 32 --run "touch $work/ran" --dry-run
is "runs nothing" no "$([ -e "$work/ran" ] && echo yes || echo no)"

holds "one that takes it" emsa rotate value "$key" --generate 32 --keep-previous PASSWORD_OLD -m "monthly" \
    --run "cat >$work/given; tr '\\0' '\\n' </proc/\$\$/environ >$work/environment; tr '\\0' ' ' </proc/\$PPID/cmdline >$work/arguments"
is "has what is set" "$(cat "$work/given")" "$(emsa get --reveal "$key")"
is "as much as was asked for" 43 "$(wc -c <"$work/given")"
is "and the old one is kept" old "$(emsa get --reveal prod/billing/PASSWORD_OLD)"
is "in one commit" 2 "$(emsa --json show "$(revision)" | /usr/bin/python3 -c 'import json, sys; print(len(json.load(sys.stdin)["operations"]))')"
is "not in the environment, nor the arguments" "" "$(grep -F -e "$(cat "$work/given")" "$work/environment" "$work/arguments" || true)"
holds "without a command" emsa rotate value "$key" --generate 16
is "another one" different "$([ "$(emsa get --reveal "$key")" = "$(cat "$work/given")" ] && echo same || echo different)"
ends "what changed meanwhile" 5 "run this again" emsa rotate value "$key" --generate 32 \
    --run "printf other | emsa set --secret $key - >/dev/null 2>&1"
is "stays as it was changed" other "$(emsa get --reveal "$key")"
finish
