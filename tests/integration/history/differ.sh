#!/bin/bash
# Two places, or two revisions of one, side by side.
# shellcheck disable=SC2016,SC2317 # what is in single quotes is for emsa; functions are called by holds
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

secret() { printf '%s' "$2" | emsa set "$1" - --raw --secret "${@:3}" >/dev/null; }

# shows WHAT EXPECTED COMMAND...: prints exactly this
shows() {
    local what=$1 expected=$2
    shift 2
    is "$what" "$expected" "$("$@" 2>&1)"
}

holds "init" emsa init
holds "environments" emsa env add prod dev
holds "for all" emsa set all/web LEVEL=info
holds "of prod" emsa set prod/web PORT=80 HOST=a ONLY=1 --new
holds "of dev" emsa set dev/web PORT=8080 HOST=a LEVEL=debug --new
one=$(revision)
shows "two environments" "--- prod@$one
+++ dev@$one
~  web/LEVEL  info -> debug
-  web/ONLY   1
~  web/PORT   80 -> 8080" emsa diff prod dev
shows "two services" "--- dev/web@$one
+++ prod/web@$one
~  LEVEL  debug -> info
+  ONLY   1
~  PORT   8080 -> 80" emsa diff dev/web prod/web
shows "two keys" "--- dev/web/PORT@$one
+++ prod/web/LEVEL@$one
~  PORT  8080 -> info" emsa diff dev/web/PORT prod/web/LEVEL
shows "nothing" "" emsa diff prod/web/HOST dev/web/HOST
ends "is nothing" 0 "" emsa diff prod/web/HOST dev/web/HOST --strict
ends "a difference is none" 0 "" emsa diff prod dev
ends "but where it is asked for" 4 "" emsa diff prod dev --strict
is "as JSON" "['~', '-', '~'] False" "$(emsa diff prod dev --json | /usr/bin/python3 -c 'import json, sys
whole = json.load(sys.stdin)
print([line["mark"] for line in whole["lines"]], whole["same"])')"

# Revisions: what is defined elsewhere too; what came and went; what did not exist.
holds "changed for all" emsa set all/web LEVEL=warn
holds "set and set back" emsa set prod/web HOST=b
holds "to the same" emsa set prod/web HOST=a
holds "another service" emsa set prod/api A=1 --new
two=$(revision)
shows "two revisions" "--- prod@$one
+++ prod@$two
+  api
+  api/A      1
~  web/LEVEL  info -> warn" emsa diff prod@"$one" prod@"$two"
shows "the other way" "--- prod@$two
+++ prod@$one
-  api
-  api/A      1
~  web/LEVEL  warn -> info" emsa diff prod --from "$two" --to "$one"
holds "a name" emsa tag before "$one"
shows "by a name, until now" "--- prod/web@$one
+++ prod/web@$((two + 1))
~  LEVEL  info -> warn" emsa diff prod/web@before
shows "before it was there" "--- prod/api@$one
+++ prod/api@$((two + 1))
+  A  1" emsa diff prod/api --from before
shows "of two places then" "--- prod@$one
+++ dev@$one
~  web/LEVEL  info -> debug
-  web/ONLY   1
~  web/PORT   80 -> 8080" emsa diff prod@before dev@before

# Secrets: whether they differ, and no more.
holds "a secret" secret prod/web/KEY the-same-secret-value
holds "and the same" secret dev/web/KEY the-same-secret-value --allow-equal -m "the same on purpose"
three=$(revision)
shows "equal ones are no difference" "" emsa diff prod/web/KEY dev/web/KEY
holds "another one" secret dev/web/KEY quite-another-value
shows "others are" "--- prod/web/KEY@$((three + 1))
+++ dev/web/KEY@$((three + 1))
~  KEY  secret differs" emsa diff prod/web/KEY dev/web/KEY
shows "those that were equal" "" emsa diff prod/web/KEY@"$three" dev/web/KEY@"$three"
shows "of two revisions" "--- dev/web@$three
+++ dev/web@$((three + 1))
~  KEY  secret differs" emsa diff dev/web --from "$three"
holds "that was plain" emsa rm dev/web/KEY
holds "is" emsa set dev/web KEY=plain
shows "a secret and none" "--- dev/web@$three
+++ dev/web@$((three + 3))
~  KEY  ******** -> plain" emsa diff dev/web --from "$three"
mv "$EMSA_STORE.identity" "$work/away"
shows "without a key nobody knows" "--- prod/web@$((three + 1))
+++ dev/web@$((three + 1))
?  KEY    secret, and no key is at hand to compare it
~  LEVEL  warn -> debug
-  ONLY   1
~  PORT   80 -> 8080" emsa diff prod/web@"$((three + 1))" dev/web@"$((three + 1))"
mv "$work/away" "$EMSA_STORE.identity"

# Bytes that are no text, long ones, none.
printf 'a\0b' >"$work/bytes"
printf 'a\0c' >"$work/others"
holds "bytes" emsa set prod/web/BYTES --file "$work/bytes"
holds "of others" emsa set dev/web/BYTES --file "$work/others"
shows "by their size" "--- prod/web/BYTES@$((three + 5))
+++ dev/web/BYTES@$((three + 5))
~  BYTES  (3 bytes) -> (3 bytes)" emsa diff prod/web/BYTES dev/web/BYTES

# In pieces: the same lines.
for ((n = 0; n < 30; n++)); do echo "K$n=$n"; done >"$work/many"
mapfile -t many <"$work/many"
holds "many" emsa set prod/many "${many[@]}" --new
holds "others" emsa set prod/more "${many[@]}" --new
mounted "$work/env"
is "in pieces" "$(emsa diff prod dev --json | json lines)" "$(/usr/bin/python3 - "$root/tests/support" "$EMSA_STORE/socket" <<'P'
import sys
sys.path.insert(0, sys.argv[1])
import varlink
connection, lines, after = varlink.Connection(sys.argv[2]), [], {}
while True:
    reply = connection.call("Diff", path="prod", other="dev", limit=2, **after)
    lines += reply["lines"]
    if not reply["more"]:
        break
    after = {"after": reply["after"]}
print(lines)
P
)"
finish
