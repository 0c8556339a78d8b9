#!/bin/bash
# Everything that is refused where values are defined once and shared: a table of what was tried, what it must exit
# with and what it must say, all of it in one store, and after every row that store as it was: the same revision, the
# same names and locks, the same bytes for every reader. Twice: in the command's own process, and through a server.
# shellcheck disable=SC2016 # what is in single quotes is for emsa
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

secret() { printf 'correct-horse-%s' "$1" >"$work/secret"; }

holds "init" emsa init
holds "environments" emsa env add dev base empty
holds "a protected one" emsa env add prod --protected -m "for real"
for option in "--base dev" --protected "--ttl 1h"; do
    # shellcheck disable=SC2086 # two words
    ends "all with $option" 4 "environment 'all' stands on nothing, ends never and is not protected" emsa env add all $option
done
holds "for all" emsa set all/web FLAVOUR=strawberry COLOUR=red
holds "a link for all" emsa link all/web/HOST shared/HOST
holds "shared" emsa set dev/shared HOST=db.internal SHORT=gone-soon LONG=1
secret dev
holds "a service" emsa set dev/postgres PORT=5432 --secret-file "PASSWORD=$work/secret"
holds "shared with one" emsa share dev/postgres/PASSWORD --with billing
holds "and another" emsa share dev/postgres/PORT --with billing --with web
holds "links" emsa link dev/billing/PG_HOST shared/HOST
holds "and templates" emsa set --template dev/billing/URL 'postgres://u:${postgres/PASSWORD|url}@${PG_HOST}:${postgres/PORT}/b'
holds "placed" emsa service add dev/web
holds "of its own" emsa set dev/web PORT=80 SIZE=1
holds "a chain" emsa set dev/chain K0=end
for n in {1..8}; do holds "hop $n" emsa link "dev/chain/K$n" "chain/K$((n - 1))"; done
head -c 600000 /dev/zero | tr '\0' x >"$work/half"
holds "a large one" emsa set dev/large/HALF --file "$work/half"
holds "a small one" emsa set dev/large A=x
/usr/bin/python3 -c 'print("${A}" * 8193, end="")' >"$work/many"
printf '${HALF}${HALF}' >"$work/twice"
holds "what ends" emsa set dev/soon TOKEN_NAME=soon --ttl 1h
holds "and what stays" emsa set dev/soon NAME=stays
holds "frozen" emsa set dev/frozen A=1 B=2
holds "locked: a service" emsa lock dev/frozen -m "until the audit"
holds "locked: a key" emsa lock dev/web/PORT -m "behind the firewall rule"
holds "locked: what comes from all" emsa lock dev/web/FLAVOUR -m "tasted"
holds "locked: an environment" emsa lock empty -m "kept empty"
holds "a base" emsa set base/app NAME=app MODE=fast
holds "on it" emsa env add pre --base base
holds "refers to its base's" emsa link pre/app/ALIAS app/NAME
secret prod
holds "in the protected one" emsa set prod/payments --secret-file "KEY=$work/secret" -m "the first"
holds "plain" emsa set prod/payments MODE=live -m "the first"

# What stands, as far as anybody can tell.
state() {
    {
        revision
        emsa tree --json
        emsa lock --json
        emsa log -n 1 --json
        [ "${mounted_at:-}" = "" ] || find "$mounted_at" -type f -exec sha256sum {} +
    } | sha256sum
}

# shellcheck source=refused.sh
. "$here/refused.sh"

# said N: so many lines of reasons
said() {
    is "$1 reasons" "$1" "$(wc -l <"$work/err")"
}

