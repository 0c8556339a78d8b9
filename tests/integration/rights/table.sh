#!/bin/bash
# Twelve users and groups against twelve places, by every verb and by files; what each may is told by a model.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
# shellcheck source=machine.sh
. "$here/machine.sh"

emsa init >/dev/null
emsa env add dev prod >/dev/null
revisions=
for service in dev/web dev/db prod/web prod/db prod/scratch all/web; do
    key=K${service/\//}A
    emsa set "$service" "$key=value-of-${service/\//-}" --new >"$work/out"
    revisions="$revisions${revisions:+, }\"$service\": $(sed -n 's/^revision //p' "$work/out")"
done
echo "{$revisions}" >"$work/revisions"
printf 'value-of-prod-web secret' >"$work/secret"
emsa set prod/web --secret-file "KprodwebS=$work/secret" >/dev/null
emsa share prod/db/KproddbA --with web >/dev/null
emsa link prod/web/LINKED db/KproddbA >/dev/null
emsa set prod/db/BACK --template "to \${scratch/KprodscratchA}" >/dev/null 2>&1 || true

begin
is "ready" "ready" "$said"
PYTHONPATH=$here /usr/bin/python3 -B - >"$work/grants" <<'END'
from table import GRANTS
for place, who, rights in GRANTS:
    print(place or "/", "--to", who, *("--" + right for right in rights))
END
for name in carrier overseer stranger; do
    holds "identity $name" emsa identity new "$name" --out "$work/$name"
    [ "$name" = stranger ] || holds "known" emsa grant / --to "id:$name" --key "$(emsa identity export --public "$work/$name")" --list
    chmod 644 "$work/$name" # who has it is not what is looked at here
done
holds "nothing yet" emsa revoke / --from id:carrier --from id:overseer
while read -r -a words; do
    holds "grant ${words[*]}" emsa grant "${words[@]}"
done <"$work/grants"
mkdir -p "$work/admin" "$work/group-mount"
holds "the administrators' mount" emsa mount "$work/admin"
holds "one for a group" /usr/bin/python3 -B "$here/mount.py" "$socket" "$work/group-mount" 3002
cp "$here/who.py" "$work/"
chmod 755 "$work/who.py"
holds "the table" env PYTHONPATH="$here" /usr/bin/python3 -B "$here/table.py" "$work" "$socket" "$work/admin" "$work/group-mount" "$work/revisions"
cat "$work/out"
is "the server is the one from the beginning" "" "$(grep 'was ended by\|ended with status' "$work/log" || true)"
holds "nothing is damaged" emsa verify
umount -l "$work/group-mount"
emsa umount "$work/admin" >/dev/null
over TERM
umount /etc/passwd /etc/group
umount -l /run
umount -l /var/lib
finish
