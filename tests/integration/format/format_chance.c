/* A store with everything in it, by chance: format_chance FOLDER SEED COMMITS makes FOLDER/store
 * and FOLDER/store.identity; at its end values are destroyed, by name and by compaction, between
 * tags that come and go. It must be found whole by verification, too. */
#include <stdio.h>
#include <stdlib.h>

#include "store/error.h"
#include "store/history.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/story.h"
#include "tests/support/store/trial.h"

#define ROUNDS 60u
#define TAGS 5u

struct forgetting {
    struct store *store;
    struct snapshot *snapshot;
    struct dice dice;
    unsigned purged, compacted;
};

/* An operation of the log, any. */
static void pick(struct forgetting *forgetting, struct operation_info *out)
{
    struct commit_info commit;
    MUST_DO(snapshot_begin(forgetting->snapshot));
    const uint64_t head = snapshot_revision(forgetting->snapshot);
    const uint64_t rev = 2 + dice_roll(&forgetting->dice, head - 1);
    MUST_DO(history_commit(forgetting->snapshot, &commit, rev));
    MUST_DO(history_operation(forgetting->snapshot, out, rev,
                              (uint32_t)dice_roll(&forgetting->dice, commit.operations)));
    snapshot_end(forgetting->snapshot);
}

static int name_one(struct forgetting *forgetting, struct change *change, uint64_t rev)
{
    char name[8];
    snprintf(name, sizeof name, "t%u", (unsigned)dice_roll(&forgetting->dice, TAGS));
    return dice_once_in(&forgetting->dice, 3) ? change_untag(change, name)
                                              : change_tag(change, name, rev);
}

static int gather(struct forgetting *forgetting, struct change *change, unsigned what)
{
    struct operation_info picked;
    pick(forgetting, &picked);
    if (what == 0)
        return name_one(forgetting, change, picked.rev);
    if (what == 1) {
        if (dice_once_in(&forgetting->dice, 2))
            picked.path.service[0] = '\0';
        picked.path.key[0] = '\0';
        if (dice_once_in(&forgetting->dice, 4))
            picked.path = (struct path){0};
        if (!picked.path.environment[0])
            picked.path = (struct path){0};
        return change_compact(change, &picked.path, picked.rev);
    }
    return change_purge(change, &picked.path, picked.rev + dice_roll(&forgetting->dice, 3));
}

/* What is refused (there is nothing there, or it is set still) is one of the chances. */
static void forget(struct forgetting *forgetting)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct change *change;
        struct change_result result = {0};
        const struct change_terms terms = sample_terms("by chance", 0);
        const unsigned what = (unsigned)dice_roll(&forgetting->dice, 8);
        MUST_DO(change_new(&change, forgetting->store));
        int error = gather(forgetting, change, what);
        if (!error)
            error = change_commit(change, &terms, &result);
        MUST(!error || error == -ERR_REFUSED || error == -ERR_NOT_FOUND || error == -ERR_INVALID,
             "%s: %s", error_word(error), error_text());
        forgetting->purged += what > 1 && result.committed;
        forgetting->compacted += what == 1 && result.committed;
        change_result_release(&result);
        change_free(change);
    }
}

int main(int count, char **arguments)
{
    char path[TRIAL_PATH_MAX];
    MUST(count == 4, "format_chance FOLDER SEED COMMITS");
    const uint64_t seed = strtoull(arguments[2], NULL, 0);
    story_write(trial_path(path, arguments[1], "store"), seed, strtoul(arguments[3], NULL, 10));
    struct store *store = sample_open(path, true);
    struct forgetting forgetting = {.store = store, .dice = dice_new(seed)};
    MUST_DO(snapshot_new(&forgetting.snapshot, store));
    forget(&forgetting);
    snapshot_free(forgetting.snapshot);
    printf("%u purges, %u compactions\n", forgetting.purged, forgetting.compacted);
    MUST_DO(sample_verify(store, true));
    store_close(store);
    return 0;
}
