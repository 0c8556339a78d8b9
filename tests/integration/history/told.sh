#!/bin/bash
# What is told of the past: the log by author, time and key; names of revisions; one commit; who changed what.
# shellcheck disable=SC2016 # what is in single quotes is for emsa
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"

# revs OPTION...: the revisions that the log has
revs() {
    emsa log --json "$@" | /usr/bin/python3 -c 'import json, sys
print(*[commit["rev"] for commit in json.load(sys.stdin)["commits"]])'
}
says() {
    checks=$((checks + 1))
    grep -q -- "$2" "$work/out" || fault "$1: nothing like '$2' in: $(head -c 600 "$work/out")"
}

holds "init" emsa init
holds "environments" emsa env add prod dev
holds "of prod" emsa set prod/web PORT=80 HOST=a --new -m "the first"
holds "of dev" emsa set dev/web PORT=8080 --new
holds "for all" emsa set all/web LEVEL=info
holds "again" emsa set prod/web PORT=81 -m "another port"
is "a key" "6 4 3" "$(revs --key PORT)"
is "of a service" "6 4 3" "$(revs --key 'web/P*')"
is "of an environment" "6 3" "$(revs --key 'prod/*/PORT')"
is "seen there, defined elsewhere" "5" "$(revs --key 'prod/web/LEVEL')"
is "at a place" "6 3" "$(revs prod --key PORT)"
is "none" "" "$(revs --key NOTHING)"
is "an author" "6 5" "$(revs --author ROOT -n 2)"
is "nobody" "" "$(revs --author nobody-at-all)"
is "since long ago" "6" "$(revs --since 2020-01-01 -n 1)"
is "until then" "" "$(revs --until '2020-01-01 12:30')"
is "today" "6 5 4 3 2 1" "$(revs --since 1d --until "$(date +%Y-%m-%d)")"
is "an hour ago" "" "$(revs --until 1h)"
ends "no time" 2 "'yesterday' of --since is no time" emsa log --since yesterday
ends "no date" 2 "of --until is no time" emsa log --until 2026-13-01
ends "no pattern" 2 "has more parts than a path" emsa log --key a/b/c/d

# Names.
holds "one" emsa tag v1 3
says "told" "+  v1  revision 3"
holds "tried" emsa tag v1 4 --dry-run
holds "the newest" emsa tag now
holds "moved" emsa tag v1 4
says "from where" "~  v1  revision 4 (was revision 3)"
ends "as it is" 0 "nothing to change" emsa tag v1 v1
holds "listed" emsa tag
is "two" 2 "$(wc -l <"$work/out")"
is "as JSON" "now 7" "$(emsa tag --json | json tags 0 name) $(emsa tag --json | json tags 0 rev)"
holds "shown by it" emsa show v1
says "is that" "revision  4"
says "and has it" "tags      v1"
holds "its own commit" emsa show 8
says "tells" "tag  now: revision 7"
holds "and as JSON" emsa show 7 --json
is "what it names" "3" "$(json operations 0 tagged <"$work/out")"
holds "taken back" emsa tag --rm v1
says "told" "-  v1  (was revision 4)"
ends "it is gone" 3 "no tag 'v1'" emsa tag --rm v1
ends "for all" 3 "no tag 'v1'" emsa show v1
ends "a number is none" 2 "tag '12' is not allowed" emsa tag 12
ends "nor that" 2 "tag 'a/b' is not allowed" emsa tag a/b
ends "no such revision" 3 "no revision 99" emsa tag v2 99
ends "nothing to remove" 2 "name the tag to remove" emsa tag --rm
ends "no revision" 3 "no revision 0" emsa show 0
ends "after the newest" 3 "no revision 99: the newest is" emsa show 99
ends "neither" 2 "'a/b' is no revision" emsa show a/b

# Who.
holds "a copy" emsa cp prod/web/HOST dev/web/HOST -m "as in prod"
holds "a link" emsa link dev/web/ALIAS web/LEVEL
holds "who" emsa blame dev/web
says "of what it is a copy" "dev/web/HOST .*as in prod  *from prod/web/HOST of rev 3"
says "where it is defined" "dev/web/LEVEL  *5 .*in all/web/LEVEL"
says "through a link" "dev/web/ALIAS .*in all/web/LEVEL"
is "the last change" 6 "$(emsa blame prod/web/PORT --json | json lines 0 rev)"
is "and why" "another port" "$(emsa blame prod/web/PORT --json | json lines 0 reason)"
ends "nothing of that name" 3 "no service 'prod/wb'; did\|no service 'prod/wb': did you mean" emsa blame prod/wb
ends "nor that" 3 "no key" emsa blame prod/web/NOTHING
holds "verified" emsa verify
finish
