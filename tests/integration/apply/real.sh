#!/bin/bash
# An environment of microservices, as its file: taken in, exported, made again in an empty store, changed there.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

data=$root/../shared/data/otel-demo
[ -f "$data/compose.yaml" ] || skip "there is no ../shared/data/otel-demo beside this checkout"

holds "init" emsa init
holds "taken in" emsa import --format compose "$data/compose.yaml" --dotenv "$data/dotenv" demo --guess-secrets
holds "exported" emsa export demo --format yaml
cp "$work/out" "$work/demo.yaml"
echo "$(wc -l <"$work/demo.yaml") lines, $(grep -c '!link' "$work/demo.yaml") links, $(grep -c '!template' "$work/demo.yaml") templates, $(grep -c '!secret' "$work/demo.yaml") secrets"
holds "applied" emsa apply "$work/demo.yaml"
is "it changes nothing" 1 "$(grep -c 'nothing to change' "$work/out")"

emsa --store "$work/second" init >/dev/null
ends "an empty store asks for the secrets" 4 "there is no secret 'demo/shared/POSTGRES_PASSWORD'" \
    emsa --store "$work/second" apply "$work/demo.yaml" --if-rev 1
is "for all of them at once" "$(grep -c '!secret' "$work/demo.yaml")" "$(grep -c 'there is no secret' "$work/err")"
(umask 077 && emsa export demo --format yaml --reveal | grep -v '^rev:' >"$work/clear.yaml")
holds "with them" emsa --store "$work/second" apply "$work/clear.yaml"
is "it is one commit" 2 "$(emsa --store "$work/second" status --json | json rev)"
same "and the same definitions" <(emsa --store "$work/second" export demo --format yaml | grep -v '^rev:') <(grep -v '^rev:' "$work/demo.yaml")
for service in $(emsa service ls demo --json | /usr/bin/python3 -c 'import json, sys
print(*[item["name"] for item in json.load(sys.stdin)["items"]])'); do
    same "the values of $service" <(emsa export "demo/$service" --format json --reveal) \
        <(emsa --store "$work/second" export "demo/$service" --format json --reveal)
done
export EMSA_STORE=$work/second
sed -n 's/^ *OTEL_COLLECTOR_HOST: \(otel.*\)/\1/p' "$work/demo.yaml" >"$work/host"
is "the collector is defined once" 1 "$(wc -l <"$work/host")"
sed "s/^\( *OTEL_COLLECTOR_HOST: \)$(cat "$work/host")\$/\1elsewhere.example/" "$work/demo.yaml" | grep -v '^rev:' >"$work/moved.yaml"
holds "it is moved" emsa apply "$work/moved.yaml"
is "by one line" 1 "$(grep -c '^~' "$work/out")"
is "for everybody" "" "$(emsa find '*' --value "$(cat "$work/host")" --json | grep OTEL_COLLECTOR_HOST || true)"
holds "verify" emsa verify
finish
