#!/bin/bash
# A real system's dotenv file: imported, read back from the mount key by key, exported, and handed to the
# programs that read such a directory. Judged by a parser that is not ours.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

file=$root/../shared/data/otel-demo/dotenv
[ -f "$file" ] || skip "there is no ../shared/data/otel-demo/dotenv beside this checkout"
/usr/bin/python3 -c 'import dotenv' 2>/dev/null || skip "python3-dotenv is not installed"

holds "init" emsa init
holds "env add" emsa env add prod
ends "keys that look like secrets are listed first" 4 "--guess-secrets" emsa import prod/demo "$file"
is "and nothing of the file is there" "" "$(emsa ls prod)"
holds "import" emsa import prod/demo "$file" --guess-secrets
mounted "$work/env"
demo=$work/env/prod/demo

holds "every key reads back as another parser has it" \
    /usr/bin/python3 "$here/dotenv_compare.py" directory "$file" "$demo"
emsa export prod/demo --reveal >"$work/exported"
holds "the export means the same to another parser" \
    /usr/bin/python3 "$here/dotenv_compare.py" file "$file" "$work/exported"
emsa export prod/demo --reveal --format json >"$work/exported.json"
holds "and so does the JSON export" /usr/bin/python3 "$here/dotenv_compare.py" json "$file" "$work/exported.json"
emsa export prod/demo --reveal --format shell >"$work/exported.sh"
holds "and so does the shell export, to a shell" bash -c "set -a; . '$work/exported.sh'; set +a; env -0 >'$work/env0'"
holds "in its environment" /usr/bin/python3 "$here/dotenv_compare.py" environment "$file" "$work/env0"
ends "an export without --reveal keeps secrets back" 4 "reveal" emsa export prod/demo
holds "an import of the export" emsa import prod/again "$work/exported" --guess-secrets
holds "makes the same directory" diff -r "$demo" "$work/env/prod/again"

# What reads such a directory: equal for non-empty single lines (README.md says what happens to the rest).
holds "envdir" bash -c "envdir '$demo' env -0 >'$work/env0'"
holds "envdir is equal" /usr/bin/python3 "$here/dotenv_compare.py" lines "$file" "$work/env0"
holds "chpst -e" bash -c "chpst -e '$demo' env -0 >'$work/env0'"
holds "chpst is equal" /usr/bin/python3 "$here/dotenv_compare.py" lines "$file" "$work/env0"
holds "s6-envdir" bash -c "s6-envdir '$demo' env -0 >'$work/env0'"
holds "s6-envdir is equal" /usr/bin/python3 "$here/dotenv_compare.py" lines "$file" "$work/env0"

holds "emsa exec" bash -c "emsa exec prod/demo -- env -0 >'$work/env0'"
holds "emsa exec gives all of them" /usr/bin/python3 "$here/dotenv_compare.py" environment "$file" "$work/env0"
ends "emsa exec passes the exit code on" 7 "" emsa exec prod/demo -- sh -c 'exit 7'
# shellcheck disable=SC2016 # to be expanded by the command that is run
ends "emsa exec passes the end by a signal on" 143 "" emsa exec prod/demo -- sh -c 'kill -TERM $$'
is "emsa exec --only" "2" "$(emsa exec prod/demo --pristine --only AD_PORT,ENV_PLATFORM -- env | grep -c =)"
finish
