#!/bin/bash
# Files of definitions: written by export, made true by apply. Gone through twice: in the command's own process, and
# through a server.
# shellcheck disable=SC2016 # what an editor runs, and what emsa refers to, is expanded by them
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

# without: a file on standard input without its revision
without() {
    grep -v '^rev: '
}

# refused WHAT CODE WORDS TEXT [OPTION...]: that text is not applied
refused() {
    local what=$1 code=$2 words=$3
    printf '%s\n' "$4" >"$work/text.yaml"
    shift 4
    ends "$what" "$code" "$words" emsa apply "$work/text.yaml" "$@"
}

# says WHAT WORDS...: each stands in what the last command printed, where columns are one blank apart
says() {
    local what=$1 words
    shift
    for words in "$@"; do
        checks=$((checks + 1))
        tr -s ' ' <"$work/out" | grep -qF -- "$words" || fault "$what: no '$words' in: $(head -c 800 "$work/out")"
    done
}

fill() {
    printf 's3cret-of-billing' >"$work/password"
    emsa env add prod dev all >/dev/null
    emsa set prod/shared PG_HOST=db1 >/dev/null
    emsa set all/billing FORMAT=json >/dev/null
    emsa set --template all/billing/NOTE '${FORMAT}!' >/dev/null
    emsa set prod/billing PORT=80 LOG_LEVEL=info EMPTY= >/dev/null
    emsa set prod/billing --secret-file PASSWORD="$work/password" >/dev/null
    emsa link prod/billing/PG_HOST shared/PG_HOST >/dev/null
    emsa set --template prod/billing/URL 'pg://${PASSWORD|url}@${PG_HOST}/' >/dev/null
    emsa set prod/billing SESSION=abc --ttl 1h >/dev/null
    emsa service add prod/checkout >/dev/null
    emsa share prod/billing/PASSWORD --with checkout --with '*' >/dev/null
    emsa env add preview --base dev --ttl 7d >/dev/null
    emsa env add safe --protected -m "a safe one" >/dev/null
}

round_trips() {
    local before
    before=$(revision)
    emsa export --format yaml >"$work/all.yaml"
    is "the revision is written" "rev: $before" "$(head -n 1 "$work/all.yaml")"
    holds "what was written is applied" emsa apply "$work/all.yaml"
    says "all is as it was" "nothing to change"
    is "and nothing was" "$before" "$(revision)"
    is "no secret is in it" 0 "$(grep -c s3cret "$work/all.yaml")"
    emsa export / --format yaml --no-secrets >"$work/open.yaml"
    is "a secret that is left out is named" 1 "$(grep -c '# PASSWORD: a secret' "$work/open.yaml")"
    emsa export prod/billing --format yaml --reveal >"$work/clear.yaml"
    is "one that is shown" 1 "$(grep -c '!secret-value s3cret-of-billing' "$work/clear.yaml")"
    chmod 0644 "$work/clear.yaml"
    holds "is applied too" emsa apply "$work/clear.yaml"
    is "and changes nothing" "$before" "$(revision)"
    is "that others may read it is said" 1 "$(grep -c 'lets others at it' "$work/err")"

    # In an empty store the same, once the secret is there.
    emsa --store "$work/second" init >/dev/null
    ends "a secret that is nowhere" 4 "all.yaml:[0-9]*:[0-9]*: there is no secret 'prod/billing/PASSWORD'" \
        emsa --store "$work/second" apply "$work/all.yaml" --if-rev 1 -m first
    sed 's|!secret|!secret-file password|' "$work/all.yaml" | without >"$work/seed.yaml"
    holds "an empty store" emsa --store "$work/second" apply "$work/seed.yaml" -m first
    is "in one commit" 2 "$(emsa --store "$work/second" status --json | json rev)"
    same "has the same definitions" <(emsa --store "$work/second" export --format yaml | sed 's/expires: .*/expires/' | without) \
        <(sed 's/expires: .*/expires/' "$work/all.yaml" | without)
    is "and the same secret" s3cret-of-billing "$(emsa --store "$work/second" get --reveal prod/billing/PASSWORD)"
    rm -rf "$work/second"*
}

