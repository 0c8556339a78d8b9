#!/bin/bash
# Values that are destroyed in history: what every way to read them says then, that nothing of them is in the store's
# file, what stays, what is refused; and a compaction of everything.
# shellcheck disable=SC2016,SC2317 # what is in single quotes is for emsa; functions are called by holds
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

# secret PATH VALUE [OPTION...]
secret() {
    local path=$1 value=$2
    shift 2
    printf '%s' "$value" | emsa set "$path" - --raw --secret "$@" >/dev/null
}

# no_data WHAT FILE: it is there, and has no data
no_data() {
    checks=$((checks + 1))
    [ -e "$2" ] || fault "$1: '$2' is not there"
    local said
    said=$(/usr/bin/python3 -c 'import errno, sys
try:
    print(open(sys.argv[1], "rb").read())
except OSError as error:
    print(errno.errorcode[error.errno])' "$2")
    [ "$said" = ENODATA ] || fault "$1: '$2' gives $said"
}

# in_file: how often these bytes (an expression of Python) stand in the store's file
in_file() {
    /usr/bin/python3 -c 'import sys
print(open(sys.argv[1], "rb").read().count(eval(sys.argv[2])))' "$EMSA_STORE/data.mdb" "$1"
}

# sealed REV OP: what stands in the store of a value, as an expression
sealed() {
    PYTHONPATH=$here/../format /usr/bin/python3 -B -c 'import struct, sys
import lmdb_file
values = lmdb_file.File(sys.argv[1] + "/data.mdb").databases()["value"]
print(values[struct.pack(">QI", int(sys.argv[2]), int(sys.argv[3]))][18:82])' "$EMSA_STORE" "$1" "$2"
}

holds "init" emsa init
holds "environments" emsa env add prod dev
holds "values" emsa set prod/billing PORT=80 HOST=the-wrong-host.example URL=http --new
holds "a template" emsa set --template prod/billing 'DSN=pg://${HOST}:${PORT}'
then=$(revision)
holds "a secret" secret prod/billing/PASSWORD pasted-into-a-ticket
secret_rev=$(revision)
holds "a copy" emsa cp prod/billing/HOST dev/billing/HOST --new
copy_rev=$(revision)
envelope=$(sealed "$secret_rev" 0)
holds "a mount" mounted "$work/env" --history
past=$work/env/.emsa/at
is "as it was" the-wrong-host.example "$(cat "$past/$then/prod/billing/HOST")"
is "the secret" pasted-into-a-ticket "$(cat "$past/$secret_rev/prod/billing/PASSWORD")"
refuses_current="set another value or remove it"
ends "what is set" 4 "$refuses_current" emsa purge "prod/billing/HOST@$then" -m why
holds "others" emsa set prod/billing HOST=a.example
holds "another secret" secret prod/billing/PASSWORD another-one-altogether
between=$(revision)
holds "a view of then" mounted "$work/view" --at "$then" prod/billing
is "in the view" the-wrong-host.example "$(cat "$work/view/HOST" 2>/dev/null || cat "$work/view/prod/billing/HOST")"
held=$(find "$work/view" -name HOST)
is "in the file" yes "$([ "$(in_file 'b"the-wrong-host.example"')" -gt 0 ] && echo yes)"
is "its envelope" yes "$([ "$(in_file "$envelope")" -gt 0 ] && echo yes)"

# One version of each; tried first.
ends "without a reason" 2 "say why" emsa purge "prod/billing/HOST@$then"
ends "without a revision" 2 "@REV" emsa purge prod/billing/HOST -m why
ends "no value" 2 "is a value" emsa purge "prod@$then" -m why
ends "no schema" 3 "had no schema of its own" emsa purge "prod/billing@$then" -m why
ends "no such revision" 3 "no revision 999" emsa purge prod/billing/HOST@999 -m why
ends "no value then" 3 "had no value" emsa purge "prod/billing/PASSWORD@$then" -m why
ends "a template that is set" 4 "$refuses_current" emsa purge "prod/billing/DSN@$then" -m why
ends "a dry run" 0 "dry run" emsa purge "prod/billing/HOST@$then" -m why --dry-run
is "still there" the-wrong-host.example "$(cat "$past/$then/prod/billing/HOST")"
ends "purged" 0 "was that from revision" emsa purge "prod/billing/HOST@$then" -m "INC-7: another customer's"
purged=$(revision)
grep -q "dev/billing/HOST@$copy_rev" "$work/out" || fault "its copy is not named: $(cat "$work/out")"
holds "the secret too" emsa purge "prod/billing/PASSWORD@$secret_rev" -m "INC-8"
ends "again" 0 "destroyed before, by revision $purged" emsa purge "prod/billing/HOST@$then" -m again
is "no commit" "$((purged + 1))" "$(revision)"

# Nothing of it is read any more, in whatever way.
no_data "as it was" "$past/$then/prod/billing/HOST"
no_data "in a later revision" "$past/$secret_rev/prod/billing/HOST"
no_data "by the environment" "$work/env/prod/.emsa/at/$then/billing/HOST"
no_data "what it was part of" "$past/$then/prod/billing/DSN"
no_data "the secret" "$past/$secret_rev/prod/billing/PASSWORD"
no_data "a view of then" "$held"
is "the size of it" 22 "$(stat -c %s "$past/$then/prod/billing/HOST")"
is "others of then" 80 "$(cat "$past/$then/prod/billing/PORT")"
is "what came later" a.example "$(cat "$past/$between/prod/billing/HOST")"
is "now" another-one-altogether "$(emsa get --reveal prod/billing/PASSWORD)"
ends "a rollback" 3 "destroyed by revision $purged, .*INC-7" emsa rollback prod/billing/HOST --to "$then"
ends "of secrets" 3 "INC-8" emsa rollback prod/billing/PASSWORD --to "$secret_rev" --with-secrets
ends "a difference" 0 "HOST  *(purged) -> a.example" emsa diff prod --from "$then"
ends "the log of it" 0 "purged by revision $purged" emsa log prod/billing/HOST
ends "the log" 0 "INC-7: another customer" emsa log
ends "the commit" 0 "purge  *what revision $((then - 1)) set" emsa show "$purged"
ends "what was set" 0 "purged by revision $purged" emsa show "$((then - 1))"
is "its envelope is nowhere" 0 "$(in_file "$envelope")"
holds "its copy" emsa set dev/billing HOST=b.example
holds "purged too" emsa purge "dev/billing/HOST@$copy_rev" -m "INC-7"
is "nowhere in the file" 0 "$(in_file 'b"the-wrong-host.example"')"
for i in 1 2 3 4 5; do
    holds "writing on" emsa set dev/billing "N$i=$(printf 'x%.0s' {1..900})"
done
is "nor later" 0 "$(in_file 'b"the-wrong-host.example"')"
holds "verify" emsa verify
holds "in Python" /usr/bin/python3 -B "$here/../format/emsa_settle.py" "$EMSA_STORE" --identity "$EMSA_STORE.identity"
ends "audited" 0 Purge bash -c 'until emsa audit | grep Purge; do :; done'

# What somebody typed into a template: it, and what others made of it.
holds "a template" emsa set --template prod/billing 'URL=pg://me:typed-password@${HOST}' --new
typed=$(revision)
holds "what it is part of" emsa set --template prod/billing 'LINE=<${URL}>'
holds "what it refers to" emsa set prod/billing HOST=c.example
composed=$(revision)
is "composed" "<pg://me:typed-password@c.example>" "$(cat "$past/$composed/prod/billing/LINE")"
holds "as it should be" emsa set --template prod/billing 'URL=pg://me:${PASSWORD}@${HOST}'
ends "purged" 0 "was that from revision $typed to $composed" emsa purge "prod/billing/URL@$composed" -m "INC-10: typed"
gone=$(revision)
is "its text is nowhere" 0 "$(in_file 'b"typed-password"')"
no_data "the template" "$past/$typed/prod/billing/URL"
no_data "what it is part of" "$past/$composed/prod/billing/LINE"
is "what is" "<pg://me:another-one-altogether@c.example>" "$(emsa get --reveal prod/billing/LINE)"
ends "bring it back" 3 "INC-10" emsa rollback prod/billing/URL --to "$typed"
ends "its log" 0 "purged by revision $gone" emsa log prod/billing/URL
ends "its commit" 0 "purged by revision $gone" emsa show "$typed"
ends "a difference" 0 "URL  *(purged) -> " emsa diff prod --from "$typed"

# Into a schema: as a default, which another schema says too, and as a pattern.
holds "a service" emsa service add prod/typed
schema() {
    printf 'service: typed\nkeys:\n  PORT: {type: port, default: %s}\n' "$1" >"$work/typed.yaml"
    shift
    printf '  %s\n' "$@" >>"$work/typed.yaml"
    emsa schema set "$work/typed.yaml" --env prod >/dev/null
}
pass='PASS: {type: string, default: typed-default}'
holds "a schema" schema 80 "$pass"
typed=$(revision)
holds "the next one" schema 81 "$pass" 'A: {type: string, pattern: typed-pattern}'
second=$(revision)
is "in effect" typed-default "$(emsa get prod/typed/PASS)"
ends "a default that is" 4 "set another schema" emsa purge "prod/typed/PASS@$typed" -m why
ends "a schema that is" 4 "set another one or remove it" emsa purge "prod/typed@$second" -m why
holds "as it should be" schema 82
ends "in its commit" 0 typed-default emsa show "$typed"
ends "a dry run" 0 "the schema that revision $second set" emsa purge "prod/typed/PASS@$typed" -m why --dry-run
is "still there" typed-default "$(cat "$past/$second/prod/typed/PASS")"
ends "purged" 0 "was that from revision $typed to $second" emsa purge "prod/typed/PASS@$typed" -m "INC-11: typed"
gone=$(revision)
is "the default is nowhere" 0 "$(in_file 'b"typed-default"')"
is "nor is the pattern" 0 "$(in_file 'b"typed-pattern"')"
no_data "the default" "$past/$second/prod/typed/PASS"
is "others of then" 81 "$(cat "$past/$second/prod/typed/PORT")"
ends "its commit" 0 "purged by revision $gone" emsa show "$typed"
ends "what was done" 0 "purge  *.*what revision $typed set" emsa show "$gone"
holds "the schema" emsa purge "prod/typed@$second" -m "INC-11: all of it"
no_data "what it said" "$past/$second/prod/typed/PORT"
is "what is" 82 "$(emsa get prod/typed/PORT)"
holds "verify" emsa verify
holds "in Python" /usr/bin/python3 -B "$here/../format/emsa_settle.py" "$EMSA_STORE" --identity "$EMSA_STORE.identity"

# A removed environment's; everything that nobody sees any more, but what a tag shows.
holds "an environment" emsa env add gone
holds "its value" secret gone/web/KEY of-an-environment-that-went --new
gone_rev=$(revision)
holds "goes" emsa env rm gone --all
holds "and what it had" emsa purge "gone/web/KEY@$gone_rev" -m "left over"
holds "PORT" emsa set prod/billing PORT=81
holds "a name" emsa tag kept "$(revision)"
holds "PORT again" emsa set prod/billing PORT=82
holds "and again" emsa set prod/billing PORT=83
last=$(revision)
ends "without saying what" 2 "--keep 90d" emsa compact -m why
ends "of a key" 2 "emsa purge" emsa compact prod/billing/PORT --keep "$last" -m why
ends "nothing so old" 0 "nothing is older" emsa compact --keep 90d -m why
is "in JSON, too" False "$(emsa --json compact --keep 90d | json committed)"
ends "no such place" 3 "no environment" emsa compact nowhere --keep "$last" -m why
ends "nor so old there" 3 "no environment" emsa compact nowhere --keep 90d -m why
ends "tried" 0 "dry run" emsa compact --keep "$last" -m why --dry-run
is "PORT still" 82 "$(cat "$past/$((last - 1))/prod/billing/PORT")"
ends "compacted" 0 "values of" emsa compact --keep "$last" -m "INC-9: nobody needs it"
no_data "what was" "$past/$((last - 1))/prod/billing/PORT"
no_data "the oldest" "$past/$then/prod/billing/PORT"
is "what has a name" 81 "$(cat "$past/kept/prod/billing/PORT" 2>/dev/null || cat "$past/$((last - 3))/prod/billing/PORT")"
is "what is" 83 "$(emsa get prod/billing/PORT)"
ends "again" 0 "nothing to change" emsa compact --keep "$last" -m again
holds "a value of its own" emsa set prod/billing WORD=once
holds "another" emsa set prod/billing WORD=twice
holds "without a reason" emsa compact --keep "$(revision)"
is "has its own words" "compact --keep $(($(revision) - 1))" "$(emsa --json log -n 1 | json commits 0 reason)"
# What was encrypted anew is there, though what it was before is not: it is one value since the first.
printf 'first-of-all' >"$work/first"
holds "a secret" emsa set prod/billing --secret-file "ANEW=$work/first"
first=$(revision)
holds "encrypted anew" emsa rotate keys prod/billing --reencrypt
anew=$(revision)
printf 'second-of-all' >"$work/second"
holds "another" emsa set prod/billing --secret-file "ANEW=$work/second"
holds "the first is destroyed" emsa compact --keep "$anew" -m why
is "what was encrypted anew" first-of-all "$(cat "$past/$anew/prod/billing/ANEW")"
is "is what there was" first-of-all "$(cat "$past/$first/prod/billing/ANEW")"
holds "verify" emsa verify
holds "in Python" /usr/bin/python3 -B "$here/../format/emsa_settle.py" "$EMSA_STORE" --identity "$EMSA_STORE.identity"

# What is derived does not need them.
holds "not mounted" emsa umount "$work/env"
holds "nor the view" emsa umount "$work/view"
holds "stopped" stop_server
holds "rebuilt" emsa verify --rebuild
is "nowhere in the new file" 0 "$(in_file 'b"the-wrong-host.example"')"
is "nor what was typed" 0 "$(in_file 'b"typed-"')"
ends "and destroyed" 3 "destroyed by revision $purged, .*INC-7" emsa rollback prod/billing/HOST --to "$then"
finish
