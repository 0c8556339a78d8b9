#!/bin/bash
# Random histories: what the past is said to have been, against a model (histories.py).
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

commits=$((${EMSA_TEST_COMMITS:-400} / scale))
holds "init" emsa init
holds "environments" emsa env add base dev prod
holds "one with a base" emsa env add pre --base base
for environment in all base dev prod pre; do
    holds "services" emsa service add $environment/api $environment/shared $environment/web
done
mounted "$work/env"
checks=$((checks + 1))
/usr/bin/python3 -B "$here/histories.py" "$EMSA_STORE/socket" "$work/env" "$commits" "$root/tests/support" || fault "see above"
holds "verified" emsa verify
finish
