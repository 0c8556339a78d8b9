#!/bin/bash
# Every form of set, and what is read back; lists and the past; the terms of a change. Twice: in the command's own
# process, and through a server.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=told.sh
. "$here/told.sh"

# on_terminal COMMAND: its output as a terminal would get it
on_terminal() {
    script -qec "$1" /dev/null </dev/null
}

# hidden WHAT WORD FILE...: none of the files has the word
hidden() {
    local what=$1 word=$2
    shift 2
    checks=$((checks + 1))
    ! grep -q -- "$word" "$@" || fault "$what: '$word' is seen"
}

forms() {
    local place=$1
    holds "several" emsa set "$place" A=1 B=two "C=x=y" D=
    is "A" "1" "$(emsa get "$place/A")"
    is "a value with '='" "x=y" "$(emsa get "$place/C")"
    is "an empty value" "0" "$(emsa get "$place/D" | wc -c)"
    holds "a path with a value" emsa set "$place/E=5"
    is "E" "5" "$(emsa get "$place/E")"
    holds "several paths" emsa set "$place/E=6" "$place/F=7"
    is "F" "7" "$(emsa get "$place/F")"
    holds "path and value" emsa set "$place/G" "a b"
    is "G" "a b" "$(emsa get "$place/G")"
    holds "a value that looks like an option" emsa set "$place/G" -- --raw
    is "G again" "--raw" "$(emsa get "$place/G")"

    printf 'line\n' | emsa set "$place/H" - >"$work/out" 2>"$work/err"
    printf line >"$work/line"
    emsa get "$place/H" >"$work/got"
    same "the newline of one line is left away" "$work/line" "$work/got"
    told "and said so" "newline" "$work/err"
    printf 'line\n' | emsa set --raw "$place/H" - >"$work/out" 2>"$work/err"
    is "unless --raw" "5" "$(emsa get "$place/H" | wc -c)"
    is "which says nothing" "" "$(cat "$work/err")"
    printf 'one\ntwo\n' | emsa set "$place/H" - >"$work/out" 2>"$work/err"
    is "two lines are kept" "8" "$(emsa get "$place/H" | wc -c)"
    printf '\n' | emsa set "$place/H" - >"$work/out" 2>&1
    is "a newline alone is an empty line" "0" "$(emsa get "$place/H" | wc -c)"

    head -c 1048576 /dev/urandom >"$work/big"
    holds "a file of 1 MiB" emsa set "$place/BIG" --file "$work/big"
    emsa get "$place/BIG" >"$work/got"
    same "its exact bytes" "$work/big" "$work/got"
    holds "a secret file of 1 MiB" emsa set --secret "$place/BIGSECRET" --file "$work/big"
    emsa get --reveal "$place/BIGSECRET" >"$work/got"
    same "its exact bytes too" "$work/big" "$work/got"

    printf 'hunter2zzz' | emsa set --secret "$place/S" - >"$work/out" 2>"$work/err"
    hidden "a secret is not told" hunter2zzz "$work/out" "$work/err"
    is "a secret" "hunter2zzz" "$(emsa get --reveal "$place/S")"
    ends "without --reveal" 4 "reveal" emsa get "$place/S"
    printf 'fromfile\n' >"$work/p"
    holds "mixed" emsa set "$place" USER=app --secret-file "T=$work/p"
    is "exact bytes of a secret file" "9" "$(emsa get --reveal "$place/T" | wc -c)"
    ends "a secret in the arguments" 4 "stdin" emsa set --secret "$place" X=hunter3zzz
    hidden "is not shown again" hunter3zzz "$work/out" "$work/err"
    ends "nor as a word" 4 "stdin" emsa set --secret "$place/X" hunter3zzz
    hidden "is not shown again either" hunter3zzz "$work/out" "$work/err"
    holds "a value that looks like a secret" emsa set "$place" "URL=https://u:pw@h/"
    told "is warned of" "looks like a secret" "$work/err"
    ends "no value and no terminal" 2 "stdin\|VALUE" setsid emsa set --secret "$place/X"
    ends "two sources" 2 "more than one" emsa set "$place/X" v --file "$work/p"
}

# What a person types is not shown, and asked for twice.
prompts() {
    local place=$1
    /usr/bin/python3 "$here/prompt.py" typed typed emsa set --secret "$place/TYPED" >"$work/shown" ||
        fault "a prompt ended with $?"
    is "typed" "typed" "$(emsa get --reveal "$place/TYPED")"
    hidden "what was typed is not shown" "typed" "$work/shown"
    /usr/bin/python3 "$here/prompt.py" one two emsa set --secret "$place/OTHER" >"$work/shown" &&
        fault "two that differ are taken"
    told "two that differ are refused" "not the same" "$work/shown"
}