references() {
    refused 4 "'dev/billing/X' refers to 'shared/NOTHING', which is not there in 'dev'" -- emsa link dev/billing/X shared/NOTHING
    refused 4 "'dev/billing/X' refers to 'nobody/HOST', which is not there in 'dev'" -- emsa link dev/billing/X nobody/HOST
    refused 4 "'dev/billing/X' refers to 'billing/NOTHING', which is not there in 'dev'" -- emsa set --template dev/billing/X '<${NOTHING}>'
    refused 4 "'dev/billing/X' refers to 'payments/KEY', which is not there in 'dev'" -- emsa link dev/billing/X payments/KEY
    refused 4 "'dev/billing/PG_HOST' refers to 'shared/HOST', which is not there in 'dev'" "'dev/web/HOST' refers to" \
        "'dev/billing/URL' refers by way of 'billing/PG_HOST' to 'shared/HOST'" "(emsa set dev/shared/HOST" -- emsa rm dev/shared/HOST
    said 3
    refused 4 "'dev/billing/PG_HOST' refers to 'shared/HOST'" "'dev/web/HOST' refers to" -- emsa mv dev/shared/HOST dev/shared/PLACE
    refused 4 "'dev/billing/PG_HOST' refers to 'shared/HOST'" "'dev/web/HOST' refers to" -- emsa service rm dev/shared --all
    refused 4 "'dev/billing/URL' refers to 'postgres/PASSWORD'" -- emsa rm dev/postgres/PASSWORD
    refused 4 "'dev/billing/URL' refers to 'postgres/PORT'" "'dev/billing/URL' refers to 'postgres/PASSWORD'" -- emsa service rm dev/postgres --all
    refused 4 "'dev/billing/URL' refers to 'postgres/PORT'" -- emsa mv dev/postgres dev/database --new
    refused 4 "'pre/app/ALIAS' refers to 'app/NAME', which is not there in 'pre'" -- emsa rm base/app/NAME
    refused 4 "'prod/web/HOST' refers to 'shared/HOST', which is not there in 'prod'" -- emsa service add prod/web -m why
    refused 4 "'base/web/HOST' refers to 'shared/HOST', which is not there in 'base'" -- emsa service add base/web
    refused 4 "'dev/web/NEW' refers to 'shared/MISSING', which is not there in 'dev'" -- emsa link all/web/NEW shared/MISSING
    # all of them together
    refused 4 "refers to 'shared/ONE'" "refers to 'shared/TWO'" -- emsa set --template dev/billing/X '${shared/ONE}${shared/TWO}'
    refused 4 "'dev/billing/X' refers to 'shared/ONE'" "'dev/frozen/A' is locked" "'dev/web/PORT' is locked" -- \
        emsa set --template dev/billing/X='${shared/ONE}' dev/frozen/A=2 dev/web/PORT=81
}

sharing() {
    refused 4 "'dev/web/X' refers to 'postgres/PASSWORD', which is not shared with 'web' (emsa share dev/postgres/PASSWORD --with web)" -- \
        emsa link dev/web/X postgres/PASSWORD
    refused 4 "which is not shared with 'web'" -- emsa set --template dev/web/X '${postgres/PASSWORD}'
    refused 4 "'dev/web/X' refers to 'frozen/A', which is not shared with 'web'" -- emsa link dev/web/X frozen/A
    # each hop is judged: billing may have it, and does not hand it on
    refused 4 "'dev/web/X' refers to 'billing/URL', which is not shared with 'web'" -- emsa link dev/web/X billing/URL
    refused 4 "'dev/billing/URL' refers to 'postgres/PASSWORD', which is not shared with 'billing'" -- emsa unshare dev/postgres/PASSWORD --with billing
    refused 3 "'dev/postgres/PASSWORD' is not shared with 'web'" -- emsa unshare dev/postgres/PASSWORD --with web
    refused 3 "no key 'dev/postgres/NOTHING'" -- emsa share dev/postgres/NOTHING --with web
    refused 3 "no key 'dev/postgres/PASSWORT'; did you mean 'PASSWORD'" -- emsa share dev/postgres/PASSWORT --with web
    refused 3 "no service 'dev/postgre'" -- emsa share dev/postgre/PASSWORD --with web
    refused 3 "no environment 'deve'" -- emsa unshare deve/postgres/PASSWORD --with web
    refused 2 "name" -- emsa share dev/postgres/PASSWORD --with 'no name'
    refused 2 "--with" -- emsa share dev/postgres/PASSWORD
    refused 2 "not a key" -- emsa share dev/postgres --with web
}

