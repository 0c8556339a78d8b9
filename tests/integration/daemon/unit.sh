#!/bin/bash
# unit.sh UNIT EMSAD: what systemd says of the unit file, with the built program in place of the installed one.
set -euo pipefail
if ! command -v systemd-analyze >/dev/null; then
    echo "SKIP: no systemd-analyze here"
    exit 77
fi
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
sed "s|^ExecStart=/usr/sbin/emsad|ExecStart=$2|" "$1" >"$folder/emsad.service"
if ! said=$(systemd-analyze verify --man=no "$folder/emsad.service" 2>&1) || [ -n "$said" ]; then
    echo "FAULT: $said"
    exit 1
fi
for line in KillMode=process Restart=always Type=notify OOMPolicy=continue; do
    grep -qx "$line" "$1" || {
        echo "FAULT: a supervisor that dies takes its server with it without $line"
        exit 1
    }
done
