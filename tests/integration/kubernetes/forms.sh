#!/bin/bash
# Every form of a container's environment, compared with what the kubelet would set; what refers to what; and that
# a ConfigMap's value, changed once, is changed for everybody who uses it.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed"

cat >"$work/k.yaml" <<'END'
apiVersion: v1
kind: List
items:
- kind: ConfigMap
  metadata: {name: common}
  data:
    LOG_LEVEL: info
    app.properties: |
      a=1
      b=2
    "1st": digit
    LONG: >-
      folded
      text
    QUOTED: "8080"
- kind: Secret
  metadata: {name: database}
  data:
    PASSWORD: cXVpdGUtYS1sb25nLW9uZQ==
    BINARY: AAH/
  stringData: {USER: alice}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers:
      - name: wait
        env: [{name: WAIT_FOR, value: db}]
      containers:
      - name: web
        envFrom:
        - configMapRef: {name: common}
        - prefix: DB_
          secretRef: {name: database}
        - secretRef: {name: elsewhere, optional: true}
        env:
        - {name: HOST, value: db.example}
        - {name: URL, value: "pg://$(DB_USER):$(DB_PASSWORD)@$(HOST)/$(NOT_THERE)?$$(HOST)&$1"}
        - {name: LOG_LEVEL, value: "$(LOG_LEVEL)-web"}
        - {name: ALIAS, value: $(HOST)}
        - {name: EMPTY}
        - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
        - {name: MAYBE, valueFrom: {configMapKeyRef: {name: elsewhere, key: x, optional: true}}}
      - name: sidecar
        env:
        - {name: HOST, value: db.example}
        - {name: SIDE, value: "$(HOST):1"}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - env:
            - {name: LEVEL, valueFrom: {configMapKeyRef: {name: common, key: LOG_LEVEL}}}
            - {name: PASSWORD, valueFrom: {secretKeyRef: {name: database, key: PASSWORD}}}
            - {name: BINARY, valueFrom: {secretKeyRef: {name: database, key: BINARY}}}
---
kind: StatefulSet
metadata: {name: idle}
spec: {template: {spec: {containers: [{name: x}]}}}
END
emsa init >/dev/null
holds "import" emsa import --format kubernetes "$work/k.yaml" demo
cp "$work/err" "$work/notes"
is "in one revision" 2 "$(revision)"
mounted "$work/env"
demo=$work/env/demo
holds "every variable" /usr/bin/python3 "$here/compare.py" "$work/k.yaml" "$demo"
cat "$work/out"

# told WORDS: one note says so
told() {
    is "a note of $1" 1 "$(grep -c -- "$1" "$work/notes")"
}
told "'web/POD_IP' comes from a fieldRef"
told "'web/MAYBE' is 'x' of the ConfigMap 'elsewhere'"
told "all that 'web' gets from the Secret 'elsewhere'"
told "'web/1st' is no name of a variable"
told "'\$(NOT_THERE)' names nothing before it"

is "the secret is one" "secret" "$(getfattr --absolute-names --only-values -n user.emsa.kind "$demo/database/PASSWORD")"
is "in what was made from it, too" "0" "$(emsa get demo/web/URL 2>/dev/null | grep -c long-one)"
is "a file stays a file" "$(printf 'a=1\nb=2')" "$(cat "$demo/common/app.properties")"
before=$(revision)
holds "a ConfigMap's value, once" emsa set demo/common LOG_LEVEL=debug
is "one revision" $((before + 1)) "$(revision)"
is "for one workload" debug "$(cat "$demo/nightly/LEVEL")"
holds "a password, once" bash -c 'printf %s another-long-one | emsa set --secret demo/database/PASSWORD -'
is "for the other" "pg://alice:another-long-one@db.example/\$(NOT_THERE)?\$(HOST)&\$1" "$(cat "$demo/web/URL")"
ends "and nobody else can link to it" 4 "not shared with 'idle'" emsa link demo/idle/X database/PASSWORD
finish