circles() {
    refused 4 "goes round in a circle: chain/K0 -> chain/K8 ->" "-> chain/K1 -> chain/K0" -- emsa link dev/chain/K0 chain/K8
    refused 4 "'dev/billing/X' goes round in a circle: billing/X -> billing/X" -- emsa link dev/billing/X billing/X
    refused 4 "'dev/billing/X' goes round in a circle" -- emsa set --template dev/billing/X 'a${X}'
    refused 4 "'dev/chain/K9' goes over more than 8 references: chain/K9 -> chain/K8 ->" -- emsa link dev/chain/K9 chain/K8
    refused 4 "'dev/chain/K8' goes over more than 8 references" -- emsa link dev/chain/K0 large/A
    refused 4 "'dev/large/X' comes to" "1048576" -- emsa set --template dev/large/X --file "$work/twice"
    refused 4 "'dev/large/X'" "8192 look-ups" -- emsa set --template dev/large/X --file "$work/many"
}

ttls() {
    refused 4 "'dev/billing/PG_HOST' refers to 'shared/HOST', which ends by itself and has nothing beneath it that stays" -- \
        emsa set dev/shared HOST=other --ttl 1h
    refused 4 "'dev/soon/X' refers to 'soon/TOKEN_NAME', which ends by itself" -- emsa link dev/soon/X soon/TOKEN_NAME
    refused 4 "'dev/web/PORT' is locked" -- emsa set dev/web PORT=80 --ttl 1h
    refused 4 "'dev/soon/TOKEN_NAME' ends by itself and cannot be locked" -- emsa lock dev/soon/TOKEN_NAME -m why
    refused 4 "environment 'all'" -- emsa env add all --ttl 1h
}

locks() {
    refused 4 "'dev/web/PORT' is locked by 'dev/web/PORT' since revision" "behind the firewall rule" "(emsa unlock dev/web/PORT)" -- emsa set dev/web PORT=81
    refused 4 "'dev/web/PORT' is locked" -- emsa rm dev/web/PORT
    refused 4 "'dev/web/PORT' is locked" -- emsa mv dev/web/PORT dev/web/DOOR
    refused 4 "'dev/web/PORT' is locked" -- emsa cp dev/web/SIZE dev/web/PORT
    refused 4 "'dev/web/PORT' is locked" -- emsa service rm dev/web --all
    refused 4 "'dev/web/PORT' is locked" "'dev/frozen/A' is locked" -- emsa env rm dev --all
    refused 4 "'dev/frozen/A' is locked by 'dev/frozen' since revision" "until the audit" "(emsa unlock dev/frozen)" -- emsa set dev/frozen A=2
    refused 4 "'dev/frozen/C' is locked by 'dev/frozen'" -- emsa set dev/frozen C=3
    refused 4 "'dev/frozen/A' is locked" "'dev/frozen/B' is locked" -- emsa set dev/frozen A=2 B=3
    said 2
    refused 4 "is locked by 'empty' since revision" "kept empty" -- emsa set empty/web A=1 --new
    refused 4 "is locked by 'empty'" -- emsa service add empty/web
    refused 4 "is locked by 'empty'" -- emsa env rm empty
    # wherever it would be set
    refused 4 "'dev/web/FLAVOUR' is locked by 'dev/web/FLAVOUR' since revision" "tasted" -- emsa set all/web FLAVOUR=vanilla
    refused 4 "'dev/web/FLAVOUR' is locked" -- emsa rm all/web/FLAVOUR
    refused 4 "'dev/web/FLAVOUR' is locked" -- emsa set dev/web FLAVOUR=vanilla
    refused 3 "'dev/web' is not locked itself" -- emsa unlock dev/web
    refused 3 "'dev/frozen/A' is not locked itself" -- emsa unlock dev/frozen/A
    refused 3 "no key 'dev/web/NOTHING'" -- emsa lock dev/web/NOTHING -m why
    refused 3 "no service 'dev/nobody'" -- emsa lock dev/nobody -m why
    refused 3 "no environment 'nowhere'" -- emsa lock nowhere -m why
    refused 3 "no environment 'nowhere'" -- emsa unlock nowhere
}

