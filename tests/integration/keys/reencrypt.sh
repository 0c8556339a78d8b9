#!/bin/bash
# Everything that is set is encrypted anew while readers run: no read fails, no value, revision or event is another, and the
# newest keys alone open it; who signs it signs all of it.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=others.sh
. "$here/others.sh"
secrets=${EMSA_TEST_SECRETS:-$((500 / scale))}
services=10

# seen: names, sizes, revisions and ends, as a reader is told of them
seen() {
    local service
    for service in $(emsa --json service ls prod | /usr/bin/python3 -c 'import json, sys
print(*(item["path"] for item in json.load(sys.stdin)["items"]))'); do
        emsa ls "$service"
    done
}

emsa init >/dev/null
stays=$(identity stays) web=$(identity web) old=$(identity old)
emsa env add prod --protected --signed -m "to begin with" >/dev/null
/usr/bin/python3 -c 'import json, sys
for i in range(int(sys.argv[1])):
    service, key = f"service{i % int(sys.argv[2])}", f"KEY_{i}"
    print(json.dumps({"path": f"prod/{service}/{key}", "value": f"secret of {service}/{key}", "secret": True}))' \
    "$secrets" "$services" >"$work/tree"
holds "many secrets" emsa import --tree "$work/tree" --new --allow-equal -m "to begin with"
printf 'secret of service9/SOON' | emsa set --secret prod/service9/SOON - --ttl 1d -m "for now" >/dev/null
holds "one is shared" emsa share prod/service1/KEY_1 --with service2 -m why
holds "and reached" emsa link prod/service2/LINK service1/KEY_1 -m why
emsa grant prod --to id:stays --key "$stays" --read -m why >/dev/null
emsa grant prod/service2 --to id:web --key "$web" --read -m why >/dev/null
emsa grant prod/service3 --to id:old --key "$old" --read -m why >/dev/null
emsa revoke prod/service3 --from id:old -m "left the house" >/dev/null
holds "locked, for what it is" emsa lock prod/service1 -m "stays as it is"
emsa --json rotate list prod | json secrets >"$work/listed"

mounted "$work/mnt"
for i in 1 2; do
    /usr/bin/python3 -B "$here/readers.py" "$work/mnt/prod" "$work/stop" >"$work/reads$i" &
    readers+=" $!"
done
until grep -q reading "$work/reads1" && grep -q reading "$work/reads2"; do /usr/bin/python3 -c 'import os; os.sched_yield()'; done
seen >"$work/before"
ends "unsigned it is refused" 4 "signed" emsa --sign none rotate keys prod --reencrypt -m "by age"
before=$(revision)
began=$(date +%s%N)
holds "all of it anew" emsa rotate keys prod --reencrypt -m "by age"
took=$((($(date +%s%N) - began) / 1000000))
is "one commit" $((before + 1)) "$(revision)"
touch "$work/stop"
# shellcheck disable=SC2086 # several
wait $readers
is "no read failed" "" "$(grep FAULT "$work/reads1" "$work/reads2" | grep -v service2/LINK | head -n 3 || true)"
echo "$secrets secrets encrypted anew in $took ms beside $(cat "$work"/reads? | grep ' reads' | tr '\n' ' ')"
seen >"$work/after"
same "no reader is told" "$work/before" "$work/after"
is "nothing of it is an event" 0 "$(timeout 20 emsa --json diff prod --from "$before" | json lines | tr -d '[] \n' | wc -c)"
emsa --json rotate list prod | json secrets >"$work/found"
same "what somebody knows is known all the same" "$work/listed" "$work/found"
holds "verified" emsa verify
holds "one service alone" emsa rotate keys prod/service2 --reencrypt -m "again"
holds "verified again" emsa verify
stop_server

copy
opens "who stays" "secret of service2/KEY_2" stays prod/service2/KEY_2
opens "who has one service" "secret of service2/KEY_2" web prod/service2/KEY_2
opens "what is shared with it" "secret of service1/KEY_1" web prod/service2/LINK
no_key "and nothing else" web prod/service1/KEY_11
is "by another program, too" 0 "$(/usr/bin/python3 -B "$here/../format/emsa_settle.py" "$work/copy" --identity "$EMSA_STORE.identity" >/dev/null; echo $?)"
mv "$EMSA_STORE.identity" "$work/away"
ends "without a key nothing is encrypted anew" 1 "" emsa --sign "$work/away" rotate keys prod/service2 --reencrypt -m "no key"
mv "$work/away" "$EMSA_STORE.identity"
finish
