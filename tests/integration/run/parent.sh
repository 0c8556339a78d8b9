#!/bin/bash
# emsa-run as the parent of a command, also as process 1.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

holds "init" emsa init
holds "environment" emsa env add prod
holds "values" emsa set prod/web PORT=1 NAME=x
mounted "$work/env"
mounted "$work/other" # the server stays when the first is taken away
holds "as a parent" /usr/bin/python3 "$here/parent.py" "$work/env" "$here/told.py"
cat "$work/out"
finish
