#!/bin/bash
# link, set --template, share and unshare: what they set, and every way to be refused.
# shellcheck disable=SC2016 # ${...} is a template's
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=told.sh
. "$here/told.sh"

links() {
    local env=$1
    holds "env add" emsa env add "$env"
    holds "what is shared" emsa set "$env/shared" HOST=db1 USER=app
    holds "a secret" secret "$env/shared/PASSWORD" "correct-horse/$env"
    holds "another service" emsa set "$env/web" PORT=8080
    is "link" "+" "$(emsa link "$env/billing/HOST" shared/HOST | awk -v p="$env/billing/HOST" '$2 == p { print $1 }')"
    is "its value" "db1" "$(emsa get "$env/billing/HOST")"
    is "its kind" "plain 3" "$(emsa ls "$env/billing" | awk '$1 == "HOST" { print $2, $3 }')"
    holds "the same again" emsa link "$env/billing/HOST" shared/HOST
    told "is as it was" "as it was" "$work/out"

    refuses "a target that is not there" 4 "refers to 'shared/NONE', which is not there in '$env'" \
        emsa link "$env/billing/X" shared/NONE
    refuses "one that is not shared" 4 "emsa share $env/shared/PASSWORD --with billing" \
        emsa link "$env/billing/P" shared/PASSWORD
    refuses "a service's that is not shared" 4 "not shared with 'billing'" emsa link "$env/billing/P" web/PORT
    refuses "a circle" 4 "circle" emsa set --template "$env/billing" 'A=${B}' 'B=${A}'
    refuses "an environment in it" 2 "an environment cannot be named" emsa link "$env/billing/X" "$env/shared/HOST"
    refuses "no key" 2 "names no service: write service/shared" emsa link "$env/billing/X" shared
    refuses "a service" 2 "is not a key" emsa link "$env/billing" shared/HOST
    refuses "one argument" 2 "usage" emsa link "$env/billing/X"
    refuses "no environment" 3 "no-such" emsa link no-such/billing/X shared/HOST

    holds "share" emsa share "$env/shared/PASSWORD" "$env/web/PORT" --with billing --with api -m "they ask it"
    told "says with whom" "shared with api" "$work/out"
    holds "a template" emsa set --template "$env/billing/URL" 'pg://${shared/USER}:${shared/PASSWORD|url}@${HOST}/$$'
    refuses "it is a secret" 4 "reveal" emsa get "$env/billing/URL"
    is "and its value" "pg://app:correct-horse%2F$env@db1/\$" "$(emsa get --reveal "$env/billing/URL")"
    holds "several" emsa set --template "$env/billing" 'A=${HOST}' 'B=<${A|json}>'
    is "one through another" '<"db1">' "$(emsa get "$env/billing/B")"
    printf '%s\n' '${HOST|base64}' | emsa set --template "$env/billing/C" - >/dev/null 2>&1
    is "from stdin" "ZGIx" "$(emsa get "$env/billing/C")"
    is "one change changes all" "db2 <\"db2\"> ZGIy" "$(emsa set "$env/shared" HOST=db2 >/dev/null
        emsa get "$env/billing/A"; emsa get "$env/billing/B" | sed 's/^/ /;s/$/ /'; emsa get "$env/billing/C")"
    is "exec has what is in effect" "db2" "$(emsa exec "$env/billing" -- sh -c 'printf %s "$A"')"
    is "and export" "A='db2'" "$(emsa export "$env/billing" --no-secrets | grep '^A=' | sed "s/=db2/='db2'/")"
    refuses "a dollar alone" 2 "column 3" emsa set --template "$env/billing/X" 'ab$c'
    refuses "secret and template" 2 "one of --template and --secret" \
        emsa set --template --secret "$env/billing/X" x

    refuses "unshare what is used" 4 "$env/billing/URL" emsa unshare "$env/shared/PASSWORD" --with billing
    refuses "rm of what is used" 4 "$env/billing/HOST" emsa rm "$env/shared/HOST"
    holds "unshare" emsa unshare "$env/shared/PASSWORD" --with api
    told "says so" "no longer shared with api" "$work/out"
    refuses "unshare again" 3 "is not shared with 'api'" emsa unshare "$env/shared/PASSWORD" --with api
    refuses "with whom?" 2 "with whom" emsa share "$env/shared/PASSWORD"
    refuses "no name" 2 "no/name" emsa share "$env/shared/PASSWORD" --with no/name
    refuses "no key" 3 "NONE" emsa share "$env/shared/NONE" --with web
    refuses "not a key" 2 "is not a key" emsa share "$env/shared" --with web
    holds "every service" emsa share "$env/shared/PASSWORD" --with '*' --dry-run
    told "would be" "every service" "$work/out"
    is "show has words for all" "share unshare set-link set-template" "$(words "$env")"
    holds "gone" emsa env rm "$env" --all
}

