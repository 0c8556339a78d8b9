#!/bin/bash
# edit, with editors that do nothing, fail, write nonsense or are overtaken: what is changed, what is kept and where,
# and who can see the text meanwhile.
# shellcheck disable=SC2016 # what an editor runs, and what emsa refers to, is expanded by them
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

# editor WORDS...: the lines of a shell script that is the editor from now on; its $1 is the file
editor() {
    printf '%s\n' '#!/bin/sh' "$@" >"$work/editor"
    chmod 0755 "$work/editor"
    export EDITOR=$work/editor
}

# kept: the file that the last command says it kept the text in
kept() {
    sed -n "s/.*your text is kept in '\(.*\)'.*/\1/p" "$work/err"
}

none_kept() {
    is "$1: nothing is kept" "" "$(find "$work" -maxdepth 1 -name 'emsa-edit*')"
}

fill() {
    printf 's3cret-of-billing' >"$work/password"
    emsa env add prod safe-soon >/dev/null
    emsa set prod/shared HOST=db >/dev/null
    emsa set prod/billing PORT=80 LOG_LEVEL=info >/dev/null
    emsa set prod/billing --secret-file PASSWORD="$work/password" >/dev/null
    emsa share prod/billing/PASSWORD --with checkout >/dev/null
    emsa env add safe --protected -m safe >/dev/null
    emsa service add safe/web -m safe >/dev/null
}

idle() {
    local before
    before=$(revision)
    editor 'cp "$1" '"$work/seen"
    holds "an editor that does nothing" emsa edit prod/billing
    is "changes nothing" "$before" "$(revision)"
    is "what it shows" "          PASSWORD: !secret" "$(grep PASSWORD: "$work/seen" | head -n 1)"
    is "is no secret" 0 "$(grep -c s3cret "$work/seen")"
    none_kept "an editor that does nothing"
    holds "the same with --reveal" emsa edit prod/billing --reveal
    is "shows it" 1 "$(grep -c '!secret-value s3cret-of-billing' "$work/seen")"
    is "and changes nothing" "$before" "$(revision)"
    editor ': >"$1"'
    holds "an emptied text" emsa edit prod/billing --json
    is "changes nothing" "$before False" "$(json rev <"$work/out") $(json committed <"$work/out")"
    editor 'exit 3'
    ends "an editor that fails" 1 "ended with 3" emsa edit prod/billing
    none_kept "an editor that fails"
    editor 'kill -9 $$'
    ends "one that is killed" 1 "signal 9\|with 137" emsa edit prod/billing
    EDITOR=$work/nowhere ends "one that is not there" 1 "VISUAL" emsa edit prod/billing
    editor 'rm "$1"'
    ends "one that takes the file away" 3 "cannot open the edited text" emsa edit prod/billing
    ends "a service that is not there" 3 "billing" emsa edit prod/biling
    ends "no service" 2 "service" emsa edit prod
    ends "what is protected, without a reason" 4 "reason" emsa edit safe/web
    editor 'echo "touched" >'"$work/touched"
    ends "is refused before" 4 "" emsa edit safe/web
    is "the editor begins" no "$([ -e "$work/touched" ] && echo yes || echo no)"
    is "none of it changed anything" "$before" "$(revision)"
}

