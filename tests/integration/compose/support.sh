#!/bin/bash
# What the scripts here have in common; sourced after lib.sh.
# shellcheck disable=SC2154
set -euo pipefail

command -v docker-compose >/dev/null || skip "docker-compose is not installed"
/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed"

# config FOLDER [ENV_FILE]: what docker-compose makes of FOLDER/compose.yaml, with nothing else set
config() {
    (cd "$1" && env -i PATH="$PATH" HOME="$work" docker-compose -f compose.yaml ${2:+--env-file "$2"} config)
}

# compared WHAT FOLDER [ENV_FILE]: imports it as environment "demo" of a new store, and compares
compared() {
    local what=$1 folder=$2 env_file=${3:-}
    stop_server
    rm -rf "$EMSA_STORE" "$EMSA_STORE".*
    emsa init >/dev/null
    holds "$what: docker-compose" config "$folder" "$env_file"
    cp "$work/out" "$work/config"
    holds "$what: import" emsa import --format compose "$folder/compose.yaml" ${env_file:+--dotenv "$folder/$env_file"} \
        demo --guess-secrets
    cp "$work/err" "$work/notes"
    is "$what: one revision" 2 "$(revision)"
    mounted "$work/env"
    holds "$what: every key" /usr/bin/python3 "$here/compare.py" "$work/config" "$work/env/demo" "$work/notes"
    cat "$work/out"
}
