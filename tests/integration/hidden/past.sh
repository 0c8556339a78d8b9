#!/bin/bash
# Random histories (tests/support/store/story: every kind of change) read as files: each revision below `.emsa/at/` is what
# the second implementation of the format makes of the log alone. COMMITS and EVERY widen it; the long form is hidden_past_long.
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/tests/integration/format
commits=$((${COMMITS:-200} / scale + 10)) every=${EVERY:-7}
seed=${EMSA_TEST_SEED:-$RANDOM}
echo "seed $seed, $commits commits, every ${every}th revision"

# The store is read by the model before anybody owns it.
mkdir "$work/story"
holds "a history" "$EMSA_BIN/format_chance" "$work/story" "$seed" "$commits"
export EMSA_STORE=$work/story/store
holds "the model" /usr/bin/python3 "$here/past.py" model "$EMSA_STORE" "$work/model" "$every"
mounted "$work/env"
holds "all revisions, seed $seed" /usr/bin/python3 "$here/past.py" compare "$work/model" "$work/env"
cat "$work/out"

# The tools of every day, on the last two revisions that are told of.
cd "$work/env/.emsa/at"
last=$(revision)
before=$((last - 1))
# Who copies a revision of which something was destroyed is told so, as is to be seen above.
grep -rq nothing-to-be-found "$before" 2>"$work/err" || ! grep -q "No data available" "$work/err" || before=$last
for revision in $before $last; do
    holds "cp -a of $revision" cp -a "$revision" "$work/copy-$revision"
    holds "the copy of $revision is the same" diff -r "$revision" "$work/copy-$revision"
    tar -cf "$work/$revision.tar" "$revision"
    holds "tar of $revision" tar -df "$work/$revision.tar"
    is "find finds no loop in $revision" "" "$(find "$revision" 2>&1 >/dev/null)"
    is "and each file once in $revision" "" "$(find "$revision" -type f -printf '%i\n' | sort | uniq -d)"
done
# differences FOLDER FOLDER: what diff -r says of them, without the names of the two
differences() {
    { diff -r "$1" "$2" || true; } | { grep -av '^diff' || true; } | sed "s|Only in $1|Only in one|; s|Only in $2|Only in the other|" | sort
}
differences "$before" "$last" >"$work/as-files"
cd "$work"
differences "copy-$before" "copy-$last" >"$work/as-copies"
same "what diff -r says is what it says of the copies" "$work/as-copies" "$work/as-files"
cd /
holds "verified" emsa verify
finish