environments() {
    refused 4 "'prod' is protected: every change of it needs a reason (-m WHY)" -- emsa set prod/payments MODE=test
    refused 4 "'prod' is protected" -- emsa rm prod/payments/MODE
    refused 4 "'prod' is protected" -- emsa service add prod/other
    refused 4 "'prod' is protected" -- emsa lock prod
    refused 4 "'prod' is protected" -- emsa share prod/payments/KEY --with other
    refused 4 "'prod' is protected: it is removed by nobody" -- emsa env rm prod -m why
    refused 4 "'prod' is protected: it is removed by nobody" -- emsa env rm prod --all -m why
    refused 4 "'late' cannot stand on 'prod': it is protected" -- emsa env add late --base prod
    refused 4 "'late' cannot stand on 'pre'" -- emsa env add late --base pre
    refused 4 "'late' cannot stand on 'all'" -- emsa env add late --base all
    refused 4 "'late' cannot stand on 'base': what is protected stands on nothing" -- emsa env add late --base base --protected
    refused 4 "'late' cannot be protected and end by itself" -- emsa env add late --protected --ttl 1h
    refused 4 "environment 'all'" -- emsa env add all --base base
    refused 4 "environment 'all'" -- emsa env add all --protected
    refused 4 "environment 'all' stays" -- emsa env rm all --all
    refused 3 "no environment 'bsae'; did you mean 'base'" -- emsa env add late --base bsae
    refused 4 "environment 'base' is what 'pre' stands on" -- emsa env rm base --all
    refused 4 "environment 'dev' is not empty" "--all" -- emsa env rm dev
    refused 4 "environment 'dev' is there already, on other terms" -- emsa env add dev --ttl 1h
    refused 4 "service 'dev/web' is not empty" "--all" -- emsa service rm dev/web
    refused 3 "no environment 'nowhere'" -- emsa env rm nowhere
    refused 3 "no environment 'nowhere'" -- emsa env cp nowhere late
    refused 4 "'dev'" -- emsa env cp base dev
    refused 4 "all" -- emsa env cp dev all
    refused 2 "soon" -- emsa env add late --ttl soon
    refused 4 "looks like a misspelling of 'dev/billing'" "--new" -- emsa link dev/biling/X shared/HOST
}

copies() {
    refused 3 "no key 'dev/web/NOTHING'" -- emsa cp dev/web/NOTHING dev/web/OTHER
    refused 3 "no key 'dev/web/NOTHING'" -- emsa mv dev/web/NOTHING dev/web/OTHER
    refused 3 "no service 'dev/nobody'" -- emsa cp dev/nobody dev/somebody
    refused 3 "no environment 'nowhere'" -- emsa cp dev/web/SIZE nowhere/web/SIZE
    refused 4 "lie in two environments" -- emsa mv dev/web/SIZE base/web/SIZE
    refused 4 "'prod/payments/KEY' is a secret of 'prod', which is protected: it is copied to no other environment" -- \
        emsa cp prod/payments/KEY dev/billing/KEY
    refused 4 "'prod/payments/KEY' is a secret of 'prod'" -- emsa cp prod/payments dev/payments --new
    refused 4 "'all/postgres/PASSWORD': a secret cannot stand in 'all'" -- emsa cp dev/postgres/PASSWORD all/postgres/PASSWORD
    refused 2 "neither a service nor a key" -- emsa cp dev/web/SIZE dev
    refused 2 "to itself" -- emsa cp dev/web/SIZE dev/web/SIZE
    refused 2 "neither a service nor a key" -- emsa cp dev base
    refused 3 "'dev/web/COLOUR' is not set there but in" -- emsa rm dev/web/COLOUR
}

lookups() {
    refused 3 "no key 'dev/web/NOTHING'" -- emsa explain dev/web/NOTHING
    refused 3 "no key 'base/app/FLAVOUR'" -- emsa explain base/app/FLAVOUR
    refused 3 "no service 'dev/nobody'" -- emsa refs dev/nobody/KEY
    refused 3 "no environment 'nowhere'" -- emsa refs nowhere/web/KEY
    refused 3 "no key 'dev/web/NOTHING'" -- emsa refs dev/web/NOTHING
    refused 3 "no environment 'nowhere'" -- emsa suggest nowhere
    refused 2 "not a key" -- emsa explain dev/web
    refused 2 "not a key" -- emsa refs dev
    refused 2 "more parts than a path" -- emsa find 'a/b/c/d'
    refused 2 "empty" -- emsa find ''
}

