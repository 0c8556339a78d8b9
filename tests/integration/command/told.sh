#!/bin/bash
# To be sourced after tests/support/lib.sh, whose names these are.
set -euo pipefail

# told WHAT WORDS FILE: the file, which a command before has left, has these words (a basic regular expression)
told() {
    checks=$((checks + 1))
    grep -q -- "$2" "$3" || fault "$1: nothing like '$2' in: $(head -c 400 "$3")"
}
