#!/bin/bash
# Files of identities by the command: what opens them, what is refused, and what a change leaves when it fails.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
cd "$work"
umask 077
head -c 32 /dev/urandom >key
head -c 32 /dev/urandom >other
echo 'correct horse' >first
echo 'battery staple' >second
echo 'short' >short

public() { sed -n 's/^public //p' "$1"; }

# Made, and never made over another.
holds "a plain one" emsa identity new alice
is "its mode" 600 "$(stat -c %a alice.identity)"
cp alice.identity before
ends "the same again" 4 "never overwritten" emsa identity new alice
same "it is as it was" before alice.identity
is "its public half" "$(public alice.identity)" "$(emsa identity export --public alice.identity)"
is "and by JSON" "alice $(public alice.identity) plain" "$(emsa --json identity show alice.identity | jq -r '.name + " " + .public + " " + .slots[0].kind')"
ends "no export of the rest" 2 "only an identity's public half" emsa identity export alice.identity
ends "what there is" 0 "identity combine" emsa identity --help
ends "a bad name" 2 "no name for an identity" emsa identity new 'al ice'
ends "a short passphrase" 2 "8 to 1024" emsa identity new bob --passphrase-file short
ends "a short key" 2 "32 to 4096" emsa identity new bob --key-file short
chmod 644 key
ends "a key for everybody" 4 "can be read by others" emsa identity new bob --key-file key
chmod 600 key
ends "no terminal" 2 "no terminal" setsid emsa identity new bob --passphrase
ends "no credential" 3 "systemd-creds encrypt" emsa identity new bob --systemd-credential seal
ends "the usual one" 3 "no credential 'emsa-identity-key'" emsa identity new bob --systemd-credential
ends "before another option" 3 "no credential 'emsa-identity-key'" emsa identity new bob --systemd-credential --out none
is "nothing was made" "" "$(ls bob* 2>/dev/null || true)"
holds "a credential" env CREDENTIALS_DIRECTORY="$work" emsa identity new bob --systemd-credential key
holds "which opens it" emsa identity test bob.identity --key-file key
cp key emsa-identity-key
holds "the usual one" env CREDENTIALS_DIRECTORY="$work" emsa identity new erin --systemd-credential
holds "before another option" env CREDENTIALS_DIRECTORY="$work" emsa identity new frank --systemd-credential --out frank.identity
holds "one of another name" env CREDENTIALS_DIRECTORY="$work" emsa identity new grace --systemd-credential=key
for name in erin frank grace; do
    ends "$name: no seed in it" 1 "" grep -q '^plain' $name.identity
    holds "$name: which opens it" emsa identity test $name.identity --key-file key
done
ends "no name of an identity" 2 "something is missing" emsa identity new --systemd-credential erin

# Locked: opened by what it takes, and by nothing else; nobody needs to open it to see who it is.
holds "with both" emsa identity new carol --passphrase-file first --key-file key
ends "no seed in it" 1 "" grep -q '^plain' carol.identity
holds "by its passphrase" emsa identity test carol.identity --passphrase-file first
holds "by its key" emsa identity test carol.identity --key-file key
holds "by the key from the environment" env EMSA_IDENTITY_KEY="$work/key" emsa identity test carol.identity
ends "by a wrong passphrase" 1 "passphrase is wrong" emsa identity test carol.identity --passphrase-file second
is "who it is" "id:carol" "$(emsa identity show carol.identity | sed -n 's/^identity *//p')"

# Changed: a passphrase for a passphrase; what opened with nothing does so no more.
who=$(public carol.identity)
ends "with a wrong one" 1 "passphrase is wrong" emsa identity passphrase carol.identity --passphrase-file second --new-passphrase-file second
holds "to another" emsa identity passphrase carol.identity --passphrase-file first --new-passphrase-file second
ends "the old one" 1 "passphrase is wrong" emsa identity test carol.identity --passphrase-file first
holds "the new one" emsa identity test carol.identity --passphrase-file second
holds "the key still" emsa identity test carol.identity --key-file key
is "the same identity" "$who" "$(public carol.identity)"
holds "a way less" emsa identity passphrase carol.identity --key-file key --rm-slot 1
ends "not the key any more" 2 "no terminal" setsid emsa identity test carol.identity --key-file key
ends "never the last" 4 "opens in no other way" emsa identity passphrase carol.identity --passphrase-file second --rm-slot 1
ends "none of that number" 3 "no slot 7" emsa identity passphrase carol.identity --passphrase-file second --rm-slot 7
ends "two at once" 2 "one change at a time" emsa identity passphrase carol.identity --rm-slot 1 --add-key-file key
holds "a plain one locked" emsa identity passphrase alice.identity --add-key-file key
ends "opens no more" 1 "is locked" emsa identity test alice.identity
holds "but with the key" emsa identity test alice.identity --key-file key