changes() {
    local before
    before=$(revision)
    emsa export prod --format yaml >"$work/prod.yaml"
    sed -i -e 's/PORT: 80/PORT: 8080/' -e '/LOG_LEVEL/d' -e "s/EMPTY: ''/EMPTY: !link shared\/PG_HOST/" \
        -e 's/!secret/!secret-file password/' -e 's/  checkout: {}/  checkout: {keys: {NEW: first}}/' "$work/prod.yaml"
    holds "a dry run" emsa apply "$work/prod.yaml" --dry-run
    says "says what would be" "~ prod/billing/PORT '80' -> '8080'" "~ prod/billing/EMPTY '' -> link shared/PG_HOST" \
        "+ prod/checkout/NEW 'first'" "dry run"
    is "and changes nothing" "$before" "$(revision)"
    holds "a change" emsa apply "$work/prod.yaml" -m "a bigger port"
    is "is one commit" $((before + 1)) "$(revision)"
    is "with its reason" "a bigger port" "$(emsa show "$(revision)" --json | json commit reason)"
    is "a value" 8080 "$(emsa get prod/billing/PORT)"
    is "a link" db1 "$(emsa get prod/billing/EMPTY)"
    is "what is not named stays" info "$(emsa get prod/billing/LOG_LEVEL)"
    ends "once more it is stale" 5 "revision $((before + 1)) (.*a bigger port.*prod/billing/PORT" emsa apply "$work/prod.yaml"
    without <"$work/prod.yaml" >"$work/free.yaml"
    holds "without its revision it is not" emsa apply "$work/free.yaml"
    says "and there is nothing to do" "nothing to change"
    holds "verbosely" emsa apply "$work/free.yaml" -v
    says "what is as it was is listed" "= prod/billing/PORT"
    ends "as of a revision that is said" 5 "after revision $before" emsa apply "$work/free.yaml" --if-rev "$before"
    ends "that is not there yet" 5 "no revision 9999" emsa apply "$work/free.yaml" --if-rev 9999
    printf other >"$work/password"
    holds "a secret, as JSON" emsa apply - --json <<<"environments: {prod: {services: {billing: {keys: {
        PASSWORD: {secret-file: $work/password}, PORT: 81}}}}}"
    is "has no value" "{'kind': 'secret'}" "$(json lines 0 after <"$work/out")"
    is "a plain one has" 8080 "$(json lines 1 before value <"$work/out")"
    is "and is what it was set to" other "$(emsa get --reveal prod/billing/PASSWORD)"
}

stale() {
    emsa export prod/billing --format yaml >"$work/billing.yaml"
    emsa set prod/checkout OTHER=1 >/dev/null
    emsa lock prod/billing/PORT -m "no" >/dev/null
    emsa unlock prod/billing/PORT >/dev/null
    holds "what changed elsewhere is no matter" emsa apply "$work/billing.yaml"
    emsa set prod/billing WHILE=1 -m "in between" >/dev/null
    ends "a key that is new is" 5 "in between): prod/billing/WHILE" emsa apply "$work/billing.yaml"
    emsa export prod/billing --format yaml >"$work/billing.yaml"
    emsa rm prod/billing/WHILE -m "taken away" >/dev/null
    ends "one that is gone too" 5 "taken away): prod/billing/WHILE" emsa apply "$work/billing.yaml"
    emsa export prod/billing --format yaml >"$work/billing.yaml"
    emsa share prod/billing/PORT --with checkout -m "shared now" >/dev/null
    ends "and a share" 5 "shared now): prod/billing/PORT" emsa apply "$work/billing.yaml"
    emsa service add prod/gone >/dev/null
    emsa export prod/gone --format yaml >"$work/gone.yaml"
    emsa service rm prod/gone >/dev/null
    ends "a service that is gone" 5 "prod/gone" emsa apply "$work/gone.yaml"
    is "comes back by no old file" 0 "$(emsa ls prod --json | grep -c gone)"
}

prunes() {
    cat >"$work/some.yaml" <<'YAML'
environments:
  prod:
    services:
      billing:
        keys:
          PORT: 82
          PASSWORD: !secret
          PG_HOST: !link shared/PG_HOST
          FORMAT2: ""
YAML
    holds "named alone" emsa apply "$work/some.yaml"
    is "nothing else is removed" info "$(emsa get prod/billing/LOG_LEVEL)"
    holds "with --prune" emsa apply "$work/some.yaml" --prune
    says "what goes is said" "- prod/billing/LOG_LEVEL 'info'"
    is "what is named stays, what is inherited too" "FORMAT FORMAT2 NOTE PASSWORD PG_HOST PORT" \
        "$(emsa ls prod/billing --json | /usr/bin/python3 -c 'import json, sys
print(*[item["name"] for item in json.load(sys.stdin)["items"]])')"
    is "and every other service" 1 "$(emsa get prod/checkout/OTHER)"
    holds "a service without its keys" emsa apply --prune - <<<'environments: {prod: {services: {checkout: }}}'
    is "keeps them" 1 "$(emsa get prod/checkout/OTHER)"
    holds "with none" emsa apply --prune - <<<'environments: {prod: {services: {checkout: {keys: }}}}'
    ends "has none" 3 "" emsa get prod/checkout/OTHER
}

