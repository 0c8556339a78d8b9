#!/bin/bash
# No way across environments. Canaries stand in production and in staging, plain and secret; every verb there is and
# every form of a reference, and seeded random texts by the thousand, try to get one of them into another environment,
# its base or a preview on that. After each, whatever can be read there is searched: files, names, attributes, what is
# rendered, what the verbs print.
# shellcheck disable=SC2016 # what is in single quotes is for emsa
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

canary() { printf 'canary%s' "$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')"; }
plain() {
    printf '%s\n' "$(canary)" | tee -a "$work/plain" | tr -d '\n'
}
secret() {
    local value
    value=$(canary)
    printf '%s\n' "$value" >>"$work/secret"
    printf '%s' "$value" >"$work/value"
}

holds "init" emsa init
holds "environments" emsa env add dev base stage
holds "a protected one" emsa env add prod --protected -m "for real"
for environment in dev base; do
    secret # of its own: what is read there is no canary
    sed -i '$d' "$work/secret"
    holds "the same names" emsa set $environment/shared NOTE=note-of-$environment HOST=host-of-$environment
    holds "and secrets" emsa set $environment/vault --secret-file "KEY=$work/value"
    holds "shared" emsa share $environment/vault/KEY --with '*'
    holds "a service" emsa set $environment/app OWN=own-of-$environment
done
for environment in stage prod; do
    holds "canaries" emsa set $environment/shared "NOTE=$(plain)" "HOST=$(plain)" "CANARY=$(plain)" -m why
    secret
    holds "secret ones" emsa set $environment/vault --secret-file "KEY=$work/value" -m why
    secret
    holds "under a name of its own" emsa set $environment/vault --secret-file "ONLY=$work/value" -m why
    holds "shared with all" emsa share $environment/vault/KEY $environment/vault/ONLY --with '*' -m why
    holds "a service" emsa set $environment/app "OWN=$(plain)" "PATH_TO=$(plain)" -m why
    holds "as a link" emsa link $environment/app/LINK vault/ONLY -m why
    holds "as a template" emsa set --template $environment/app/URL 'x${vault/ONLY}y${shared/CANARY}' -m why
    holds "named as an environment" emsa set $environment/dev "KEY=$(plain)" -m why
done
holds "for all" emsa link all/app/NOTE shared/NOTE -m why
holds "for all" emsa set --template all/app/ADDRESS '${shared/HOST}:${OWN}:${vault/KEY|base64}' -m why
holds "named as an environment" emsa set dev/prod CANARY=harmless KEY=harmless
holds "the same on a base" emsa set base/prod CANARY=harmless KEY=harmless
holds "a preview" emsa env add pre --base base
holds "one on the other" emsa env add stage-pre --base stage
holds "its own" emsa set stage-pre/app "OWN=$(plain)"
holds "its own" emsa set pre/app OWN=own-of-pre
mounted "$work/env"
/usr/bin/python3 "$here/across.py" "$work" "$root/tests/support" || faults=$((faults + 1))
checks=$((checks + 1))
holds "verify" emsa verify
finish
