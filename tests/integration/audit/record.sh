#!/bin/bash
# The audit record: what is in it, and that nothing of it can be changed unseen. Each forgery is found twice: by
# 'emsa audit verify', and by an implementation of its own that knows store/AUDIT.md alone.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
/usr/bin/python3 -c 'import nacl' 2>/dev/null || skip "python3-nacl is not installed"
fill
record=$EMSA_STORE/audit

# shellcheck disable=SC2317 # by holds and ends
second() {
    /usr/bin/python3 "$here/audit_verify.py" "$record" "$EMSA_STORE.identity"
}
# seen PATTERN: how many lines of the record, as people see it
seen() {
    emsa audit >"$work/seen"
    grep -c -- "$1" "$work/seen" || true
}

# Without a server.
is "a commit" 2 "$(seen 'commit Set')"
holds "a secret is given" emsa get --reveal prod/web/PASSWORD
is "and written down" 1 "$(seen 'read get .*prod/web/PASSWORD')"
holds "a plain value" emsa get prod/web/PORT
is "is not" 0 "$(seen 'prod/web/PORT')"
holds "exec" emsa exec prod/web -- true
is "is a door too" 1 "$(seen 'read exec .*prod/web/PASSWORD')"

# With one: by files, by .emsa/json, by the socket; who is not allowed to.
mkdir "$work/env" "$work/masked" "$work/view"
begin --mount "$work/env" --mount "prod:$work/masked,masked" --mount "prod/web:$work/view,layout=flat"
is "a daemon" ready "$said"
is "with an audit process" emsad-audit "$(cat "/proc/$(process audit)/comm")"
# A reader that is still there when it is looked at: it ends when its line is written. It is another user's, whose
# program is seen all the same, where the daemon was given the right to look.
mkfifo "$work/let"
chmod 666 "$work/let"
chmod 711 "$work"
setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 -c '
import sys
print(open(sys.argv[1]).read(), flush=True)
open(sys.argv[2]).read()' "$work/view/PASSWORD" "$work/let" >"$work/read" &
reader=$!
holds "what it does is seen" timeout -s KILL 60 emsa audit follow --from 0 --path prod/web/PASSWORD -n 3
: >"$work/let"
wait "$reader"
is "a file" "hidden words" "$(cat "$work/read")"
grep -q hidden "$work/env/prod/web/.emsa/json" || fault "json has no secret"
ends "a masked one" 1 "permission denied" cat "$work/masked/prod/web/PASSWORD"
# It is written down while it runs, without anybody having to wait: follow ends when it has seen it.
holds "follow" timeout -s KILL 60 emsa audit follow --from 0 --path prod/web/PASSWORD -n 4
holds "json" timeout -s KILL 60 emsa audit follow --from 0 --path prod/web --who 0 --json -n 4
grep -q '"door": "json"' "$work/out" || fault "json is no door: $(cat "$work/out")"
emsa --json audit >"$work/json"
looker=python3 # CAP_SYS_PTRACE is bit 19
[ $((0x$(in_status $$ CapEff) >> 19 & 1)) = 0 ] || looker=$(readlink -f /usr/bin/python3)
is "by whom" "65534 $looker" "$(/usr/bin/python3 -c '
import json, sys
print(next(str(line["uid"]) + " " + line["program"] for line in json.load(open(sys.argv[1]))["lines"] if line.get("door") == "open"))' "$work/json")"
is "and none of its capabilities is the audit process's" "0000000000000000 0000000000000000" \
    "$(in_status "$(process audit)" CapPrm) $(in_status "$(process audit)" CapEff)"
over TERM
is "ends well" 0 "$code"
is "a start" 1 "$(seen '  start ')"
is "an end" 1 "$(seen '  stop ')"
is "a masked secret is a denial" 1 "$(seen 'denied open .*prod/web/PASSWORD')"
is "rights are told apart" 0 "$(seen '  rights ')"
holds "a grant" emsa grant prod --to user:root --read
is "is one" 1 "$(seen '  rights Set ')"
ends "somebody that is nobody" 3 "no user" emsa audit --who nobody-of-that-name
is "nobody else's" 0 "$(emsa audit --who 4242 | wc -l)"
is "since just now" 0 "$(emsa audit --since 2100-01-01 | wc -l)"
is "no value is in it" 0 "$(cat "$record"/* | grep -c 'hidden words' || true)"
is "for its owner's eyes" "600 600 700" "$(stat -c %a "$record/key" "$record/record.000001" "$record" | xargs)"

# Whole, and then not.
holds "it is whole" emsa audit verify
head=$(grep '^head: ' "$work/out" | cut -d' ' -f2)
holds "and so says the other one" second
holds "what was its head" emsa audit verify --head "$head"
ends "what never was" 6 "made anew" emsa audit verify --head "2:${head#*:}"
ends "no head" 2 "is none" emsa audit verify --head 7
cp -a "$record" "$work/kept"
restore() {
    rm -rf "$record"
    cp -a "$work/kept" "$record"
}
for how in edited cut "taken out" doubled re-ordered re-chained "re-chained and shorter" "cut with its key" "without a key" torn; do
    /usr/bin/python3 "$here/audit_forge.py" "$record" "$how"
    ends "$how" 6 "[1-9] fault" emsa audit verify
    ends "$how, says the other one" 6 "" second
    restore
