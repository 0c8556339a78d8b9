#!/bin/bash
# --volume: it answers whatever the store and its disk are about.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
# shellcheck source=asking.sh
. "$here/asking.sh"

fill
mkdir "$work/programs"
cp "$EMSA_BIN/emsad_held" "$work/programs/emsad"
PATH=$work/programs:$PATH
begin --volume "$place"

# Somebody's change holds the store's lock for writing: names and places are not the store's affair.
mkfifo "$EMSA_STORE/held" "$EMSA_STORE/released"
emsa set prod/web PORT=8080 OTHER=1 >"$work/held" 2>&1 &
writer=$!
cat "$EMSA_STORE/held"
is "locked: made" '200 {"Err": ""}' "$(asked Create "{\"Name\": \"locked\", $opts}")"
where=$(asked Mount '{"Name": "locked", "ID": "x"}')
is "locked: mounted" 8080 "$(cat "$(place_in "$where")/prod/web/PORT")"
is "locked: where it is" "$where" "$(asked Path '{"Name": "locked"}')"
is "locked: looked at" "200 locked" "$(asked Get '{"Name": "locked"}' | sed 's/^\(...\).*"Name": "\([^"]*\)".*/\1 \2/')"
is "locked: listed" 200 "$(asked List | cut -c -3)"
is "locked: not with other options" "500 the volume 'locked' is there already" \
    "$(asked Create "{\"Name\": \"locked\", \"Opts\": {\"environment\": \"prod\", \"service\": \"web\", \"layout\": \"flat\"}}" | cut -c -40)"
is "locked: let go" '200 {"Err": ""}' "$(asked Unmount '{"Name": "locked", "ID": "x"}')"
is "locked: forgotten" '200 {"Err": ""}' "$(asked Remove '{"Name": "locked"}')"
is "it held it all the while" yes "$([ -p "$EMSA_STORE/released" ] && kill -0 "$writer" && echo yes)"
: >"$EMSA_STORE/released" # to open it is enough: nothing is read there
wait "$writer" || fault "the change failed: $(cat "$work/held")"
is "and was made" 1 "$(emsa get prod/web/OTHER)"

over TERM

# A disk that is full: nothing new, in words; what there is goes on.
mkdir "$work/small"
mount -t tmpfs -o size=24m small "$work/small"
export EMSA_STORE=$work/small/store
fill
begin --volume "$place"
is "made while there is room" '200 {"Err": ""}' "$(asked Create "{\"Name\": \"old\", $opts}")"
! dd if=/dev/zero of="$work/small/filler" bs=64k 2>"$work/err" || fault "it is not full"
cp "$EMSA_STORE/volumes.json" "$work/volumes.json"
full=$(asked Create "{\"Name\": \"new\", $opts}")
is "a full disk is called so" 500 "$(grep -i 'space\|full\|room' <<<"$full" | cut -d ' ' -f 1)$(grep -iq 'space\|full\|room' <<<"$full" || echo "$full")"
is "what was made is mounted" 200 "$(asked Mount '{"Name": "old", "ID": "x"}' | cut -c -3)"
is "and where it was" 200 "$(asked Path '{"Name": "old"}' | cut -c -3)"
is "and looked at, and listed" "200 200" "$(asked Get '{"Name": "old"}' | cut -c -3) $(asked List | cut -c -3)"
is "and what was not is not there" 500 "$(asked Get '{"Name": "new"}' | cut -c -3)"
is "nor mounted" "" "$(find "$EMSA_STORE/volumes" -mindepth 1 -maxdepth 1 -name new)"
is "nor forgotten, which has to be written too" 500 "$(asked Remove '{"Name": "old"}' | cut -c -3)"
same "what is written is as it was" "$work/volumes.json" "$EMSA_STORE/volumes.json"
is "and nothing beside it" "" "$(find "$EMSA_STORE" -name 'volumes.json.*')"
rm "$work/small/filler"
is "room again" '200 {"Err": ""}' "$(asked Create "{\"Name\": \"new\", $opts}")"

# Somebody's change does not come to its end; and no identity, so secrets are closed: neither is volumes' affair.
mkfifo "$work/begun"
/usr/bin/python3 "$here/../daemon/slow_call.py" "$EMSA_STORE/socket" "$work/begun" >"$work/slow" 2>&1 &
slow=$!
read -r line <"$work/begun"
is "beside a change that hangs" "begun 200" "$line $(asked Remove '{"Name": "new"}' | cut -c -3)"
kill "$slow"
wait "$slow" || true
over TERM
export EMSA_IDENTITY=$work/none
begin --volume "$place"
is "without an identity" "8080" "$(cat "$(place_in "$(asked Mount '{"Name": "old", "ID": "x"}')")/prod/web/PORT" 2>&1 || true)"
over TERM
finish
