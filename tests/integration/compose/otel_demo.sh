#!/bin/bash
# A real system of microservices, taken in: every service has exactly the keys and bytes that docker-compose sets;
# a value that many of them use is changed once; and the dotenv file can go.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=support.sh
. "$here/support.sh"

data=$root/../shared/data/otel-demo
[ -f "$data/compose.yaml" ] || skip "there is no ../shared/data/otel-demo beside this checkout"

mkdir "$work/project"
cp "$data/compose.yaml" "$data/dotenv" "$work/project"

emsa init >/dev/null
ends "what looks like a secret is asked about" 4 "shared/POSTGRES_PASSWORD" \
    emsa import --format compose "$data/compose.yaml" --dotenv "$data/dotenv" demo
is "and nothing is there" 1 "$(revision)"
compared "otel-demo" "$work/project" dotenv

# What compose interpolates, from emsa instead of the dotenv file.
rm "$work/project/dotenv"
holds "docker-compose without the dotenv file" \
    emsa exec demo/compose -- env -C "$work/project" docker-compose -f compose.yaml config
same "reads what it read with it" "$work/config" "$work/out"

# Every variable of the file is there, once as a definition.
sed -n 's/^\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$data/dotenv" | sort >"$work/names"
is "compose has every variable" "$(cat "$work/names")" "$(ls "$work/env/demo/compose")"
is "a variable of a service is defined once" "plain" "$(getfattr --absolute-names --only-values -n user.emsa.kind "$work/env/demo/shared/OTEL_COLLECTOR_HOST")"

# OTEL_COLLECTOR_HOST: changed once, changed for all of its consumers in one revision.
consumers=$(grep -rl --include='*' otel-collector "$work/env/demo" | sed "s|^$work/env/demo/||" | grep -v '^\(shared\|compose\)/' |
    grep -v 'OTEL_COLLECTOR_CONFIG' | sort)
before=$(revision)
holds "change the collector" emsa set demo/shared OTEL_COLLECTOR_HOST=elsewhere.example
is "in one revision" $((before + 1)) "$(revision)"
is "no service has the old one" "" "$(grep -rl otel-collector "$work/env/demo" | sed "s|^$work/env/demo/||" | grep -v 'OTEL_COLLECTOR_CONFIG')"
is "all of them have the new one" "$consumers" \
    "$(grep -rl elsewhere.example "$work/env/demo" | sed "s|^$work/env/demo/||" | grep -v '^\(shared\|compose\)/' | sort)"
sed 's/^OTEL_COLLECTOR_HOST=.*/OTEL_COLLECTOR_HOST=elsewhere.example/' "$data/dotenv" >"$work/project/changed"
config "$work/project" changed >"$work/config"
holds "and every byte is as docker-compose has it with that one line changed" \
    /usr/bin/python3 "$here/compare.py" "$work/config" "$work/env/demo" "$work/notes"
echo "$(wc -w <<<"$consumers") keys of $(cut -d/ -f1 <<<"$consumers" | sort -u | wc -l) services follow"

# Taken in again, nothing changes but what was changed by hand.
emsa set demo/shared OTEL_COLLECTOR_HOST=otel-collector >/dev/null
before=$(revision)
holds "the same import again" emsa import --format compose "$data/compose.yaml" --dotenv "$data/dotenv" demo --guess-secrets
is "changes nothing" "$before" "$(revision)"
finish