done
emsa init --help >/dev/null
rm -rf "$record"
holds "a record that begins anew" emsa get --reveal prod/web/PASSWORD
ends "is another one" 6 "made anew\|not there\|is not" emsa audit verify --head "$head"
restore

# After a forgery the record goes on, and the forgery stays found.
/usr/bin/python3 "$here/audit_forge.py" "$record" edited
holds "whoever writes next" emsa get --reveal prod/web/PASSWORD
ends "does not hide it" 6 "line 5" emsa audit verify
restore

# Half a line at the end is what a crash leaves: it is taken away by who writes next.
printf 'n=9999 time=20' >>"$record/record.000001"
holds "half a line" emsa get --reveal prod/web/PASSWORD
holds "is mended" emsa audit verify
holds "says the other one too" second

# Another auditor: from there on the identity of before checks no more, and the chain still holds.
mkdir "$work/other"
EMSA_STORE=$work/other/store emsa init >/dev/null
public=$(grep -o 'emsa1[0-9a-f]*' "$work/other/store.identity" | head -n 1)
ends "no public identity" 2 "is no public identity" emsa audit auditor emsa1
holds "another auditor" emsa audit auditor "$public"
holds "a read after that" emsa get --reveal prod/web/PASSWORD
holds "is checked" emsa audit verify --identity "$work/other/store.identity"
holds "before it by the one before" emsa audit verify
/usr/bin/python3 "$here/audit_forge.py" "$record" re-chained
ends "a forgery is found" 6 "" emsa audit verify
EMSA_STORE=$work/third emsa init >/dev/null
restore
ends "somebody else's identity" 1 "not for this identity" emsa audit verify --identity "$work/third.identity"

# An auditor from the first line on; a store is not half made for one that is none.
auditor=$(sed -n 's/.*\(emsa1[0-9a-f]*\).*/\1/p' "$work/third.identity" | head -n 1)
export EMSA_STORE=$work/fourth
ends "an auditor that is none" 2 "is no public identity" emsa init --auditor emsa1
is "leaves nothing" "" "$(ls -d "$work"/fourth* 2>/dev/null || true)"
holds "an auditor" emsa init --auditor "$auditor"
holds "the first of all" emsa env add prod
is "is whom the record begins for" "begin $auditor" "$(head -n 1 "$EMSA_STORE/audit/record.000001" | sed 's/.*event=\([a-z]*\) auditor=\(emsa1[0-9a-f]*\) .*/\1 \2/')"
holds "and who checks it" emsa audit verify --identity "$work/third.identity"
grep -q "0 faults" "$work/out" || fault "the auditor says: $(cat "$work/out")"
ends "which the store's own identity cannot" 1 "not for this identity" emsa audit verify --identity "$EMSA_STORE.identity"

# A locked identity says who it is: the record begins for it before anybody unlocks.
export EMSA_STORE=$work/fifth
printf 'correct horse' >"$work/phrase"
holds "a store" emsa init
holds "its identity locked" emsa identity passphrase --new-passphrase-file "$work/phrase"
mkdir "$work/plain"
begin --mount "$work/plain"
is "a daemon" ready "$said"
ends "a wrong passphrase" 1 "passphrase is wrong" emsa identity unlock --passphrase-file "$work/password"
holds "the right one" emsa identity unlock --passphrase-file "$work/phrase"
over TERM
own=$(sed -n 's/.*\(emsa1[0-9a-f]*\).*/\1/p' "$EMSA_STORE.identity" | head -n 1)
is "it begins for the store's own" "begin $own" "$(head -n 1 "$EMSA_STORE/audit/record.000001" | sed 's/.*event=\([a-z]*\) auditor=\(emsa1[0-9a-f]*\) .*/\1 \2/')"
is "who unlocked" 1 "$(seen '  unlock UnlockIdentity ')"
is "and who tried" 1 "$(seen '  denied UnlockIdentity ')"

# An auditor whose identity is locked, as one that is kept elsewhere is.
printf 'a long passphrase\n' >"$work/pass"
emsa identity new far --passphrase-file "$work/pass" --out "$work/far" >/dev/null
holds "named" emsa audit auditor "$(emsa identity export --public "$work/far")"
holds "its first line" emsa env add later
ends "locked" 2 "no terminal" setsid emsa audit verify --identity "$work/far"
ends "by its own" 0 "^1 line checked by their keys" emsa audit verify --identity "$work/far" --passphrase-file "$work/pass"
ends "by the one from before" 0 "by the chain alone, sealed to another auditor" emsa audit verify --passphrase-file "$work/phrase"

# A pipe of a file's name is not waited for, and a number beyond all is none.
mkfifo "$EMSA_STORE/audit/record.000777"
: >"$EMSA_STORE/audit/record.18446744073709551614"
ends "a pipe among its files" 0 "0 faults" timeout 60 emsa audit verify
rm "$EMSA_STORE/audit/record.000777" "$EMSA_STORE/audit/record.18446744073709551614"

# A record that a command cannot write: what is given is given, and it is said that nobody finds it there.
export EMSA_STORE=$work/alone
emsa init >/dev/null
emsa env add dev >/dev/null
printf one | emsa set dev/web/PASSWORD - --raw --secret --new >/dev/null
rm -r "$EMSA_STORE/audit"
: >"$EMSA_STORE/audit"
ends "it is said" 0 "alarm: the audit record has nothing of this: cannot open" emsa get --reveal dev/web/PASSWORD
finish
