#!/bin/bash
# export --format compose-override: what an existing project gets beside its own file, as docker-compose reads both.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=support.sh
. "$here/support.sh"

mkdir "$work/project"
cd "$work/project"
cat >compose.yaml <<'EOF'
version: "3.7"
services:
  billing:
    image: billing
    environment: {PORT: "8080"}
    volumes: ["data:/data"]
  "1.0":
    image: numbers
  "yes":
    image: words
  other:
    image: other
volumes:
  data: {}
EOF
emsa init >/dev/null
emsa env add demo void >/dev/null
emsa set --new demo/billing PORT=8080 >/dev/null
emsa set --new demo/1.0 A=1 >/dev/null
emsa set --new demo/yes A=1 >/dev/null
emsa set --new demo/elsewhere A=1 >/dev/null
emsa set --new demo/shared A=1 >/dev/null

emsa export demo --format compose-override --file compose.yaml >compose.emsa.yaml 2>"$work/notes"
is "who gets none is told" 1 "$(grep -c "'other' gets no volume" "$work/notes")"
holds "both files" env -i PATH="$PATH" docker-compose -f compose.yaml -f compose.emsa.yaml config
cp "$work/out" "$work/both"
is "what it comes to" "1.0: emsa-1.0:/env:ro,nocopy
billing: data:/data:rw emsa-billing:/env:ro,nocopy
other:
yes: emsa-yes:/env:ro,nocopy
data: local
emsa-1.0: emsa demo 1.0
emsa-billing: emsa demo billing
emsa-yes: emsa demo yes" "$(/usr/bin/python3 - "$work/both" <<'EOF'
import sys
import yaml

def one(volume):
    if isinstance(volume, str):
        return volume
    assert volume["type"] == "volume"
    return (f'{volume["source"]}:{volume["target"]}:{"ro" if volume.get("read_only") else "rw"}'
            + (",nocopy" if volume.get("volume", {}).get("nocopy") else ""))

with open(sys.argv[1], encoding="utf-8") as file:
    project = yaml.safe_load(file)
for name, service in sorted(project["services"].items()):
    print(f"{name}:", *map(one, service.get("volumes", [])))
for name, volume in sorted(project["volumes"].items()):
    options = (volume or {}).get("driver_opts", {})
    print(f"{name}:", (volume or {}).get("driver", "local"), *(options[key] for key in sorted(options)))
EOF
)"
emsa export demo --format compose-override >all.yaml
is "without the file: all that may run" "1.0 billing elsewhere yes" \
    "$(/usr/bin/python3 -c 'import yaml; print(*sorted(map(str, yaml.safe_load(open("all.yaml"))["services"])))')"
ends "which environment" 2 "which environment" emsa export --format compose-override
ends "a service" 2 "which environment" emsa export demo/billing --format compose-override
ends "definitions" 2 "definitions" emsa export all --format compose-override
ends "no such environment" 3 "demo" emsa export demi --format compose-override
ends "no service in it" 3 "nothing to add" emsa export void --format compose-override
ends "no such file" 3 "none.yaml" emsa export demo --format compose-override --file none.yaml
printf 'a: 1\n' >nothing.yaml
ends "no compose file" 2 "no services" emsa export demo --format compose-override --file nothing.yaml
printf 'a: [\n' >broken.yaml
ends "no YAML" 2 "line" emsa export demo --format compose-override --file broken.yaml
ends "--file elsewhere" 2 "compose-override" emsa export demo/billing --file compose.yaml
cd /
finish