done_well() {
    local before
    before=$(revision)
    editor 'sed -i -e s/80/8080/ -e /LOG_LEVEL/d -e /shares/d -e /checkout/d "$1"' 'echo "          NEW: !link shared/HOST" >>"$1"'
    holds "a dry run" emsa edit prod/billing --dry-run
    is "changes nothing" "$before" "$(revision)"
    holds "a change" emsa edit prod/billing -m "by hand"
    is "is one commit" $((before + 1)) "$(revision)"
    is "a value" 8080 "$(emsa get prod/billing/PORT)"
    is "a key that is new" db "$(emsa get prod/billing/NEW)"
    ends "a key that went" 3 "" emsa get prod/billing/LOG_LEVEL
    is "a share that went" 0 "$(emsa refs prod/billing/PASSWORD --json | grep -c checkout)"
    is "a secret that stayed" s3cret-of-billing "$(emsa get --reveal prod/billing/PASSWORD)"
    none_kept "a change"
    editor 'sed -i s/s3cret-of/another-of/ "$1"'
    holds "a secret in clear" emsa edit prod/billing --reveal
    is "is set" another-of-billing "$(emsa get --reveal prod/billing/PASSWORD)"
    editor 'sed -i "s/!secret$/!secret-file password/" "$1"'
    (cd "$work" && emsa edit prod/billing >/dev/null)
    is "and one from a file" s3cret-of-billing "$(emsa get --reveal prod/billing/PASSWORD)"
    # as editors do that write a new file in the place of the old one
    editor 'sed s/8080/80/ "$1" >"$1.new"' 'echo rest >"$1~"' 'mv "$1.new" "$1"'
    VISUAL="$work/editor" EDITOR=false holds "\$VISUAL comes first, a file in its place" emsa edit prod/billing
    is "is read" 80 "$(emsa get prod/billing/PORT)"
}

kept_back() {
    local before path
    before=$(revision)
    editor 'sed -i -e "s/PORT: 80/PORT: [/" "$1"'
    ends "what is no YAML" 2 "prod-billing.yaml:[0-9]*:[0-9]*:" emsa edit prod/billing
    path=$(kept)
    is "is kept" 1 "$(grep -c 'PORT: \[' "$path")"
    is "for its owner alone" 600 "$(stat -c %a "$path")"
    is "and told of once" 1 "$(grep -c 'yaml:[0-9]*:[0-9]*:' "$work/err")"
    rm -f "$path"
    editor 'sed -i -e "s/PORT:/P ORT:/" -e "s/NEW: !link/NEW: !lnik/" "$1"'
    ends "what is wrong" 2 "prod-billing.yaml:[0-9]*:[0-9]*: no tag '!lnik': did you mean '!link'" emsa edit prod/billing
    is "all of it" 2 "$(grep -c '^prod-billing.yaml:' "$work/err")"
    rm -f "$(kept)"
    editor 'sed -i s,shared/HOST,shared/NONE, "$1"'
    ends "what the store refuses" 4 "shared/NONE" emsa edit prod/billing
    is "is kept too" 1 "$(grep -c shared/NONE "$(kept)")"
    rm -f "$(kept)"
    editor 'sed -i "s/      billing:/      other:/" "$1"'
    ends "another service" 2 "this is the text of 'prod/billing'" emsa edit prod/billing
    rm -f "$(kept)"
    editor 'sed -i "s/^  prod:/  dev:/" "$1"'
    ends "another environment" 2 "not in the text any more" emsa edit prod/billing
    rm -f "$(kept)"
    editor 'sed -i "/        keys:/,\$d" "$1"'
    ends "no keys any more" 2 "keys: {}" emsa edit prod/billing
    rm -f "$(kept)"
    editor 'sed -i s/80/81/ "$1"; exit 1'
    ends "an editor that fails after a change" 1 "ended with 1" emsa edit prod/billing
    is "leaves that" 1 "$(grep -c 'PORT: 81' "$(kept)")"
    rm -f "$(kept)"
    is "none of it changed anything" "$before" "$(revision)"
}

overtaken() {
    local before path
    before=$(revision)
    editor 'emsa set prod/billing PORT=99 -m "meanwhile" >/dev/null' 'sed -i s/80/81/ "$1"'
    ends "somebody else's change" 5 "meanwhile): prod/billing/PORT" emsa edit prod/billing
    is "stays" 99 "$(emsa get prod/billing/PORT)"
    is "alone" $((before + 1)) "$(revision)"
    path=$(kept)
    is "the text is kept" 1 "$(grep -c 'PORT: 81' "$path")"
    ends "and is as old as it was" 5 "meanwhile" emsa apply "$path"
    sed -i "s/^rev: .*/rev: $(revision)/" "$path"
    holds "with what is there now looked at" emsa apply "$path"
    is "it is done" 81 "$(emsa get prod/billing/PORT)"
    rm -f "$path"
    editor 'emsa set prod/shared HOST=db2 >/dev/null' 'sed -i s/81/82/ "$1"'
    holds "a change elsewhere is none here" emsa edit prod/billing
    ends "as of a revision" 5 "changed after revision $before" emsa edit prod/billing --if-rev "$before"
}

