#!/bin/bash
# The sample, mounted, through the tools that everybody has: the same bytes as were set, whoever reads.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

holds "init" emsa init
holds "load the sample" "$root/tools/sample/load"
mounted "$work/env"
tree=$work/env

# shellcheck disable=SC2012 # it is ls that is shown
is "ls of the root" "dev prod staging" "$(ls -m "$tree" | tr -d ,)"
# shellcheck disable=SC2012
is "ls of an environment" "billing checkout postgres web" "$(ls -m "$tree/prod" | tr -d ,)"
is "hidden things are not listed" "" "$(find "$tree" -mindepth 1 -name '.*')"

is "cat of a plain value" "8080" "$(cat "$tree/prod/billing/PORT")"
is "a plain value ends as it was set" 4 "$(stat -c %s "$tree/prod/billing/PORT")"
same "a certificate" "$root/tools/sample/files/prod/web/TLS_CERT.pem" "$tree/prod/web/TLS_CERT"
same "a secret" "$root/tools/sample/secrets/prod/postgres/PASSWORD.sample" "$tree/prod/postgres/PASSWORD"
printf 'Thank you for your order.\nQuestions: billing@shop.example' >"$work/footer"
same "several lines" "$work/footer" "$tree/prod/billing/INVOICE_FOOTER"
# shellcheck disable=SC2016 # the dollar stays as it is
is "no expansion" 'Grüße from $HOSTNAME, literally' "$(cat "$tree/prod/web/GREETING")"

is "stat: kind, mode, owner" "regular file 400 0 0" "$(stat -c '%F %a %u %g' "$tree/prod/postgres/PASSWORD")"
is "stat: directories" "directory 700 0 0" "$(stat -c '%F %a %u %g' "$tree/prod/postgres")"
is "stat: a secret's size is exact" "$(stat -c %s "$root/tools/sample/secrets/prod/postgres/PASSWORD.sample")" \
    "$(stat -c %s "$tree/prod/postgres/PASSWORD")"
is "getfattr: revision" "$(emsa log prod/billing --json | json commits 0 rev)" \
    "$(getfattr --absolute-names --only-values -n user.emsa.rev "$tree/prod/billing/PAYMENT_API_KEY")"
is "getfattr: kinds" "secret plain" "$(getfattr --absolute-names --only-values -n user.emsa.kind "$tree/prod/postgres/PASSWORD" \
    ) $(getfattr --absolute-names --only-values -n user.emsa.kind "$tree/prod/postgres/PORT")"

is "grep -r" "3" "$(grep -rlx 8080 "$tree" | wc -l)"
is "find: all files" "66" "$(find "$tree" -type f | wc -l)"
is "find -newer" "" "$(find "$tree" -type f -newermt '1 hour')"
holds "diff -r of two environments runs" bash -c "diff -r '$tree/dev' '$tree/prod' >/dev/null || [ \$? = 1 ]"

mkdir "$work/copied" "$work/untarred" "$work/synced"
holds "cp -a" cp -a "$tree/." "$work/copied"
holds "tar" tar --format=posix -C "$tree" -cf "$work/all.tar" .
holds "untar" tar -C "$work/untarred" -xf "$work/all.tar"
holds "rsync" rsync -a "$tree/" "$work/synced/"
holds "rsync -c finds nothing more to do" rsync -ac --itemize-changes "$tree/" "$work/synced/"
is "rsync -c" "" "$(cat "$work/out")"
for copy in copied untarred synced; do
    holds "$copy is equal" diff -r "$tree" "$work/$copy"
    is "$copy: times" "$(stat -c %y "$tree/dev/web/TLS_CERT")" "$(stat -c %y "$work/$copy/dev/web/TLS_CERT")"
done

ends "writing" 1 "read-only" bash -c "echo x >'$tree/prod/billing/PORT'"
ends "making" 1 "read-only" mkdir "$tree/prod/new"
ends "removing" 1 "read-only" rm -f "$tree/prod/billing/PORT"
ends "renaming" 1 "read-only" mv "$tree/prod/billing/PORT" "$tree/prod/billing/PORT2"
ends "what is not there" 1 "no such file" cat "$tree/prod/billing/NOTHING"
is "and all of it is as before" "8080" "$(cat "$tree/prod/billing/PORT")"

# A single file, bound elsewhere, in another mount namespace: it stays live.
touch "$work/bound"
mount --bind "$tree/prod/billing/PORT" "$work/bound"
mkfifo "$work/go"
exec 8< <(
    # shellcheck disable=SC2016 # to be expanded by the shell in the other namespace
    exec unshare --mount --propagation private sh -c 'cat "$1"; echo; read -r _ <"$2"; cat "$1"' sh "$work/bound" "$work/go"
)
read -r -u 8 first
holds "a change" emsa set prod/billing PORT=18080
echo go >"$work/go"
is "a bound file before" 8080 "$first"
is "a bound file after" 18080 "$(cat <&8)"
umount "$work/bound"
finish
