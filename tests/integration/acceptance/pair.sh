#!/bin/bash
# A certificate and its key that change in one commit are never loaded as a mixed pair by who loads them at the event.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
command -v inotifywait >/dev/null || skip "needs inotifywait (inotify-tools)"
command -v openssl >/dev/null || skip "needs openssl"

mkdir "$work/pairs"
for n in 0 1 2 3; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=number $n" \
        -keyout "$work/pairs/$n.key" -out "$work/pairs/$n.crt" 2>/dev/null
done
holds "init" emsa init
holds "env add" emsa env add prod
# To a mixed pair the loader says no: else it could find nothing.
for service in web cached; do
    holds "a certificate" emsa set "prod/$service/TLS_CRT" --file "$work/pairs/0.crt"
    holds "its key" emsa set "prod/$service/TLS_KEY" --file "$work/pairs/1.key"
done
mounted "$work/env"
mounted "$work/cached" --cache
ends "a mixed pair is refused" 1 "mismatch" /usr/bin/python3 -c 'import ssl, sys
ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*sys.argv[1:])' "$work/env/prod/web/TLS_CRT" "$work/env/prod/web/TLS_KEY"

# changed SERVICE DIRECTORY
changed() {
    holds "pairs in $2" timeout 60 /usr/bin/python3 "$here/pair.py" "$EMSA_STORE/socket" "$2/prod/$1" "prod/$1" \
        "$work/pairs" $((${EMSA_TEST_ROUNDS:-100} / scale))
    cat "$work/out" "$work/err"
}
changed web "$work/env"
changed cached "$work/cached"
finish
