/* A store with everything in it, by chance: format_chance FOLDER SEED COMMITS makes FOLDER/store
 * and FOLDER/store.identity. It must be found whole by verification, too. */
#include <stdlib.h>

#include "tests/support/store/sample.h"
#include "tests/support/store/story.h"
#include "tests/support/store/trial.h"

int main(int count, char **arguments)
{
    char path[TRIAL_PATH_MAX];
    MUST(count == 4, "format_chance FOLDER SEED COMMITS");
    story_write(trial_path(path, arguments[1], "store"), strtoull(arguments[2], NULL, 0),
                strtoul(arguments[3], NULL, 10));
    struct store *store = sample_open(path, false);
    MUST_DO(sample_verify(store, true));
    store_close(store);
    return 0;
}