places() {
    holds "environments and services are made" emsa apply - -m new <<'YAML'
environments:
  feature: {base: fresh, ttl: 2h, services: {web: {keys: {B: !link shared/A}}}}
  fresh:
    services: {shared: {keys: {A: "1"}}, web: , api: {shares: {A: ['*']}, keys: {A: {value: "x", ttl: 1h, share: web}}}}
  strict: {protected: true}
  vault: {protected: true, signed: true, services: {web: {keys: {A: b}}}}
YAML
    is "signed where that is said" "['vault']" "$(emsa env ls --json | /usr/bin/python3 -c 'import json, sys
print([item["name"] for item in json.load(sys.stdin)["items"] if item.get("signed")])')"
    is "on each other" fresh "$(emsa env ls --json | /usr/bin/python3 -c 'import json, sys
print({item["name"]: item.get("base") for item in json.load(sys.stdin)["items"]}["feature"])')"
    is "with what is read there" 1 "$(emsa get feature/web/B)"
    is "and who may read it" "web *" "$(emsa refs fresh/api/A --json | /usr/bin/python3 -c 'import json, sys
print(*sorted((share["with"] for share in json.load(sys.stdin)["shares"]), reverse=True))')"
    emsa export --format yaml >"$work/all.yaml"
    holds "as it is exported" emsa apply "$work/all.yaml"
    says "it is there" "nothing to change"
    refused "protected is not undone" 4 "text.yaml:1:36: 'strict' is there, and is protected" 'environments: {strict: {protected: false}}'
    refused "nor signed" 4 "text.yaml:1:32: 'vault' is there, and takes signed changes only" 'environments: {vault: {signed: false}}'
    refused "nor the other way" 4 "'strict' is there, and takes unsigned changes, too" 'environments: {strict: {signed: true}}'
    refused "signed alone" 4 "add 'protected: true'" 'environments: {other: {signed: true}}'
    refused "what is no yes" 2 "'signed' is true or false" 'environments: {other: {signed: 1}}'
    refused "unsigned where it is wanted" 4 "signed changes only" 'environments: {vault: {services: {web: {keys: {A: c}}}}}' --sign none -m why
    refused "and where it is made" 4 "signed changes only" 'environments: {vault2: {protected: true, signed: true}}' --sign none -m why
    is "is written so" 1 "$(grep -c '^    signed: true$' "$work/all.yaml")"
    refused "nor a base" 4 "stands on 'fresh'" 'environments: {feature: {base: prod}}'
    refused "what is protected wants a reason" 4 "reason" 'environments: {strict: {services: {a: {keys: {B: c}}}}}'
    holds "and has one" emsa apply - -m why <<<'environments: {strict: {services: {a: {keys: {B: c}}}}}'
    refused "a service like another" 4 "billing" 'environments: {prod: {services: {biling: {keys: {A: b}}}}}'
    holds "is meant" emsa apply - --new <<<'environments: {prod: {services: {biling: {keys: {A: b}}}}}'
}

ends_of_keys() {
    emsa set prod/lease HOLDER=me --ttl 1h >/dev/null
    emsa export prod/lease --format yaml >"$work/lease.yaml"
    holds "an end that is the same" emsa apply "$work/lease.yaml"
    says "is left alone" "nothing to change"
    without <"$work/lease.yaml" | sed "s/{value: me, expires: .*}/{value: me, ttl: 2h}/" >"$work/longer.yaml"
    holds "a time to live" emsa apply "$work/longer.yaml"
    says "is set anew" "~ prod/lease/HOLDER 'me'"
    holds "without" emsa apply - <<<'environments: {prod: {services: {lease: {keys: {HOLDER: me}}}}}'
    is "it stays for good" 0 "$(emsa ls prod/lease --json | grep -c expires)"
    refused "one that has passed" 4 "has ended already" \
        'environments: {prod: {services: {lease: {keys: {HOLDER: {value: you, expires: 2020-01-01T00:00:00Z}}}}}}'
}

