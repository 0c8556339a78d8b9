#!/bin/bash
# An environment with many secrets is taken from an identity while readers run: no read fails, and the identity opens what it
# could read before and nothing else, by our code and by the second implementation.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=others.sh
. "$here/others.sh"
secrets=${EMSA_TEST_SECRETS:-$((1000 / scale))}
services=10

emsa init >/dev/null
old=$(identity old) stays=$(identity stays)
emsa env add prod >/dev/null
/usr/bin/python3 -c 'import json, sys
for i in range(int(sys.argv[1])):
    service, key = f"service{i % int(sys.argv[2])}", f"KEY_{i}"
    print(json.dumps({"path": f"prod/{service}/{key}", "value": f"secret of {service}/{key}", "secret": True}))' \
    "$secrets" "$services" >"$work/tree"
holds "many secrets" emsa import --tree "$work/tree" --new --allow-equal -m "to begin with"
emsa grant prod --to id:old --key "$old" --read >/dev/null
emsa grant prod --to id:stays --key "$stays" --read >/dev/null

mounted "$work/mnt"
mkfifo "$work/began"
for i in 1 2; do
    /usr/bin/python3 -B "$here/readers.py" "$work/mnt/prod" "$work/stop" >"$work/reads$i" &
    readers+=" $!"
done
until grep -q reading "$work/reads1" && grep -q reading "$work/reads2"; do /usr/bin/python3 -c 'import os; os.sched_yield()'; done
before=$(revision)
began=$(date +%s%N)
holds "taken from one" emsa revoke prod --from id:old -m "left the house"
took=$((($(date +%s%N) - began) / 1000000))
after=$(revision)
is "one commit" $((before + 1)) "$after"
is "all of it is listed" "$secrets" "$(emsa --json rotate list | /usr/bin/python3 -c 'import json, sys; print(len(json.load(sys.stdin)["secrets"]))')"
printf 'secret of service1/KEY_1 again' | emsa set --secret prod/service1/KEY_1 - >/dev/null
is "until it is changed" "$((secrets - 1))" "$(emsa --json rotate list | /usr/bin/python3 -c 'import json, sys; print(len(json.load(sys.stdin)["secrets"]))')"
touch "$work/stop"
# shellcheck disable=SC2086 # several
wait $readers
is "no read failed" "" "$(grep FAULT "$work/reads1" "$work/reads2" | head -n 3 || true)"
echo "$secrets secrets taken back in $took ms beside $(cat "$work"/reads? | grep ' reads' | tr '\n' ' ')"
holds "verified" emsa verify
stop_server

copy
no_key "nothing new" old prod/service1/KEY_1
opens "what it could read" "secret of service2/KEY_2" old prod/service2/KEY_2
opens "who stays" "secret of service1/KEY_1 again" stays prod/service1/KEY_1
opens "opens all" "secret of service2/KEY_2" stays prod/service2/KEY_2
is "the same by another program" "$secrets of $secrets, 0 of 1" \
    "$(/usr/bin/python3 -B "$here/opens.py" "$work/copy" "$work/old.identity" "$after")"
is "of who stays" "$secrets of $secrets, 1 of 1" \
    "$(/usr/bin/python3 -B "$here/opens.py" "$work/copy" "$work/stays.identity" "$after")"
finish
