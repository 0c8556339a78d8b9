#!/bin/bash
# The second sink of the audit record, journald or syslog: a copy of each line, and in nobody's way where it is not
# there, or takes nothing.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
record=$EMSA_STORE/audit
place=$work/journal
fill
mkdir "$work/env"

# taker LINES: a log daemon at the socket; its lines come to $work/taken
taker() {
    rm -f "$place"
    : >"$work/taken"
    /usr/bin/python3 "$here/audit_sink.py" "$place" "$1" >"$work/taken" &
    taker=$!
    until grep -q bound "$work/taken"; do :; done
}
reads() {
    local n
    for ((n = 0; n < $1; n++)); do cat "$work/env/prod/web/PASSWORD"; done >/dev/null
}
unsent() { call Status | json audit unsent; }

for words in "--audit-sink papyrus" "--audit-sink none:/x" "--audit-sink journald:x" "--audit-sink syslog:/$(printf '%0110d' 0)"; do
    # shellcheck disable=SC2086 # several words
    ends "emsad $words" 2 "" emsad $words
done

# journald: each line, whole, with all that the record has
taker 5
begin --mount "$work/env" --audit-sink "journald:$place"
is "a daemon" ready "$said"
reads 1
emsa set prod/web PORT=9 >/dev/null
over TERM
is "ends well" 0 "$code"
wait "$taker"
holds "what came is what was written" /usr/bin/python3 - "$work/taken" "$record" "$EMSA_STORE" <<'END'
import json, sys
sys.path.insert(0, "tests/integration/audit")
taken = [json.loads(line) for line in open(sys.argv[1]).read().splitlines()[1:]]
lines = open(sys.argv[2] + "/record.000001").read().splitlines()
written = [dict(word.split("=", 1) for word in line.split(" ")) for line in lines[-len(taken):]]
assert [fields["EMSA_EVENT"] for fields in taken] == ["start", "unlock", "read", "commit", "stop"], [fields["EMSA_EVENT"] for fields in taken]
for fields, line in zip(taken, written):
    assert {"EMSA_" + name.upper(): value for name, value in line.items()}.items() <= fields.items(), (fields, line)
    assert fields["EMSA_STORE"] == sys.argv[3] and fields["SYSLOG_IDENTIFIER"] == "emsa-audit", fields
    assert fields["MESSAGE"].startswith(line["event"]) and "chain" not in fields["MESSAGE"], fields
    assert fields["PRIORITY"] == {"read": "6", "commit": "6"}.get(line["event"], "5"), fields
END

# One that is there and takes nothing: readers and callers notice nothing. (That what finds no room is counted, the
# unit test shows.)
taker 0
begin --mount "$work/env" --audit-sink "journald:$place"
is "beside one that takes nothing" ready "$said"
/usr/bin/python3 - "$EMSA_STORE/socket" <<'END'
import json, socket, sys
# more than the kernel keeps for a socket
asker = socket.socket(socket.AF_UNIX)
asker.connect(sys.argv[1])
for n in range(1200):
    path = "prod/web/PASSWORD"
    asker.sendall(json.dumps({"method": "io.emsa.Get", "parameters": {"paths": [path], "reveal": True}}).encode() + b"\0")
    while not asker.recv(65536).endswith(b"\0"):
        pass
END
holds "reads go on" reads 50
holds "and commits" emsa set prod/web PORT=10
until call Status | json audit sink_failing | grep -q 11; do :; done
holds "people are told" emsa status
grep -q "journald: .* Resource temporarily unavailable" "$work/out" || fault "status does not tell: $(cat "$work/out")"
emsa doctor >"$work/said" 2>&1 || true
grep -q "journald takes no line of the audit record" "$work/said" || fault "doctor does not tell: $(grep -i sink "$work/said")"
kill "$taker"
wait "$taker" 2>/dev/null || true
over TERM
is "ends well" 0 "$code"
holds "the record is whole" emsa audit verify

# One that is not there yet: what waits is given to it when it comes. Here to syslog.
rm -f "$place"
begin --mount "$work/env" --audit-sink "syslog:$place"
is "without one" ready "$said"
reads 1
until call Status | json audit sink_failing | grep -q '^2$'; do :; done
is "nothing is lost" 0 "$(unsent)"
taker 4
emsa set prod/web PORT=11 >/dev/null
wait "$taker"
until call Status | json audit sink_failing | grep -q '^0$'; do :; done
emsa doctor >"$work/said" 2>&1 || true
grep -q "syslog gets a copy of each line" "$work/said" || fault "doctor says otherwise: $(grep -i sink "$work/said")"
over TERM
is "ends well" 0 "$code"
is "syslog's form" 4 "$(grep -cE '"<8[56]>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} emsa-audit\[[0-9]+\]: n=[0-9]+ time=.* event=(start|unlock|read|commit) .* chain=[0-9a-f]{64}"' "$work/taken")"
is "no value is in it" 0 "$(grep -c 'hidden words' "$work/taken" || true)"
finish
