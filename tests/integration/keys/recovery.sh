#!/bin/bash
# The identity of a store is lost: plain values are served and secrets refused at once, the recovery identity opens everything,
# and another identity takes the place of the one that is lost, which opens nothing that comes after.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=others.sh
. "$here/others.sh"
says() { checks=$((checks + 1)) && { grep -q -- "$2" "$work/out" "$work/err" || fault "$1: no '$2' in $(cat "$work/out" "$work/err")"; }; }
put() { printf '%s' "$2" | emsa set --secret "$1" - >/dev/null 2>&1; }
forget() { rm -rf "$EMSA_STORE" "$EMSA_STORE".{identity,pin,recovery} "$work"/kept*; }

# --- how it is made
ends "nothing and something" 2 "no-recovery makes none" emsa init --no-recovery --recovery-shares 2/3
ends "made twice" 2 "made already" emsa init --recovery-public emsa1 --recovery "$work/kept"
ends "no public text" 2 "no public identity" emsa init --recovery-public emsa1
ends "secrets in a report" 2 "without --json" emsa --json init --recovery -
ends "no shares" 2 "not such as 2/3" emsa init --recovery-shares two
ends "a folder that is not there" 3 "no such" emsa init --recovery "$work/none/kept"
is "nothing is left" "" "$(ls -d "$EMSA_STORE"* 2>/dev/null || true)"
holds "none" emsa init --no-recovery
says "what follows from that" "once the identity is lost, no secret"
is "is known" administrator "$(emsa grants --json | json grants 0 who | cut -d: -f2)"
forget
holds "printed" emsa init --recovery -
is "the identity alone" 1 "$(grep -c '^emsa-identity-2 recovery$' "$work/out")"
is "and nothing of the store" 0 "$(grep -c revision "$work/out" || true)"
cp "$work/out" "$work/kept.identity" && chmod 600 "$work/kept.identity"
is "and no file" "" "$(ls -d "$EMSA_STORE".recovery* 2>/dev/null || true)"
public=$(emsa identity export --public "$work/kept.identity")
holds "is the one that is known" test "$(emsa grants id:recovery | wc -l)" = 1
rm -rf "$EMSA_STORE" "$EMSA_STORE".{identity,pin}
holds "made elsewhere" emsa init --recovery-public "$public"
rm -rf "$EMSA_STORE"
ends "the store's own" 4 "recovers nothing" emsa init --recovery "$EMSA_STORE.identity"
holds "in a file that is named" emsa init --recovery "$work/kept.file" --json
is "which is told" "$work/kept.file" "$(json recovery_file <"$work/out")"
is "and its owner's" 600 "$(stat -c %a "$work/kept.file")"
rm -rf "$EMSA_STORE"
holds "one that is there" emsa init --recovery "$work/kept.file"
says "is used" "kept.file (was there already"
forget
holds "in shares" emsa init --recovery-shares 2/3
is "each for itself" 3 "$(find "$EMSA_STORE".recovery.[123] | wc -l)"
rm -rf "$EMSA_STORE"
ends "which are not overwritten" 4 "exists" emsa init --recovery-shares 2/3
is "and no store was made" "" "$(ls -d "$EMSA_STORE" 2>/dev/null || true)"
rm -f "$EMSA_STORE".{identity,pin,recovery.*}

# --- how it is tested, and what doctor asks for
doctor() { emsa --json doctor | /usr/bin/python3 -c 'import json, sys
print(*(it["level"] + " " + it["text"] for it in json.load(sys.stdin)["findings"] if it["check"] == sys.argv[1]), sep="\n")' "$1"; }
asks() {
    checks=$((checks + 1))
    case $(doctor "$2") in "$3"*"$4"*) ;; *) fault "$1: $(doctor "$2")" ;; esac
}
emsa init >/dev/null
emsa env add prod dev >/dev/null
emsa service add prod/web >/dev/null
mkdir "$work/first"
holds "a server" emsa mount "$work/first"
asks "who left it where it was made" "recovery file" warn "$EMSA_STORE.recovery"
asks "who never tested it" recovery warn "'id:recovery' opens everything, and was never tested"
mv "$EMSA_STORE.recovery" "$work/kept.identity"
is "asks not where it is away" "" "$(doctor "recovery file")"
holds "it is tested" emsa identity test "$work/kept.identity"
says "with the store" "id:recovery, which opens all of 2 environments"
says "which is recorded" "recorded   in revision 4"
holds "as a tag" emsa show tested-recovery
asks "and told" recovery ok "was tested 0 days ago"
is "the store's own is not recorded" 4 "$(emsa identity test >/dev/null && revision)"
part=$(identity part)
ends "one that is not known" 3 "does not know the identity" emsa identity test "$work/part.identity"
emsa grant prod/web --to id:part --key "$part" --read >/dev/null
emsa grant dev --to id:part --read >/dev/null
holds "one that opens a part" emsa identity test "$work/part.identity"
says "and which" "opens      dev, prod/web"
says "and not which" "does not   prod"
is "is not recorded" 6 "$(revision)"
is "as JSON" "['prod']" "$(emsa --json identity test "$work/part.identity" | json missing)"
emsa revoke / --from id:recovery >/dev/null
asks "who has none" recovery warn "no other identity opens everything"
holds "and what it opens" emsa identity test "$work/kept.identity"
says "is nothing" "id:recovery, which opens nothing"
stop_server
is "of a store that is restored" "tested-recovery" "$(emsa --json tag | json tags 0 name)"
rm -rf "$EMSA_STORE"
holds "without a store" emsa identity test "$work/kept.identity"
says "the file alone" "there is no store here"
forget