secrets() {
    printf ' with blanks \n' >"$work/token"
    export TOKEN_OF_TEST="from the environment"
    cat >"$work/secrets.yaml" <<'YAML'
environments:
  prod:
    services:
      vault:
        keys:
          FILE: !secret-file token
          VARIABLE: !secret-env TOKEN_OF_TEST
          CLEAR: !secret-value 'clear: text'
          BYTES: {secret-value: !base64 AAECAw==}
          PLAIN: !base64 /wAB
YAML
    chmod 0600 "$work/secrets.yaml"
    holds "secrets from everywhere" emsa apply "$work/secrets.yaml"
    is "nothing of them is printed" 0 "$(cat "$work/out" "$work/err" | grep -c 'blanks\|from the env\|clear: t')"
    same "a file" "$work/token" <(emsa get --reveal prod/vault/FILE)
    is "a variable" "from the environment" "$(emsa get --reveal prod/vault/VARIABLE)"
    is "clear text" "clear: text" "$(emsa get --reveal prod/vault/CLEAR)"
    is "bytes" 00010203 "$(emsa get --reveal prod/vault/BYTES | hex)"
    is "plain bytes" ff0001 "$(emsa get prod/vault/PLAIN | hex)"
    is "their kinds" "secret secret secret plain secret" "$(emsa ls prod/vault --json | /usr/bin/python3 -c 'import json, sys
print(*[item["kind"] for item in json.load(sys.stdin)["items"]])')"
    unset TOKEN_OF_TEST
    ends "a variable that is not there" 2 "secrets.yaml:7:21: there is no variable 'TOKEN_OF_TEST'" emsa apply "$work/secrets.yaml"
    refused "a secret that is none" 4 ":1:.*'prod/vault/PLAIN' is no secret" \
        'environments: {prod: {services: {vault: {keys: {PLAIN: !secret }}}}}'
    refused "none in all" 4 "all" 'environments: {all: {services: {vault: {keys: {S: !secret-value abcdefghijkl}}}}}'
}

schemas() {
    cat >"$work/typed.yaml" <<'YAML'
schemas:
  - service: typed
    strict: true
    keys:
      PORT: {type: port, required: true}
      LEVEL: {type: enum, values: [info, warn], default: info}
environments:
  prod: {services: {typed: {keys: {PORT: 80}}}}
YAML
    holds "a schema and what it asks for" emsa apply "$work/typed.yaml"
    is "are set together" "80 info" "$(emsa get prod/typed/PORT) $(emsa get prod/typed/LEVEL)"
    holds "once more" emsa apply "$work/typed.yaml"
    says "they are as they were" "nothing to change"
    refused "a value that it does not want" 4 "'prod/typed/PORT' must be a port" 'environments: {prod: {services: {typed: {keys: {PORT: x}}}}}'
    refused "with a schema of its own" 2 "text.yaml:1:71: type of .PORT. names no type" \
        'environments: {prod: {services: {typed: {schema: {keys: {PORT: {type: prot}}}}}}}'
    holds "it is wanted" emsa apply - \
        <<<'environments: {prod: {services: {typed: {keys: {PORT: x}, schema: {keys: {PORT: {type: string}}}}}}}'
    is "there" x "$(emsa get prod/typed/PORT)"
    emsa export --format yaml >"$work/all.yaml"
    is "both are exported" 2 "$(grep -c '^        schema:' "$work/all.yaml")"
    holds "as they are" emsa apply "$work/all.yaml"
    says "nothing is to be done" "nothing to change"
    emsa --store "$work/second" init >/dev/null
    holds "an empty store, without an 'all'" emsa --store "$work/second" apply "$work/typed.yaml"
    is "has them" info "$(emsa --store "$work/second" get prod/typed/LEVEL)"
    rm -rf "$work/second"*
    emsa export prod/typed --format yaml >"$work/typed.yaml"
    emsa schema rm prod/typed -m "another schema" >/dev/null
    ends "a schema that changed makes a file stale" 5 "another schema): prod/typed" emsa apply "$work/typed.yaml"
}

all_of_it() {
    fill
    round_trips
    changes
    stale
    prunes
    places
    ends_of_keys
    secrets
    schemas
}

holds "init" emsa init
all_of_it
holds "verify" emsa verify
export EMSA_STORE=$work/other
holds "init of another" emsa init
mounted "$work/env"
all_of_it
is "what is read" 82 "$(cat "$work/env/prod/billing/PORT")"
stop_server
holds "verify" emsa verify
finish