secrets() {
    refused 4 "'all/web/TOKEN_KEY': a secret cannot stand in 'all': set it in the environments that need it" -- \
        emsa set all/web --secret-file "TOKEN_KEY=$work/secret"
    refused 4 "'all/web/ONE': a secret cannot stand in 'all'" "'all/web/TWO': a secret" -- \
        emsa set all/web --secret-file "ONE=$work/secret" --secret-file "TWO=$work/secret"
    refused 4 "'dev/postgres/PASSWORD' is a secret and would become plain" -- emsa set dev/postgres PASSWORD=visible
}

# wrong TEXT PART...: no link
wrong_link() {
    local text=$1 parts=()
    shift
    parts=("$@")
    refused 2 "${parts[@]}" -- emsa link dev/web/X "$text"
    refused 2 "${parts[@]}" -- emsa link all/web/X "$text"
}

wrong_template() {
    local text=$1 parts=()
    shift
    parts=("$@")
    refused 2 "${parts[@]}" -- emsa set --template dev/web/X "$text"
    refused 2 "${parts[@]}" -- emsa set --template all/web/X "$text"
}

texts() {
    wrong_link '' "a link is empty"
    wrong_link 'HOST' "link 'HOST' names no service: write service/HOST"
    wrong_link 'dev/shared/HOST' "an environment cannot be named"
    wrong_link '/HOST' "a link is written service/KEY"
    wrong_link 'shared/' "a link is written service/KEY"
    wrong_link 'shared/..' "a link is written service/KEY"
    wrong_link '../prod/payments/KEY' "a link is written service/KEY"
    wrong_link 'shared/HOST ' "a link is written service/KEY"
    wrong_link 'shared/HOST|url' "a link is written service/KEY"
    wrong_link '${shared/HOST}' "a link is written service/KEY"
    wrong_link 'sh ared/HOST' "a link is written service/KEY"
    wrong_template '$' "column 1:" 'write $$ for a dollar'
    wrong_template 'a$b' "column 2:" 'write $$ for a dollar'
    wrong_template 'ä$b' "column 2:"
    wrong_template $'a\nb$' "line 2, column 2:"
    wrong_template '$HOST' "column 1:"
    wrong_template '$$$' "column 3:"
    wrong_template '${' "column 1:" "has no '}'"
    wrong_template 'x${HOST' "column 2:" "has no '}'"
    wrong_template '${HOST${HOST}}' "column 1:"
    wrong_template '${}' "names no key"
    wrong_template '${ HOST}' "a blank inside"
    wrong_template '${shared/HOST }' "a blank inside"
    wrong_template '${dev/shared/HOST}' "an environment cannot be named"
    wrong_template '${prod/payments/KEY}' "an environment cannot be named"
    wrong_template '${/HOST}' "column"
    wrong_template '${shared/}' "column"
    wrong_template '${../KEY}' "column"
    wrong_template '${shared/HOST|upper}' "no such filter"
    wrong_template '${shared/HOST|}' "no such filter"
    wrong_template '${shared/HOST|url|json}' "no such filter"
    wrong_template '${HOST:-default}' "column"
    wrong_template '${shared/..}' "column"
    # the first of several, with its place; the rest of the commit stays out
    refused 2 "column 1:" -- emsa set --template dev/web A='$' B=good
}

guessing() {
    refused 4 "'dev/web/X' would be equal to a secret of another environment" -- emsa set dev/web X=correct-horse-prod
    secret prod
    refused 4 "'dev/web/X' would be equal to a secret of another environment" -- emsa set dev/web --secret-file "X=$work/secret"
    refused 4 "'dev/web/X' would be plain and is equal to the secret 'dev/postgres/PASSWORD'" -- emsa set dev/web X=correct-horse-dev
    refused 2 "--allow-equal needs a reason (-m WHY)" -- emsa set dev/web X=correct-horse-prod --allow-equal
    refused 4 "would be equal" -- emsa set dev/web X=correct-horse-prod --dry-run
}