# A full disk, and a kill at each step: the old file or the new one, whole.
mkdir small
mount -t tmpfs -o size=16k,mode=700 small "$work/small"
cp alice.identity small/identity
dd if=/dev/zero of=small/full bs=1k 2>/dev/null || true
ends "on a full disk" 1 "as it was" emsa identity passphrase small/identity --key-file key --add-key-file other
same "it is as it was" alice.identity small/identity
is "nothing beside it" "full identity" "$(cd small && echo *)"
umount small
command -v strace >/dev/null || skip "no strace"
export ASAN_OPTIONS=detect_leaks=0 # which is looked for as strace does
for call in openat fchmod write fsync rename; do
    for n in $(seq 1 40); do
        cp alice.identity killed.identity
        rm -f killed.identity.new
        code=0
        { # the shell tells of each that is killed
            strace -qq -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" \
                emsa identity passphrase killed.identity --key-file key --add-key-file other || code=$?
        } >/dev/null 2>&1
        emsa identity test killed.identity --key-file key >/dev/null 2>&1 || fault "$call $n: the key opens it no more"
        [ "$code" != 0 ] || break
    done
    is "$call: it came to an end" 0 "$code"
done
holds "and the next change is made" emsa identity passphrase killed.identity --key-file key --add-key-file other

# Damage, and costs that are refused: by who reads the file, before a passphrase is asked for.
sed 's/^public emsa1./public emsa1x/' carol.identity >damaged.identity
ends "damage" 6 "is damaged" emsa identity show damaged.identity
/usr/bin/python3 -B - "$root" carol.identity <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1] + "/tests/integration/format")
from emsa_format import H
text = [line for line in open(sys.argv[2]).read().splitlines() if not line.startswith("#")]
for name, cost in (("cheap", "1 65536"), ("small", "2 65535"), ("long", "17 65536"), ("large", "2 1048577")):
    lines = [" ".join(["passphrase", cost, *line.split(" ")[3:]]) if line.startswith("passphrase") else line for line in text]
    mac = lines.pop().split(" ")[2]
    lines.append("check " + H("emsa-identity-2", *(line.encode() for line in lines))[:16].hex() + " " + mac)
    open(name + ".identity", "w").write("\n".join(lines) + "\n")
PYTHON
for cost in cheap small long large; do
    ends "a cost: $cost" 4 "passes over" emsa identity test "$cost.identity" --passphrase-file second
done
holds "Python opens it by its passphrase" /usr/bin/python3 -B -c "
import sys
sys.path.insert(0, '$root/tests/integration/format')
import emsa_format
emsa_format.read_identity(open('carol.identity').read(), passphrase=b'battery staple')
emsa_format.read_identity(open('alice.identity').read(), key=open('key', 'rb').read())"

# What the store's own signs with, where it is locked and its key file is at hand.
emsa init --store "$work/locked" >/dev/null
emsa identity passphrase "$work/locked.identity" --add-key-file key >/dev/null 2>&1
holds "nobody is asked" emsa --store "$work/locked" env add one
is "so nothing is signed" False "$(emsa --store "$work/locked" --json log -n 1 | json commits 0 signed)"
holds "its key file is named" env EMSA_IDENTITY_KEY=key emsa --store "$work/locked" env add two
is "and it signs" True "$(emsa --store "$work/locked" --json log -n 1 | json commits 0 signed)"
holds "one that is not there" env EMSA_IDENTITY_KEY=nokey emsa --store "$work/locked" env add three
is "does not" False "$(emsa --store "$work/locked" --json log -n 1 | json commits 0 signed)"

# Shares: any two of three, on paper too, and a slip of the hand.
holds "in shares" emsa identity new recovery --shares 2/3
is "three files, and no other" "recovery.share.1 recovery.share.2 recovery.share.3" "$(echo recovery*)"
ends "of which none is overwritten" 4 "ever overwritten" emsa identity new recovery --shares 2/3
is "nor taken away" 3 "$(find . -name "recovery.share.*" | wc -l)"
ends "one" 1 "find 1 more" emsa identity combine recovery.share.2
holds "two" emsa identity combine recovery.share.3 recovery.share.1 --key-file key
holds "give it back" emsa identity test recovery.identity --key-file key
sed 's/. \(........ recovery\)$/- \1/' recovery.share.2 >slip
ends "a slip of the hand" 6 "that is in 'slip'" emsa identity combine recovery.share.1 slip --out none
ends "more needed than there are" 2 "cannot be made" emsa identity new recovery --shares 4/3 --out none
is "lines for paper" 5 "$(emsa identity new paper --shares 3/5 --out - | grep -c '^emsa-share-1 3 ')"

# A store whose identity is locked: the command opens it with the key file, and says what it takes.
holds "a store" emsa init
holds "of which the identity" emsa env add dev
holds "opens a secret" emsa set dev/web --secret-file PASSWORD=first PORT=80
holds "is locked" emsa identity passphrase --add-key-file "$work/key"
is "by its own path" "$EMSA_STORE.identity" "$(emsa identity show | sed -n 's/^file *//p')"
ends "no secret without" 1 "is locked" emsa get --reveal dev/web/PASSWORD
is "plain values all the same" 80 "$(emsa get dev/web/PORT)"
export EMSA_IDENTITY_KEY=$work/key
is "with the key" "correct horse" "$(emsa get --reveal dev/web/PASSWORD)"
EMSA_IDENTITY_KEY=$work/other
ends "with another one" 1 "another one's" emsa get --reveal dev/web/PASSWORD
finish
