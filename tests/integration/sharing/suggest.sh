#!/bin/bash
# What the services of an environment repeat is found, defined once in one commit, and read as before by everybody:
# in the environment, in one that stands on it, through the mount. Nothing is found the second time. What is secret,
# inherited, a link, a template or ends is left as it is. Then the same for a system that somebody else wrote.
# shellcheck disable=SC2016 # what is in single quotes is for emsa
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

# services ENVIRONMENT: their names
services() {
    emsa service ls "$1" --json | /usr/bin/python3 -c 'import json, sys
print(*(item["name"] for item in json.load(sys.stdin)["items"]))'
}

# kept ENVIRONMENT DIRECTORY [SERVICE...]: what each of the services reads, a file each
kept() {
    local environment=$1 directory=$2 service
    shift 2
    mkdir -p "$directory"
    for service in "$@"; do
        emsa export "$environment/$service" --reveal --format json >"$directory/$service"
    done
}

# written ENVIRONMENT: before and after, as suggest counts
written() {
    emsa suggest "$1" --json | json values before
}

holds "init" emsa init
holds "env add" emsa env add base other
printf 'postgres://app:hunter2hunter2@db.internal:5432/x' >"$work/secret"
head -c 70000 /dev/urandom >"$work/binary"
printf "it's\n\$5 and \"more\"\n" >"$work/quotes"
holds "values of one" emsa set base/billing PORT=8080 LOG_LEVEL=info DB_URL='postgres://app@db.internal:5432/billing?x=$1' \
    REGION=eu-central-1 OPEN= --secret-file "DSN=$work/secret"
holds "of another" emsa set base/checkout PORT=8080 LOG_LEVEL=info DB_URL=postgres://app@db.internal:5432/checkout \
    ZONE=eu-central-1 OPEN= --secret-file "DSN=$work/secret"
holds "of a third" emsa set base/web PORT=50051 LOG_LEVEL=warn DB_PLACE=db.internal:5432 ADMIN=http://db.internal:8080/admin
for service in billing web; do
    holds "bytes" emsa set base/$service/LOGO --file "$work/binary"
    holds "quotes" emsa set base/$service/MOTTO --file "$work/quotes"
done
holds "what ends" emsa set base/web REGION=eu-central-1 --ttl 1h
holds "for all" emsa set all/web FLAVOUR=strawberry
holds "the same of its own" emsa set base/billing FLAVOUR=strawberry
holds "a link" emsa set base/shared MOOD=cheerful
holds "a link" emsa link base/web/MOOD shared/MOOD
holds "as a value" emsa set base/checkout MOOD=cheerful
holds "on it" emsa env add preview --base base
holds "a service of its own" emsa set preview/only URL=http://db.internal:5432/only
holds "the preview's own" emsa set preview/billing LOG_LEVEL=debug

kept base "$work/base" billing checkout web
kept preview "$work/preview" billing checkout web only
mounted "$work/env"
before=$(revision)

holds "suggest" emsa suggest base
cp "$work/out" "$work/commands"
is "looking changes nothing" "$before" "$(revision)"
for line in 'emsa set base/shared PORT=8080' 'emsa set base/shared ADMIN_HOST=db.internal' \
    'emsa set --template base/shared/DB_ADDR '\''${ADMIN_HOST}:5432'\' \
    'emsa set base/shared LOG_LEVEL=info' 'emsa set base/shared REGION=eu-central-1' \
    'emsa link base/checkout/MOOD shared/MOOD' 'emsa link base/checkout/ZONE shared/REGION' \
    'emsa cp base/billing/LOGO base/shared/LOGO' 'emsa cp base/billing/MOTTO base/shared/MOTTO' \
    "emsa set --template base/billing/DB_URL 'postgres://app@\${shared/DB_ADDR}/billing?x=\$\$1'" \
    'emsa link base/billing/REGION shared/REGION'; do
    checks=$((checks + 1))
    grep -qF -- "$line" "$work/commands" || fault "no '$line' in: $(cat "$work/commands")"
done
for word in DSN hunter2 OPEN FLAVOUR base/web/REGION base/web/PORT base/web/LOG_LEVEL base/web/MOOD preview/only; do
    checks=$((checks + 1))
    ! grep -qF -- "$word" "$work/commands" || fault "'$word' in: $(cat "$work/commands")"
done
first=$(written base)

holds "a dry run" emsa suggest base --apply --dry-run
is "changes nothing" "$before" "$(revision)"
holds "apply" emsa suggest base --apply -m "once"
is "one commit" "$((before + 1))" "$(revision)"
kept base "$work/base.after" billing checkout web
kept preview "$work/preview.after" billing checkout web only
for service in billing checkout web; do
    same "$service of base" "$work/base/$service" "$work/base.after/$service"
