#!/bin/bash
# tools/quickstart from nothing to --stop, at the default places, which are overlaid: this machine's own stay as
# they are.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

unset EMSA_STORE
for place in /etc /var/lib /usr/local; do
    mkdir -p "$work/upper$place" "$work/scratch$place"
    mount -t overlay overlay -o "lowerdir=$place,upperdir=$work/upper$place,workdir=$work/scratch$place" "$place" ||
        skip "this kernel has no overlay file system for $place"
done
mount -t tmpfs run /run
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
for path in /var/lib/emsa /etc/emsa/identity /usr/local/bin/emsa; do
    [ ! -e "$path" ] || skip "there is '$path' already"
done

tree=$work/env
holds "quickstart" "$root/tools/quickstart" "$tree"
cp "$work/out" "$work/first"
for words in "$tree/prod" "DATABASE_URL" "--stop" "emsa set"; do
    ends "it shows '$words'" 0 "$words" cat "$work/first"
done
same "a secret is there" "$root/tools/sample/secrets/prod/postgres/PASSWORD.sample" "$tree/prod/postgres/PASSWORD"
holds "the command is on the path" emsa status
holds "a change of one's own" emsa set prod/billing PORT=9090
is "can be read" 9090 "$(cat "$tree/prod/billing/PORT")"
holds "quickstart again" "$root/tools/quickstart" "$tree"
is "finds things as they are" 9090 "$(cat "$tree/prod/billing/PORT")"

holds "stop" "$root/tools/quickstart" "$tree" --stop
for path in /var/lib/emsa /etc/emsa/identity /usr/local/bin/emsa /usr/local/sbin/emsad "$tree"; do
    is "$path is gone" gone "$([ -e "$path" ] && echo there || echo gone)"
done
is "no daemon is left" "" "$(supervisor_pid)"
holds "stop with nothing there" "$root/tools/quickstart" --stop

# A store that somebody else made is used and left alone.
holds "quickstart once more" "$root/tools/quickstart" "$tree"
rm /var/lib/emsa.quickstart
holds "quickstart over a store that it did not make" "$root/tools/quickstart" "$tree"
holds "stop again" "$root/tools/quickstart" "$tree" --stop
is "that store is still there" there "$([ -d /var/lib/emsa ] && echo there || echo gone)"
finish