# Who can see the text: nobody in another mount namespace, and for a user nobody but that user.
hidden() {
    editor 'cp "$1" '"$work/seen"' ; echo "$1" >'"$work/where" 'findmnt -n -o FSTYPE,OPTIONS -T "$1" >'"$work/mount" \
        'stat -c %a "$(dirname "$1")" "$1" >'"$work/modes" 'nsenter --mount=/proc/1/ns/mnt ls "$(dirname "$1")" >'"$work/outside"
    holds "for root" emsa edit prod/billing --reveal
    is "in memory" tmpfs "$(cut -d' ' -f1 "$work/mount")"
    is "for nobody else" "700 600" "$(paste -sd' ' "$work/modes")"
    is "in a namespace of its own" "" "$(cat "$work/outside")"
    is "and gone" no "$([ -e "$(dirname "$(cat "$work/where")")" ] && echo yes || echo no)"
    editor 'echo "$1" >'"$work/where" 'kill -9 "$(cut -d" " -f4 /proc/$PPID/stat)"'
    ends "one whose emsa is killed" 137 "" sh -c 'emsa edit prod/billing --reveal; exit $?'
    is "leaves no text" "" "$(ls "$(dirname "$(cat "$work/where")")")"
    rmdir "$(dirname "$(cat "$work/where")")"
}

# A user without rights over mounts.
by_user() {
    local run=$work/run
    mkdir -p "$run" "$work/disk" "$work/theirs"
    chown 65534 "$run" "$work/theirs"
    chmod 0700 "$run"
    # shellcheck disable=SC2317 # called by name
    user() {
        setpriv --reuid 65534 --regid 65534 --clear-groups env HOME=/ EMSA_STORE="$work/theirs/store" \
            EMSA_IDENTITY="$work/theirs/identity" XDG_RUNTIME_DIR="$run" "$@"
    }
    user emsa init >/dev/null
    user emsa env add prod >/dev/null
    user emsa set prod/web PORT=80 >/dev/null
    editor 'echo "$1" >'"$work/theirs/where" 'stat -c %a "$(dirname "$1")" "$1" >'"$work/theirs/modes" 'echo more >"$1.swp"' 'mkdir "$1.d"; echo more >"$1.d/undo"' \
        'sed -i s/80/81/ "$1"'
    holds "a user" user emsa edit prod/web
    is "edits" 81 "$(user emsa get prod/web/PORT)"
    is "in memory" "$run" "$(sed 's|/emsa-edit.*||' "$work/theirs/where")"
    is "for nobody else" "700 600" "$(paste -sd' ' "$work/theirs/modes")"
    is "and nothing is left" "" "$(ls "$run")"
    mount -t ramfs none "$work/disk" # stands for what is no tmpfs: hidden below
    mount --bind "$root" "$work/disk"
    mount --bind "$root" /dev/shm
    ends "where there is no place in memory" 4 "no place in memory" user env XDG_RUNTIME_DIR="$work/disk" emsa edit prod/web
    umount /dev/shm
    umount "$work/disk"
    umount "$work/disk"
}

# A server that ends while a person thinks.
restarted() {
    mounted "$work/env"
    editor 'umount '"$work/env" 'emsa stop >/dev/null' 'sed -i "s/PORT: .*/PORT: 70/" "$1"'
    holds "a server that ended meanwhile" emsa edit prod/billing
    is "is no matter" 70 "$(emsa get prod/billing/PORT)"
    mounted "$work/env"
    editor 'kill -9 '"$(server_pid)" 'sed -i "s/PORT: .*/PORT: 71/" "$1"'
    holds "nor one that was killed" emsa edit prod/billing
    is "and everybody sees it" 71 "$(cat "$work/env/prod/billing/PORT")"
    stop_server
}

holds "init" emsa init
fill
idle
done_well
kept_back
overtaken
hidden
by_user
restarted
holds "verify" emsa verify
export EMSA_STORE=$work/other
holds "init of another" emsa init
mounted "$work/env"
fill
idle
done_well
kept_back
overtaken
finish
