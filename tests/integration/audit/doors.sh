#!/bin/bash
# By which door a secret is reached (store/AUDIT.md, "Doors"): each way once, with the one line that it is, and the
# ways that are none.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
fill

# lines: DOOR METHOD PATH xCOUNT of what was read or denied since it was asked last
echo 0 >"$work/from"
lines() {
    emsa --json audit >"$work/lines"
    /usr/bin/python3 - "$work/lines" "$(cat "$work/from")" >"$work/told" <<'END'
import json, sys
for line in json.load(open(sys.argv[1]))["lines"][int(sys.argv[2]):]:
    if line["event"] in ("read", "denied"):
        words = [line["event"] if line["event"] != "read" else "", line["door"], line.get("method", ""),
                 line.get("path", ""), "x%d" % line["count"] if "count" in line else ""]
        print(" ".join(word for word in words if word))
END
    json next <"$work/lines" >"$work/from"
    cat "$work/told"
}
# door "LINES" COMMAND...
door() {
    local expected=$1
    shift
    "$@" >"$work/said" 2>&1 || true
    is "$*" "$expected" "$(lines)"
}

printf 'other words' >"$work/other"
printf "fourth words" >"$work/fourth"
printf "third words" >"$work/third"
rev=$(emsa --json log prod/web/PASSWORD | json commits 0 rev)
emsa set prod/web --secret-file "PASSWORD=$work/other" >/dev/null
emsa env add staging >/dev/null
emsa set staging/web --secret-file "PASSWORD=$work/fourth" >/dev/null
cat >"$work/schema" <<'END'
service: web
keys:
  PASSWORD: {type: regex, pattern: '^other.*', secret: true}
  PORT: {type: port}
END
lines >/dev/null

# Values
door "get Get prod/web/PASSWORD" emsa get --reveal prod/web/PASSWORD
door "export Get prod/web/PASSWORD" emsa export --reveal prod/web
door "export Definitions prod/web/PASSWORD" emsa export --reveal --format yaml prod/web
door "exec Get prod/web/PASSWORD" emsa exec prod/web -- true
EDITOR=true door "edit Definitions prod/web/PASSWORD" emsa edit --reveal prod/web

# Something of them
door "diff Diff prod/web/PASSWORD
diff Diff staging/web/PASSWORD" emsa diff prod/web staging/web
door "diff Diff prod/web/PASSWORD
diff Diff prod/web/PASSWORD" emsa diff "prod/web@$rev" prod/web
door "" emsa diff prod/web prod/web
door "check Check prod/web x1" emsa check prod/web --against "$work/schema"
door "infer SchemaInfer prod/web x1
infer SchemaInfer staging/web x1" emsa schema infer prod/web
door "change Set prod/web/PASSWORD" emsa schema set "$work/schema" --env prod --dry-run
door "change Set prod/web/PASSWORD" emsa schema set "$work/schema" --env prod
door "change Set prod/web/PASSWORD" emsa set prod/web --secret-file "PASSWORD=$work/other" --dry-run
door "" emsa set prod/web --secret-file "PASSWORD=$work/third" --dry-run
door "change Rollback prod/web/PASSWORD
change Rollback prod/web/PASSWORD" emsa rollback prod/web --to "$rev" --with-secrets --dry-run

# Of many: each place by its name, and how many more there are.
declare -a secrets=()
printf 'service: many\nkeys:\n' >"$work/many"
for key in K{10..49}; do
    printf '%s many words' "$key" >"$work/$key"
    secrets+=(--secret-file "$key=$work/$key")
    printf '  %s: {type: regex, pattern: "^K1", secret: true}\n' "$key" >>"$work/many"
done
emsa set prod/many --new "${secrets[@]}" >/dev/null
lines >/dev/null
emsa schema set "$work/many" --env prod --dry-run >/dev/null 2>&1
is "a schema of forty" "$(printf 'change Set prod/many/%s\n' K{10..41})
change Set * x8" "$(lines)"
ends "secrets of another place" 4 "" emsa set staging/many --new "K1=K10 many words" "K2=K20 many words" "K3=nothing of it"
is "guessed at two places" "denied call Equal staging/many/K1
denied call Equal staging/many/K2" "$(lines)"
emsa service rm prod/many --all >/dev/null
lines >/dev/null

# Nothing of them
for words in "get prod/web/PASSWORD" "get prod/web/PORT" "export prod/web" "export prod/web --format yaml" "ls prod/web" tree \
    "log" "show 3" "blame prod/web" "explain prod/web/PASSWORD" "refs prod/web/PASSWORD" "find PASSWORD --value words" "schema show prod/web" \
    "check --parity prod,staging" "verify" "status" "cp prod/web/PASSWORD prod/web/COPY"; do
    # shellcheck disable=SC2086 # several words
    door "" emsa $words
done
grep -q "words" "$work/said" && fault "a value was told: $(cat "$work/said")"

# With a server: as it ends all that was seen is written.
mkdir "$work/env" "$work/masked"
begin --mount "$work/env" --mount "prod:$work/masked,masked" --credentials "$work/credentials"
is "a daemon" ready "$said"
lines >/dev/null
cat "$work/env/prod/web/PASSWORD" >/dev/null
cat "$work/env/prod/web/.emsa/at/$rev/PASSWORD" "$work/env/prod/web/PORT" >/dev/null
cat "$work/env/prod/web/.emsa/json" >/dev/null
cat "$work/env/prod/web/.emsa/env" >/dev/null
stat "$work/env/prod/web/PASSWORD" "$work/env/prod/web/.emsa/json" >/dev/null
for name in PASSWORD .emsa/json .emsa/env; do
    ! cat "$work/masked/prod/web/$name" 2>/dev/null || fault "masked, and $name was read"
done
/usr/bin/python3 "$root/tests/integration/daemon/credentials.py" "$work/credentials" ask web@prod.service PASSWORD >/dev/null
call Get '{"paths": ["prod/web/PASSWORD"], "reveal": true}' >/dev/null
call Get '{"paths": ["prod/web/PASSWORD"], "reveal": true, "door": "export"}' >/dev/null
call Get '{"paths": ["prod/web/PASSWORD"], "reveal": true, "door": "window"}' >"$work/said" 2>&1 || true
grep -q "is no door" "$work/said" || fault "a door that is none: $(cat "$work/said")"
over TERM
is "ends well" 0 "$code"
lines >/dev/null
is "by the server's doors" "open prod/web/PASSWORD
open prod/web/PASSWORD
json prod/web
env prod/web
denied open prod/web/PASSWORD
denied json prod/web
denied env prod/web
credential Get prod/web/PASSWORD
call Get prod/web/PASSWORD
export Get prod/web/PASSWORD" "$(cat "$work/told")"
is "no value is in it" 0 "$(cat "$EMSA_STORE"/audit/record.* | grep -c "words" || true)"
finish
