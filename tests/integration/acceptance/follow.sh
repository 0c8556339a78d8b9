#!/bin/bash
# A program that follows a file shows what is added, again and again: less, which asks for errors before it reads on.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
command -v less >/dev/null || skip "needs less"

holds "init" emsa init
holds "env add" emsa env add prod
holds "a log" emsa set prod/web LOG=
mounted "$work/env"
holds "less +F" /usr/bin/python3 "$here/follow.py" "$EMSA_STORE/socket" "$work/env/prod/web/LOG" prod/web/LOG less +F
cat "$work/out"
holds "tail -f" /usr/bin/python3 "$here/follow.py" "$EMSA_STORE/socket" "$work/env/prod/web/LOG" prod/web/LOG tail -s 0.05 -f
cat "$work/out"
finish
