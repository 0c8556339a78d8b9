#!/bin/bash
# The completion for bash offers what the command has, and places that are there.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../../../tools/completion/emsa
. "$root/tools/completion/emsa"
compopt() { :; }

# offers WORD...: what is offered for the last word
offers() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _emsa
    echo "${COMPREPLY[*]}"
}

holds "init" emsa init
holds "env add" emsa env add prod dev
holds "values" emsa set prod/web ALPHA=1 BETA=2
holds "another service" emsa service add prod/api
verbs=$(emsa help --json | /usr/bin/python3 -c 'import json, sys
print(*sorted({row["verb"] for row in json.load(sys.stdin)["verbs"]}))')
is "all verbs" "$verbs" "$(offers emsa '' | tr ' ' '\n' | grep -v '^-' | paste -sd ' ')"
is "one verb" "export" "$(offers emsa expo)"
is "second words" "add cp ls rm" "$(offers emsa env '' | tr ' ' '\n' | sort | paste -sd ' ')"
is "options" "--dry-run" "$(offers emsa set --dry)"
is "options of two words" "--all" "$(offers emsa env rm prod --al)"
is "times to live" "30s 5m 1h 1d" "$(offers emsa set prod/web --ttl '')"
is "formats to take in" "dotenv json compose kubernetes" "$(offers emsa import --format '')"
is "formats to print" "dotenv json shell yaml compose-override" "$(offers emsa export prod/web --format '')"
is "bases" "dev prod" "$(offers emsa env add new --base '')"
is "who it may be shared with" "api web" "$(offers emsa share prod/web/ALPHA --with '')"
is "environments" "dev/ prod/" "$(offers emsa ls '')"
is "services" "prod/api/ prod/web/" "$(offers emsa get prod/)"
is "keys" "prod/web/ALPHA" "$(offers emsa get prod/web/A)"
is "changes" "--from" "$(offers emsa watch prod/ --fr)"
is "and a command behind them" "seq" "$(offers emsa watch prod/web -- seq | tr ' ' '\n' | grep -m 1 -x seq)"
is "of another store" "" "$(offers emsa --store "$work/none" ls '')"
finish
