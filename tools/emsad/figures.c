#include "tools/emsad/figures.h"

#include <errno.h>
#include <signal.h>

#include "fs/histogram.h"
#include "fs/state.h"
#include "store/error.h"

static json_int_t number(const _Atomic uint64_t *counter)
{
    return (json_int_t)atomic_load(counter);
}

/* below[i] were shorter than 2^(HISTOGRAM_FIRST_BIT + i) nanoseconds. */
static json_t *below_of(const struct histogram *times)
{
    json_t *below = json_array();
    for (unsigned bit = HISTOGRAM_FIRST_BIT; bit <= HISTOGRAM_LAST_BIT; bit++)
        json_array_append_new(below, json_integer((json_int_t)histogram_below(times, bit)));
    return below;
}

static json_t *times_of(const struct histogram *live)
{
    struct histogram times = {0}; /* all numbers of one moment */
    histogram_merge(&times, live);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:i, s:o}", "count",
                     (json_int_t)histogram_count(&times), "sum", number(&times.sum), "p50",
                     (json_int_t)histogram_percentile(&times, 0.5), "p99",
                     (json_int_t)histogram_percentile(&times, 0.99), "longest", number(&times.max),
                     "first_bit", (int)HISTOGRAM_FIRST_BIT, "below", below_of(&times));
}

static json_t *restarts_of(const struct state_figures *figures)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "servers_started",
        number(&figures->server_started), "servers_crashed", number(&figures->server_crashed),
        "servers_stuck", number(&figures->server_stuck), "notifiers_started",
        number(&figures->notifier_started), "taken_over", number(&figures->taken_over), "upgraded",
        number(&figures->upgraded), "upgrades_failed", number(&figures->upgrade_failed),
        "requests_refused", number(&figures->refused), "last_pause", number(&figures->last_pause),
        "longest_pause", number(&figures->longest_pause));
}

int figures_add(json_t *reply, struct fs *fs)
{
    struct fs_status tree = {0};
    const struct state_times *times = fs_times(fs);
    fs_status(fs, &tree);
    json_t *numbers = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "views", (json_int_t)tree.views,
        "readers", (json_int_t)tree.readers, "open_files", (json_int_t)tree.open_files, "requests",
        (json_int_t)tree.requests, "reads", (json_int_t)tree.reads, "decryptions",
        (json_int_t)tree.decryptions, "errors", (json_int_t)tree.errors, "published",
        (json_int_t)tree.published, "restarts", restarts_of(fs_figures(fs)), "visible",
        times_of(&times->visible), "event", times_of(&times->event));
    int failed = numbers == NULL || json_object_update(reply, numbers) < 0;
    json_decref(numbers);
    return failed ? error_set(ERR_NOMEM, "cannot make a reply: out of memory") : 0;
}

pid_t figures_living(pid_t pid)
{
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM) ? pid : 0;
}
