#!/bin/bash
# A CI run, scripted. A release of a real system brings a schema that asks for three keys that production has not:
# `check --against` stops it with exactly these three, for people, programs and CI servers alike; what it needs is
# applied; it passes; the release before still does, so that both may run at once.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

data=$root/../shared/data/otel-demo
[ -f "$data/compose.yaml" ] || skip "there is no ../shared/data/otel-demo beside this checkout"
/usr/bin/python3 -c 'import junitparser' 2>/dev/null || skip "python3-junitparser is not installed"

service=checkout
new=("LEDGER_URL" "PAYMENT_TIMEOUT" "RETRY_LIMIT")

# against FOLDER: the options for all schemas of a release
against() {
    local file
    options=()
    for file in "$1"/*.yaml; do options+=(--against "$file"); done
}

# passes WHAT [ARGUMENT...]: nothing is wrong, for anybody
passes() {
    local what=$1
    shift
    holds "$what" emsa check "$@" --junit "$work/junit.xml"
    is "$what: says no error" 0 "$(grep -c '^error' "$work/out")"
    holds "$what: as JSON" emsa check "$@" --json
    is "$what: no error" 0 "$(json errors <"$work/out")"
    holds "$what: as JUnit" /usr/bin/python3 "$here/junit.py" "$work/junit.xml"
    is "$what: no failure" "" "$(cat "$work/out")"
}

# stopped WHAT KEY... -- ARGUMENT...: exit 4 and exactly these keys of the service, in all three forms
stopped() {
    local what=$1 wanted=''
    shift
    while [ "$1" != -- ]; do
        wanted+="prod/$service/$1"$'\n'
        shift
    done
    shift
    wanted=${wanted%$'\n'}
    ends "$what" 4 "" emsa check "$@" --junit "$work/junit.xml"
    is "$what: as text" "$wanted" "$(sed -n 's/^error  *\([^ ]*\) .*/\1/p' "$work/out")"
    is "$what: nothing on standard error" "" "$(cat "$work/err")"
    ends "$what, as JSON" 4 "" emsa check "$@" --json
    is "$what: as JSON" "$wanted" "$(/usr/bin/python3 -c 'import json, sys
for finding in json.load(sys.stdin)["findings"]:
    if finding["severity"] == "error": print(finding["path"])' <"$work/out")"
    holds "$what: valid JUnit" /usr/bin/python3 "$here/junit.py" "$work/junit.xml"
    is "$what: as JUnit" "$wanted" "$(cat "$work/out")"
    cp "$work/junit.xml" "$work/junit-file.xml"
    ends "$what, to a pipe" 4 "" emsa check "$@" --junit -
    same "$what: the same into a pipe" "$work/junit-file.xml" "$work/out"
}

# What the repositories of the services have: a schema each.
repositories() {
    local name
    mkdir -p "$work/before" "$work/release"
    holds "production" emsa import --format compose "$data/compose.yaml" --dotenv "$data/dotenv" prod --guess-secrets
    for name in $(emsa service ls prod --json | /usr/bin/python3 -c 'import json, sys
print(*(item["name"] for item in json.load(sys.stdin)["items"]))'); do
        holds "a first draft for $name" emsa schema infer "prod/$name"
        cp "$work/out" "$work/before/$name.yaml"
        cp "$work/out" "$work/release/$name.yaml"
        is "$name: every key is declared" "$(emsa ls "prod/$name" | sed 's/ .*//' | sort)" \
            "$(sed -n 's/^  "\?\([A-Za-z0-9_.-]*\)"\?: *{type: .*/\1/p' "$work/out" | sort)"
    done
    is "schemas" "$(emsa service ls prod | wc -l)" "$(find "$work/before" -type f | wc -l)"
    cat >>"$work/release/$service.yaml" <<'END'
  LEDGER_URL:      {type: url, secret: true, required: true, description: where orders are booked}
  PAYMENT_TIMEOUT: {type: duration, required: true, min: 1s, max: 2m}
  RETRY_LIMIT:     {type: int, required: true, min: 1, max: 10}
END
    cat >"$work/needed.yaml" <<END
environments:
  prod:
    services:
      $service:
        keys:
          LEDGER_URL: !secret-env LEDGER_URL
          PAYMENT_TIMEOUT: 30s
          RETRY_LIMIT: "3"
END
}

pipeline() {
    local before
    before=$(revision)
    against "$work/before"
    passes "the release that runs" prod "${options[@]}"
    against "$work/release"
    stopped "the next one" "${new[@]}" -- prod "${options[@]}"
    stopped "its one service" "${new[@]}" -- "prod/$service" --against "$work/release/$service.yaml"
    is "a check changes nothing" "$before" "$(revision)"

    # one after the other, and each wrong value by what is wrong with it
    emsa set "prod/$service" RETRY_LIMIT=11 PAYMENT_TIMEOUT=30 >/dev/null
    stopped "wrong values" "${new[@]}" -- prod "${options[@]}"
    emsa check prod "${options[@]}" >"$work/out" || true
    grep -q "PAYMENT_TIMEOUT  *must be a duration" "$work/out" || fault "what a duration is: $(cat "$work/out")"
    grep -q "RETRY_LIMIT  *must be from 1 to 10" "$work/out" || fault "how many: $(cat "$work/out")"
    emsa set "prod/$service" LEDGER_URL=https://ledger.example/ RETRY_LIMIT=3 >/dev/null
    stopped "a plain one that must be a secret" LEDGER_URL PAYMENT_TIMEOUT -- prod "${options[@]}"
    emsa rm "prod/$service/LEDGER_URL" "prod/$service/RETRY_LIMIT" "prod/$service/PAYMENT_TIMEOUT" >/dev/null

    # everything that it needs, in one commit
    LEDGER_URL=https://ledger:correct-horse@ledger.example/ holds "what it needs" emsa apply "$work/needed.yaml"
    passes "the next one now" prod "${options[@]}"
    against "$work/before"
    passes "the release before it still" prod "${options[@]}"

    # deployed: its schemas are in force from now on
    holds "its schemas" emsa schema set "$work/release"/*.yaml --env prod
    passes "what is in force" prod
    against "$work/before"
    passes "and the one before" prod "${options[@]}"
    is "no secret is told" "" "$(grep -rl correct-horse "$work/out" "$work/err" "$work/junit.xml" || true)"
    # shellcheck disable=SC2046 # a word each
    emsa schema rm $(emsa service ls prod | sed 's|^\([^ ]*\) .*|prod/\1|') >/dev/null
    emsa rm "prod/$service/LEDGER_URL" "prod/$service/RETRY_LIMIT" "prod/$service/PAYMENT_TIMEOUT" >/dev/null
}

emsa init >/dev/null
repositories
pipeline
mounted "$work/env"
pipeline
echo "$(find "$work/release" -type f | wc -l) services, $(grep -h -c '{type:' "$work"/release/*.yaml | paste -sd+ | bc) keys declared"
finish