# Ten within an hour, then nothing that brings a value is looked at; what brings none is done as ever.
pasts() {
    refused 3 "no revision 9999: the newest is" -- emsa rollback dev --to 9999
    refused 3 "no revision 0: the first is 1" -- emsa diff dev --from 0
    refused 3 "no revision 99999999999999999999: the newest is" -- emsa show 99999999999999999999
    refused 3 "no tag 'nothing': 'emsa tag' lists them" -- emsa show nothing
    refused 2 "'a b' is no revision: write a number" -- emsa diff 'dev@a b' dev
    refused 2 "tag 'a/b' is not allowed" -- emsa tag a/b 1
    refused 2 "and not digits only" -- emsa tag 12 1
    refused 3 "no revision 9999: the newest is" -- emsa tag release 9999
    refused 3 "no tag 'nothing'" -- emsa tag --rm nothing
    refused 2 "name the tag to remove" -- emsa tag --rm
    refused 2 "'dev' is one place: name another one, or say from which revision" -- emsa diff dev
    refused 2 "--from and --to are for one place" -- emsa diff dev base --from 2
    refused 2 "says from which revision, and so does --from" -- emsa diff dev@2 --from 3
    refused 2 "name two environments, two services or two keys" -- emsa diff dev dev/web
    refused 3 "no environment 'deve': did you mean 'dev'" -- emsa diff deve dev
    refused 3 "'pre' did not exist as of revision 2" -- emsa diff pre@2 dev
    refused 3 "no service 'dev/bill'" -- emsa blame dev/bill
    refused 2 "say where to: --to REV" -- emsa rollback dev
    refused 4 "'dev' did not exist as of revision 1: 'emsa env rm dev --all' removes it" -- emsa rollback dev --to 1
    refused 4 "'dev/web' did not exist as of revision 2: 'emsa service rm dev/web --all' removes it" -- emsa rollback dev/web/PORT --to 2
    refused 4 "'prod' is protected and 'dev' is not: nothing is promoted down from it" -- emsa promote prod/payments dev/payments
    refused 4 "'prod' is protected" "(-m WHY)" -- emsa promote dev/soon prod/soon --new
    refused 4 "'base/billing/PG_HOST' refers to 'shared/HOST', which is not there in 'base'" "'base/billing/URL' refers" -- \
        emsa promote dev/billing base/billing
    refused 3 "no key 'dev/web/NO'" "no key 'dev/web/NEITHER'" -- emsa promote dev/web base/web NO NEITHER
    refused 2 "'dev' is one environment" -- emsa promote dev/web dev/soon
    refused 2 "is no time: write 2026-11-30" -- emsa log --since yesterday
    refused 2 "has more parts than a path" -- emsa log --key a/b/c/d
}

guessed_enough() {
    for n in {1..10}; do
        ends_in "guess $n" emsa set dev/web X=correct-horse-prod
    done
    refused 1 "are refused unexamined until the hour is over" "emsa audit" -- emsa set dev/web X=harmless
    refused 1 "are refused unexamined" -- emsa set dev/web X=harmless --dry-run
    refused 4 "'dev/web/PORT' is locked" -- emsa rm dev/web/PORT
    # each is a line of the record, a moment later where a server was asked
    until [ "$(emsa audit | grep -c 'denied Equal')" -ge 10 ]; do :; done
    is "none has a value" 0 "$(cat "$EMSA_STORE"/audit/* | grep -c correct-horse)"
}

ends_in() {
    local what=$1
    shift
    "$@" >/dev/null 2>&1 </dev/null && fault "$what: done"
    return 0
}

table() {
    stands=$(state)
    references
    sharing
    circles
    ttls
    locks
    environments
    copies
    lookups
    secrets
    texts
    guessing
    pasts
}

table
mounted "$work/env"
mounted_at=$work/env
table
guessed_enough
holds "verify" emsa verify
finish