# The words of the last operation of each kind, in the order of this list.
words() {
    emsa log "$1" --json | /usr/bin/python3 -c 'import json, subprocess, sys
seen = set()
for commit in json.load(sys.stdin)["commits"]:
    shown = subprocess.run(["emsa", "show", str(commit["rev"]), "--json"], capture_output=True, check=True).stdout
    for done in json.loads(shown)["operations"]:
        seen.add(done["kind"])
        assert not (done["kind"] == "set-template" and "$" not in done["value"]), done
        assert not ("share" in done["kind"] and done["with"] not in ("billing", "api")), done
print(*[word for word in ("share", "unshare", "set-link", "set-template") if word in seen])'
}

# What is in `all` is everybody's, and is text there.
inherited() {
    local env=$1
    holds "env add" emsa env add "$env-a" "$env-b"
    holds "in all" emsa set all/billing LEVEL=info
    holds "a link" emsa link all/billing/WHERE shared/WHERE
    refuses "where it is missing" 4 "'$env-a/billing/WHERE' refers to 'shared/WHERE'" emsa service add "$env-a/billing"
    holds "what it refers to" emsa set "$env-a/shared/WHERE=here" "$env-b/shared/WHERE=there"
    holds "services" emsa service add "$env-a/billing" "$env-b/billing"
    is "each has its own" "here there" "$(emsa get "$env-a/billing/WHERE"; echo -n ' '; emsa get "$env-b/billing/WHERE")"
    is "ls says where from" "from all" "$(emsa ls "$env-a/billing" | awk '$1 == "LEVEL" { print $7, $8 }')"
    is "in JSON" "all" "$(emsa ls "$env-a/billing" --json | json items 0 origin)"
    is "all shows the text" "link shared/WHERE" "$(emsa ls all/billing | awk '$1 == "WHERE" { printf "%s ", $2 }'
        emsa get all/billing/WHERE)"
    refuses "nothing runs in all" 2 "name an environment" emsa exec all/billing -- true
    refuses "no secret in all" 4 "a secret cannot stand in 'all'" secret all/billing/S hidden-and-long
    refuses "a rm of what is not there itself" 3 "all" emsa rm "$env-a/billing/LEVEL"
    holds "covered" emsa set "$env-a/billing" LEVEL=debug
    is "by its own" "debug info" "$(emsa get "$env-a/billing/LEVEL"; echo -n ' '; emsa get "$env-b/billing/LEVEL")"
    holds "uncovered" emsa rm "$env-a/billing/LEVEL"
    is "all again" "info" "$(emsa get "$env-a/billing/LEVEL")"
    holds "gone" emsa service rm "$env-a/billing" "$env-b/billing"
    holds "from all" emsa service rm all/billing --all
}

both() {
    links "$1"
    inherited "$1"
}

holds "init" emsa init
both local
served
both served
holds "verify" emsa verify
finish
