#!/bin/bash
# Who sleeps in poll, select or epoll on an open file wakes at the next change, whoever was killed meanwhile.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

holds "init" emsa init
holds "env add" emsa env add prod
printf 'first' >"$work/value"
holds "a plain value" emsa set prod/web PLAIN=first
holds "a secret" emsa set prod/web --secret-file "SECRET=$work/value"
mounted "$work/env"
holds "python's select module" /usr/bin/python3 "$here/poll.py" "$EMSA_STORE/socket" "$work/env/prod/web" prod/web 24
cat "$work/out"
finish
