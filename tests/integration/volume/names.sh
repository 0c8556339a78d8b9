#!/bin/bash
# --volume: names and options, good and bad, and the place of the socket.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
# shellcheck source=asking.sh
. "$here/asking.sh"

# logged WORDS: yes, or the whole log
logged() {
    if grep -q -- "$1" "$work/log"; then echo yes; else cat "$work/log"; fi
}

fill
begin --volume "$place"
is "ready" ready "$said"
holds "names" protocol names
holds "options" protocol options
is "nothing is left of them" "" "$(find "$EMSA_STORE/volumes" -mindepth 1)$(grep -o '"name"' "$EMSA_STORE/volumes.json" || true)"

# Where it stands is said by the name alone, and the same after every restart.
is "made" '200 {"Err": ""}' "$(asked Create "{\"Name\": \"one\", $opts}")"
is "where" "200 {\"Mountpoint\": \"$EMSA_STORE/volumes/one\", \"Err\": \"\"}" "$(asked Mount '{"Name": "one", "ID": "x"}')"
over TERM
is "what nobody serves says so" EMSA_NOT_MOUNTED "$(ls "$EMSA_STORE/volumes/one")"

# The service goes: what has its name mounted shows that, and it may come again.
begin --volume "$place"
at_place
shown=$EMSA_STORE/volumes/one/prod/web
is "it is there again" 8080 "$(cat "$shown/PORT")"
holds "the service is removed" emsa service rm prod/web --all
is "there is nothing" "" "$(find "$shown" -name .emsa -prune -o -type f -print)"
is "but the volume" "200 {\"Mountpoint\": \"$EMSA_STORE/volumes/one\", \"Err\": \"\"}" "$(asked Mount '{"Name": "one", "ID": "x"}')"
is "another of it is refused" "500 no service" "$(asked Create "{\"Name\": \"two\", $opts}" | cut -c -14)"
is "the same one is refused, too" 500 "$(asked Create "{\"Name\": \"one\", $opts}" | cut -c -3)"
holds "it comes again" emsa set prod/web PORT=8081
is "and is shown" 8081 "$(cat "$shown/PORT")"
over TERM

# Another daemon with the same place: that one does not start, and the first is not disturbed.
begin --volume "$place"
first=$daemon store=$EMSA_STORE
export EMSA_STORE=$work/other
fill
begin --volume "$place"
over
is "the place is taken" "4 yes" "$code $(logged "'$place': it is taken")"
export EMSA_STORE=$store
is "the first goes on" 200 "$(asked Path '{"Name": "one"}' | cut -c -3)"

# Somebody puts something else there: it is not taken away with ours.
rm "$place"
echo other >"$place"
daemon=$first
over TERM
is "what is another's stays" other "$(cat "$place")"
begin --volume "$place"
over
is "and is in the way" "4 yes" "$code $(logged 'is no socket')"
rm "$place"

# One that was left by a daemon that was killed is not in the way.
begin --volume "$place"
pid=$(plugin_pid) server=$(process server)
kill -KILL "$daemon" "$pid" "$server"
wait "$daemon" || true
gone "$pid"
gone "$server"
is "it is left" yes "$([ -S "$place" ] && echo yes)"
begin --volume "$place"
at_place
is "the next one is there" 200 "$(asked Mount '{"Name": "one", "ID": "x"}' | cut -c -3)"
is "and shows it" 8081 "$(cat "$shown/PORT")"
over TERM

# Where others may put something in its place, it is none of root's.
chmod 0777 "$(dirname "$place")"
begin --volume "$place"
over
is "a folder that is everybody's" "4 yes" "$code $(logged 'open to others')"
chmod 0755 "$(dirname "$place")"

# A file of volumes that is damaged: a word in every answer, and it is not written over.
echo '{"version": 1, "volumes": [{"name": "../x"}]}' >"$EMSA_STORE/volumes.json"
cp "$EMSA_STORE/volumes.json" "$work/damaged"
begin --volume "$place"
at_place
is "damaged: made" "500 yes" "$(asked Create "{\"Name\": \"one\", $opts}" | sed "s/^\(...\) .*is damaged.*mend it.*/\1 yes/")"
is "damaged: listed" "500 yes" "$(asked List | sed "s/^\(...\) .*is damaged.*mend it.*/\1 yes/")"
same "it is as it was" "$work/damaged" "$EMSA_STORE/volumes.json"
is "values are served all the same" 8081 "$(emsa get prod/web/PORT)"
over TERM

# So is one that cannot be read, whatever the reason: it holds up nothing else.
rm "$EMSA_STORE/volumes.json"
ln -s /dev/null "$EMSA_STORE/volumes.json"
begin --volume "$place"
at_place
is "not readable: listed" 500 "$(asked List | cut -c -3)"
is "and values are served" 8081 "$(emsa get prod/web/PORT)"
over TERM
finish
