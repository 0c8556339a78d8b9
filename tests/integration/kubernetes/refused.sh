#!/bin/bash
# Manifests that cannot be taken in: one message with the file and its line, and nothing is imported.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

emsa init >/dev/null
before=$(revision)
cd "$work"

# refused LINE WORDS: k.yaml is refused at that line
refused() {
    ends "$2" 2 "k.yaml, line $1: .*$2" emsa import --format kubernetes k.yaml demo
    is "$2: nothing is there" "$before" "$(revision)"
}

# put TEXT: k.yaml is a good ConfigMap of four lines, and that text
put() {
    printf 'kind: ConfigMap\nmetadata: {name: good}\ndata: {A: b}\n---\n%b' "$1" >k.yaml
}

put 'kind: Pod\nmetadata: {name: p\n'
refused 7 "did not find expected"
put 'kind: Pod\nkind: Job\n'
refused 6 "'kind' stands in line 5 already"
put 'kind: Pod\nspec: {}\n'
refused 5 "without 'metadata.name'"
put 'a: b\n'
refused 5 "no 'kind:'"
put 'kind: Deployment\nmetadata: {name: d}\n'
refused 5 "has no pod"
put 'kind: Secret\nmetadata: {name: s}\ndata:\n  A: "@@"\n'
refused 8 "'A' is no base64"
put 'kind: ConfigMap\nmetadata: {name: c}\ndata:\n  PORT: 80\n'
refused 8 "'PORT' is a number"
put 'kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - env:\n    - {name: A, value: yes}\n'
refused 10 "'A' is a number, true or false"
put 'kind: ConfigMap\nmetadata: {name: good}\n'
refused 6 "a second configmap 'good'"
: >k.yaml
refused 1 "no workload, ConfigMap or Secret"
ends "no file" 3 "none.yaml" emsa import --format kubernetes none.yaml demo
ends "--dotenv" 2 "--format compose only" emsa import --format kubernetes k.yaml demo --dotenv k.yaml

printf 'kind: ConfigMap\nmetadata: {name: c}\ndata: {API_TOKEN: hush}\n' >k.yaml
ends "what looks like a secret" 4 "c/API_TOKEN (k.yaml, line 3): its name has TOKEN" \
    emsa import --format kubernetes k.yaml demo
is "nothing is there" "$before" "$(revision)"
holds "marked" emsa import --format kubernetes k.yaml demo --plain API_TOKEN
finish