done
for service in billing checkout web only; do
    same "$service of preview" "$work/preview/$service" "$work/preview.after/$service"
done
same "through the mount" "$work/binary" "$work/env/base/web/LOGO"
same "and in the preview" "$work/quotes" "$work/env/preview/billing/MOTTO"
is "the preview's own is its own" debug "$(cat "$work/env/preview/billing/LOG_LEVEL")"
is "fewer are written out" 1 "$(($(written base) < first))"
echo "by hand: values written out: $first before, $(written base) after"
holds "once more" emsa suggest base
is "nothing is found" "# nothing is repeated that could be defined once" "$(cat "$work/out")"
holds "nor done" emsa suggest base --apply
is "no commit" "$((before + 1))" "$(revision)"
holds "one change" emsa set base/shared ADMIN_HOST=db2.internal
is "is everywhere" "postgres://app@db2.internal:5432/checkout" "$(cat "$work/env/preview/checkout/DB_URL")"
is "nothing of the other environment" "" "$(ls "$work/env/other")"

# What a preview reads otherwise in its own 'shared' is not what others are linked to.
holds "a base" emsa env add base2
holds "its services" emsa set base2/a TIER=standard-tier
holds "its services" emsa set base2/b TIER=standard-tier
holds "on it" emsa env add preview2 --base base2
holds "with a name of its own" emsa set preview2/shared TIER=of-the-preview
holds "apply" emsa suggest base2 --apply
is "another name" "standard-tier" "$(emsa get base2/shared/TIER_2)"
is "the same" "standard-tier" "$(cat "$work/env/preview2/a/TIER")"
holds "another base" emsa env add base3
holds "its services" emsa set base3/a TIER=standard-tier
holds "its services" emsa set base3/b TIER=standard-tier
holds "on it, without shared" emsa env add preview3 --base base3
holds "the commands" emsa suggest base3
is "shared is placed first" "emsa service add preview3/shared" "$(head -n 1 "$work/out")"
cp "$work/out" "$work/commands"
holds "one after the other" bash -e "$work/commands"
is "the same" "standard-tier" "$(cat "$work/env/preview3/a/TIER")"
holds "apply finds nothing" emsa suggest base3 --apply
is "nothing" "# nothing is repeated that could be defined once" "$(cat "$work/out")"

# Somebody was quicker; a reason is wanted; nothing to look at.
holds "another" emsa env add late
holds "values" emsa set late/a NAME=some-value
holds "values" emsa set late/b NAME=some-value
stands=$(revision)
ends "an older revision" 5 "changed in revision" emsa suggest late --apply --if-rev "$((stands - 1))"
holds "apply" emsa suggest late --apply
is "no reader sees anything otherwise" "" "$(emsa show "$(revision)" --json | /usr/bin/python3 -c 'import json, sys
print(*(o["path"] for o in json.load(sys.stdin)["operations"]
        if o["kind"] in ("set-link", "set-template") and "/shared/" not in o["path"] and not o.get("same")), end="")')"
holds "a protected one" emsa env add prod --protected -m "for real"
holds "values" emsa set prod/a NAME=some-value -m why
holds "values" emsa set prod/b NAME=some-value -m why
ends "without a reason" 4 "reason" emsa suggest prod --apply
holds "with one" emsa suggest prod --apply -m "once"
ends "all" 2 "nothing is read in 'all'" emsa suggest all
ends "none" 3 "nowhere" emsa suggest nowhere
ends "a service" 2 "name of an environment" emsa suggest base/web

# A system that its own people wrote: 11 services that repeat each other.
manifest=$root/../shared/data/online-boutique/kubernetes-manifests.yaml
if [ -r "$manifest" ] && emsa help import | grep -q kubernetes; then
    holds "import" emsa import --format kubernetes "$manifest" demo
    read -ra names <<<"$(services demo)"
    is "all of them" 1 "$((${#names[@]} >= 11))"
    kept demo "$work/demo" "${names[@]}"
    first=$(written demo)
    holds "apply" emsa suggest demo --apply
    kept demo "$work/demo.after" "${names[@]}"
    for service in "${names[@]}"; do
        same "$service" "$work/demo/$service" "$work/demo.after/$service"
    done
    is "fewer are written out" 1 "$(($(written demo) < first))"
    echo "online-boutique: ${#names[@]} services, values written out: $first before, $(written demo) after"
    holds "once more" emsa suggest demo
    is "nothing is found" "# nothing is repeated that could be defined once" "$(cat "$work/out")"
fi
holds "verify" emsa verify
finish
