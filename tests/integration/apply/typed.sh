#!/bin/bash
# edit on a terminal: a wrong text comes back with what is wrong on top, as often as it is wrong; saved as it is, it is
# kept.
# shellcheck disable=SC2016 # what an editor runs, and what emsa refers to, is expanded by them
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

holds "init" emsa init
holds "env add" emsa env add prod
holds "values" emsa set prod/billing PORT=80
cat >"$work/editor" <<SH
#!/bin/sh
turn=\$((\$(cat "$work/turn") + 1))
echo \$turn >"$work/turn"
cp "\$1" "$work/seen\$turn"
[ ! -e "$work/step\$turn" ] || sed -i -f "$work/step\$turn" "\$1"
SH
chmod 0755 "$work/editor"
export EDITOR=$work/editor

# steps SCRIPT...: what sed does to the text at each turn; at a later one nothing is done
steps() {
    local n=0
    rm -f "$work"/step* "$work"/seen*
    echo 0 >"$work/turn"
    for script in "$@"; do
        n=$((n + 1))
        echo "$script" >"$work/step$n"
    done
}

# types CODE: edits on a terminal of its own
types() {
    local found=0
    checks=$((checks + 1))
    /usr/bin/python3 "$here/typed.py" emsa edit prod/billing >"$work/out" || found=$?
    [ "$found" = "$1" ] || fault "edit on a terminal: expected exit $1, found $found: $(cat "$work/out")"
}

steps 's/PORT: 80/PORT: [1]/' 's/\[1\]/!lnik a/' 's/!lnik a/81/'
types 0
is "it took three turns" 3 "$(cat "$work/turn")"
is "the second has what was wrong" 1 "$(grep -c '^#! prod-billing.yaml:[0-9]*:[0-9]*: a value is a text' "$work/seen2")"
is "with the text below" 1 "$(grep -c 'PORT: \[1\]' "$work/seen2")"
is "the third what is wrong now" 1 "$(grep -c "^#! .*no tag '!lnik'" "$work/seen3")"
is "alone" 0 "$(grep -c '^#! .*a value is a text' "$work/seen3")"
is "it is done" 81 "$(emsa get prod/billing/PORT)"

steps 's/PORT: 81/PORT: !link shared\/NONE/'
types 4
is "a text that is left as it is" 2 "$(cat "$work/turn")"
is "with the store's reason" 1 "$(grep -c "^#! .*shared/NONE" "$work/seen2")"
kept=$(sed -n "s/.*your text is kept in '\(.*\)'.*/\1/p" "$work/out")
is "is kept" 1 "$(grep -c '!link shared/NONE' "$kept")"
is "and changes nothing" 81 "$(emsa get prod/billing/PORT)"
rm -f "$kept"

steps 's/PORT: 81/PORT: [/' 'd'
types 0
is "an emptied one changes nothing" 81 "$(emsa get prod/billing/PORT)"
is "nothing is left" "" "$(find "$work" -maxdepth 1 -name 'emsa-edit*')"
finish