lists() {
    local place=$1
    is "get adds a newline on a terminal only" "$(printf '1\r\n' | hex)" "$(on_terminal "emsa get $place/A" | hex)"
    is "ls names keys" "A" "$(emsa ls "$place" | awk '$1 == "A" { print $1 }')"
    is "and kinds and sizes" "secret 10" "$(emsa ls "$place" | awk '$1 == "S" { print $2, $3 }')"
    emsa ls "$place" --json >"$work/list"
    emsa tree "$place" >"$work/tree"
    hidden "a list has no value" hunter2zzz "$work/list" "$work/tree"
    is "--json of ls" "$place/A" "$(json items 0 path <"$work/list")"
    is "no colours in a pipe" "0" "$(emsa ls "$place" | grep -c $'\033' || true)"
    is "colours on a terminal" "1" "$(on_terminal "TERM=xterm emsa ls $place" | grep -c -m 1 $'\033')"
    is "none with NO_COLOR" "0" "$(on_terminal "NO_COLOR=1 emsa ls $place" | grep -c $'\033' || true)"
    is "tree names places" "$place/A" "$(emsa tree | grep "^$place/A$")"
    is "--json of get" "x=y" "$(emsa get "$place/C" --json | json value)"
    is "and of bytes that are no text" "base64" "$(emsa get "$place/BIG" --json | json value | grep -o base64)"
}

past() {
    local place=$1 rev
    holds "a reason" emsa set "$place/A" 2 -m "because of it"
    rev=$(revision)
    is "the log has it" "because of it" "$(emsa log "$place/A" --json | json commits 0 reason)"
    is "and who" "uid 0 (root)" "$(emsa log --json -n 1 | json commits 0 author)"
    is "-n" "2" "$(emsa log -n 2 | wc -l)"
    is "a log of one key" "2" "$(emsa log "$place/A" | wc -l)"
    holds "show" emsa show "$rev"
    told "has the place" "$place/A" "$work/out"
    printf 'hunter4zzz' | emsa set --secret "$place/S" - >/dev/null
    emsa show "$(revision)" >"$work/shown"
    emsa show "$(revision)" --json >>"$work/shown"
    emsa log --json >>"$work/shown"
    hidden "show masks secrets" hunter4zzz "$work/shown"
}

terms() {
    local place=$1 rev
    rev=$(revision)
    holds "a dry run" emsa set "$place/A" 3 --dry-run
    is "says what it would do" "~" "$(head -c 1 "$work/out")"
    is "and changes nothing" "$rev" "$(revision)"
    holds "the same value again" emsa set "$place/A" 2
    is "is no commit" "$rev" "$(revision)"
    holds "if-rev" emsa set "$place/A" 4 --if-rev "$rev"
    ends "if-rev of before" 5 "" emsa set "$place/A" 5 --if-rev "$rev"
    holds "but not of another place" emsa set "$place/OTHERKEY" 5 --if-rev "$rev"
    is "marks" "+" "$(emsa set "$place/NEW" 1 | head -c 1)"
    is "--json of a change" "True" "$(emsa set "$place/NEW" 2 --json | json committed)"
    holds "rm" emsa rm "$place/NEW" "$place/OTHERKEY"
    ends "is gone" 3 "NEW" emsa get "$place/NEW"
}

places() {
    local env=$1
    ends "a service that is not empty" 4 "all" emsa service rm "$env/web"
    holds "service add" emsa service add "$env/empty"
    holds "service ls" emsa service ls "$env"
    told "has both" "^empty" "$work/out"
    holds "service rm" emsa service rm "$env/empty"
    ends "env rm wants --all" 4 "all" emsa env rm "$env"
    holds "env rm --all" emsa env rm "$env" --all
    ends "is gone" 3 "" emsa ls "$env"
}

all() {
    holds "env add" emsa env add "$1"
    holds "service add" emsa service add "$1/web"
    forms "$1/web"
    prompts "$1/web"
    lists "$1/web"
    past "$1/web"
    terms "$1/web"
    places "$1"
}

holds "init" emsa init
ends "init again" 4 "already" emsa init
all local
is "no server ran" "False" "$(emsa status --json | json server)"
mounted "$work/env"
is "a server runs" "True" "$(emsa status --json | json server)"
all served
holds "verify" emsa verify
finish