# --- the disaster
emsa init --recovery-shares 2/3 >/dev/null
for i in 1 2 3; do mv "$EMSA_STORE.recovery.$i" "$work/share.$i"; done
emsa env add prod dev >/dev/null
emsa set prod/web PORT=80 >/dev/null
put prod/web/PASSWORD one
put dev/web/PASSWORD dev-one
put prod/api/TOKEN two
emsa env add vault --protected --signed -m "takes signed changes only" >/dev/null
emsa set vault/web PORT=1 -m first >/dev/null
host=$(identity host)
emsa grant prod/web --to id:host --key "$host" --read >/dev/null
emsa rotate keys prod >/dev/null
emsa env add late >/dev/null
put late/web/PASSWORD three
holds "verified" emsa verify
cp "$EMSA_STORE.identity" "$work/lost.identity"
rm "$EMSA_STORE.identity"
mkdir "$work/tree"
holds "a server without it" emsa mount "$work/tree"
is "plain values" 80 "$(cat "$work/tree/prod/web/PORT")"
/usr/bin/python3 - "$work/tree" <<'PYTHON' || fault "secrets are not refused at once"
import errno, os, sys
for name in ("prod/web/PASSWORD", "dev/web/PASSWORD", "prod/api/TOKEN", "late/web/PASSWORD"):
    try:
        os.close(os.open(os.path.join(sys.argv[1], name), os.O_RDONLY | os.O_NONBLOCK))
        sys.exit(f"{name} was opened")
    except OSError as error:
        if error.errno != errno.ENOKEY:
            raise
PYTHON
ends "by the command too" 1 "cannot be opened here" emsa get --reveal prod/api/TOKEN
holds "plain values are set" emsa set prod/web PORT=81
is "and seen" 81 "$(cat "$work/tree/prod/web/PORT")"
ends "nobody comes in its place" 1 "no key" emsa grant dev --to id:host --read
stop_server

ends "one share is not enough" 1 "" emsa identity combine "$work/share.2" --out "$work/recovery.identity"
holds "two are" emsa identity combine "$work/share.3" "$work/share.1" --out "$work/recovery.identity"
export EMSA_IDENTITY=$work/recovery.identity
holds "a server with it" emsa mount "$work/tree"
is "everything is there" "onedev-onetwothree" \
    "$(cat "$work/tree/prod/web/PASSWORD" "$work/tree/dev/web/PASSWORD" "$work/tree/prod/api/TOKEN" "$work/tree/late/web/PASSWORD")"
public=$(identity second)
holds "another in its place" emsa grant / --to id:second --key "$public" --read -m "the disk died"
holds "and the lost one out" emsa revoke / --from id:administrator -m "the disk died"
holds "where signed changes are taken, too" emsa grant vault --to id:second --admin -m "the disk died"
holds "which it signs" emsa set vault/web PORT=2 -m second
ends "the lost one signs no more" 4 "was not granted" emsa --sign "$work/lost.identity" set vault/web PORT=3 -m third
ends "nor gives itself anything" 4 "was not granted" emsa --sign "$work/lost.identity" grant / --to id:administrator --read -m back
holds "the second does" emsa --sign "$work/second.identity" set vault/web PORT=3 -m third
holds "what it knew" emsa rotate list
is "is all there is" 4 "$(grep -c id:administrator "$work/out")"
put prod/web/PASSWORD four
emsa env add new >/dev/null
put new/web/PASSWORD five
holds "is told of" emsa grants
says "the second" "^/ .*id:second .*read .*cryptography"
says "the recovery" "^/ .*id:recovery .*read"
is "not the lost one" "" "$(emsa grants id:administrator)"
holds "verified" emsa verify
stop_server
cp "$work/second.identity" "$EMSA_STORE.identity"
unset EMSA_IDENTITY
holds "as before" emsa mount "$work/tree"
is "everything is there again" "fourdev-onetwothreefive" \
    "$(cat "$work/tree/prod/web/PASSWORD" "$work/tree/dev/web/PASSWORD" "$work/tree/prod/api/TOKEN" "$work/tree/late/web/PASSWORD" \
        "$work/tree/new/web/PASSWORD")"
stop_server
copy
no_key "the lost one nothing new" lost prod/web/PASSWORD
no_key "nowhere" lost new/web/PASSWORD
opens "what it knew" two lost prod/api/TOKEN
opens "the host what is its" four host prod/web/PASSWORD
no_key "and no more" host prod/api/TOKEN
opens "the recovery identity all" five recovery new/web/PASSWORD
ends "somebody reads everything" 0 "" emsa revoke / --from id:second -m "of the test"
ends "always" 4 "last identity that opens everything" env EMSA_IDENTITY="$work/recovery.identity" emsa revoke / --from id:recovery -m "of the test"
holds "by another program" /usr/bin/python3 -B "$here/../format/emsa_settle.py" "$EMSA_STORE" --identity "$work/recovery.identity"
finish
