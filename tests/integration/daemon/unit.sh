#!/bin/bash
# unit.sh PACKAGING BINARIES: what systemd says of the unit files, with the built programs in place of the installed
# ones, and of a unit as the manual has it.
set -euo pipefail
if ! command -v systemd-analyze >/dev/null; then
    echo "SKIP: no systemd-analyze here"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
packaging=$1
unit=$packaging/emsad.service.in
for file in "$packaging"/*.service.in; do
    sed "s|=@CMAKE_INSTALL_PREFIX@/s\?bin/|=$2/|" "$file" >"$folder/$(basename "$file" .in)"
done
cat >"$folder/billing@.service" <<'EOF'
[Unit]
Description=As emsad(8) has it
Requires=emsad.service emsa-view@prod-billing.service
After=emsad.service emsa-view@prod-billing.service

[Service]
LoadCredential=DATABASE_URL:/run/emsa/credentials
LoadCredential=prod@billing@tls.crt:/run/emsa/credentials
BindReadOnlyPaths=/run/emsa/views/prod-billing:/env
ExecStart=/bin/true %d/DATABASE_URL
EOF

fault() {
    echo "FAULT: $*"
    exit 1
}

for name in emsad.service emsa-view@prod-billing.service billing@prod.service; do
    if ! said=$(SYSTEMD_UNIT_PATH="$folder:" systemd-analyze verify --man=no "$folder/$name" 2>&1) || [ -n "$said" ]; then
        fault "$name: $said"
    fi
done
for line in KillMode=process Restart=always Type=notify OOMPolicy=continue; do
    grep -qx "$line" "$unit" || fault "a supervisor that dies takes its server with it without $line"
done
grep -qx 'Before=.*docker.service.*podman.service.*' "$unit" || fault "containers may start before their mounts"
! grep -Eq '^(ProtectSystem|PrivateTmp|PrivateMounts|ReadOnlyPaths|MountFlags)=' "$unit" ||
    fault "mounts of a unit with a mount namespace of its own are nobody else's"
