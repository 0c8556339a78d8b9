#!/bin/bash
# A real system's manifests, taken in: every workload has exactly the variables that its containers would get.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

file=$root/../shared/data/online-boutique/kubernetes-manifests.yaml
[ -f "$file" ] || skip "there is no ../shared/data/online-boutique beside this checkout"
/usr/bin/python3 -c 'import yaml' 2>/dev/null || skip "python3-yaml is not installed"

emsa init >/dev/null
holds "import" emsa import --format kubernetes "$file" demo
is "objects that hold nothing of ours are told of" 1 "$(grep -c "Service, ServiceAccount" "$work/err")"
is "in one revision" 2 "$(revision)"
mounted "$work/env"
holds "every variable" /usr/bin/python3 "$here/compare.py" "$file" "$work/env/demo"
cat "$work/out"
is "a service for each workload" "$(grep -c '^kind: Deployment' "$file")" "$(find "$work/env/demo" -mindepth 1 -maxdepth 1 | wc -l)"
holds "the same import again" emsa import --format kubernetes "$file" demo
is "changes nothing" 2 "$(revision)"
finish
