#include "store/model/whole.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/db/whole.h"
#include "store/error.h"
#include "store/log/state.h"
#include "store/model/pin.h"
#include "store/verify.h"

#define FINDINGS 3
#define FINDING_MAX 300

struct findings { /* the first of verification */
    const struct verify_report *report;
    char lines[FINDINGS][FINDING_MAX];
    size_t count;
};

struct judging {
    struct store *store;
    struct whole_finding found;
    struct head head;
    bool was_sealed; /* at this very head, by what the pin says */
};

static void tell(struct store *store, const char *text)
{
    atomic_fetch_add(&store->alarms, 1);
    if (store->alarm)
        store->alarm(store->alarm_arg, text);
}

static int read_head(struct store *store, struct head *head)
{
    struct txn *txn;
    int error = txn_reader_new(&txn, store->env);
    if (!error)
        error = txn_renew(txn);
    else
        return error;
    if (!error)
        error = state_head(txn, head);
    txn_free(txn);
    return error;
}

static void note(void *arg, const char *text)
{
    struct findings *findings = arg;
    if (findings->count < FINDINGS)
        (void)snprintf(findings->lines[findings->count++], FINDING_MAX, "%s", text);
}

/* One that refuses the store is enough: who wants all of them asks for them. */
static int goes_on(void *arg, uint64_t done, uint64_t total)
{
    const struct findings *findings = arg;
    (void)done;
    (void)total;
    return findings->report->faults > findings->report->damaged;
}

static int refuse(struct store *store, const struct findings *findings, const char *hint)
{
    error_set(ERR_CORRUPT, "the store is not opened: %s", store->whole_difference);
    for (size_t i = 0; i < findings->count; i++)
        error_add(ERR_CORRUPT, "%s", findings->lines[i]);
    return error_add(ERR_CORRUPT, "%s", hint);
}

#define HINT_DAMAGE                                                                                \
    "all that is found: emsa verify; then bring back a backup, and accept it: emsa verify "        \
    "--accept-head"
#define HINT_ACCEPT "if that was meant, or does not matter, accept it: emsa verify --accept-head"

/* --- what was verified --- */

static int trust(const struct judging *judging)
{
    struct store *store = judging->store;
    env_whole_trust(store->env, &judging->found);
    store->is_sealed = judging->found.seal == SEAL_OWN;
    pin_sealed(store, &judging->head);
    return 0;
}

/* Verification found nothing, and nothing says that this was sealed. A full disk keeps nobody from
 * reading: the next commit writes the seal. */
static int begin_seal(struct judging *judging)
{
    struct store *store = judging->store;
    char text[200];
    if (judging->found.seal == SEAL_DAMAGED) {
        tell(store, "the seal of the store was damaged; its log says nothing against it, and it is "
                    "sealed anew");
    } else if (store->had_pin && store->pin_was.is_sealed && !judging->found.is_unsure &&
               !store->pin_difference[0]) {
        (void)snprintf(text, sizeof text,
                       "what was written after revision %" PRIu64
                       " was written without this pin; it was verified, and is sealed now",
                       store->pin_was.rev);
        tell(store, text);
    }
    env_whole_trust(store->env, &judging->found);
    if (judging->found.seal == SEAL_OTHERS)
        return trust(judging);
    if (env_whole_seal(store->env) == 0)
        judging->found.seal = SEAL_OWN;
    else
        tell(store, error_text());
    store->is_sealed = judging->found.seal == SEAL_OWN;
    pin_sealed(store, &judging->head);
    return 0;
}

static int verify(struct judging *judging)
{
    struct store *store = judging->store;
    struct verify_report report = {0};
    struct findings findings = {.report = &report};
    const struct verify_options options = {.fault = note, .progress = goes_on, .arg = &findings};
    const int error = verify_store(store, &options, &report);
    store->was_verified = true;
    if (error && (error != -ERR_CORRUPT || !report.faults))
        return error;
    /* The seal's own record is nothing that anybody reads. */
    if (judging->found.seal == SEAL_DAMAGED && !judging->found.damaged &&
        report.faults == report.damaged)
        report.faults = 0;
    if (!report.faults && !judging->was_sealed)
        return begin_seal(judging);
    if (!report.faults) {
        (void)snprintf(store->whole_difference, sizeof store->whole_difference,
                       "its records are not all what was written here, and the log says nothing "
                       "against them: fingerprints of the leak guard are others, or the seal is");
        return refuse(store, &findings, HINT_ACCEPT);
    }
    if (report.faults == report.damaged && !judging->found.is_log_damaged) {
        tell(store, "records are damaged: reading them fails; all that is found: emsa verify");
        store->is_sealed |= judging->was_sealed; /* to be held against that ever after */
        pin_sealed(store, &judging->head);
        return 0;
    }
    (void)snprintf(store->whole_difference, sizeof store->whole_difference,
                   "it is not what was written, and something else could be served");
    return refuse(store, &findings, HINT_DAMAGE);
}

/* --- what is looked at --- */

static int judge_unsound(struct judging *judging, bool is_examined)
{
    static const struct findings none;
    struct store *store = judging->store;
    store->whole_is_unsound = true;
    (void)snprintf(store->whole_difference, sizeof store->whole_difference, "%s",
                   judging->found.unsound);
    return is_examined ? 0 : refuse(store, &none, HINT_DAMAGE);
}

static int judge(struct judging *judging, bool is_examined)
{
    struct store *store = judging->store;
    const struct whole_finding *found = &judging->found;
    if (!found->is_sound)
        return judge_unsound(judging, is_examined);
    if (found->names_agree && found->records_agree) {
        if (found->damaged)
            tell(store, "records are damaged: reading them fails, all others are what was written; "
                        "which they are: emsa verify");
        return trust(judging);
    }
    judging->was_sealed = store->had_pin && store->pin_was.is_sealed &&
                          store->pin_was.rev == judging->head.rev && !store->pin_difference[0] &&
                          !found->is_unsure && found->seal != SEAL_DAMAGED;
    store->is_sealed = found->is_unsure;
    if (!is_examined)
        return verify(judging);
    if (judging->was_sealed)
        (void)snprintf(store->whole_difference, sizeof store->whole_difference,
                       "the seal: the records are not all what was written here");
    return 0;
}

#define BODIES_AT_ONCE (8u << 20) /* bytes in use: 25 ms of one processor */

/* Whether bodies fit their hashes is looked at where that takes no time, where the sums don't say
 * that all hashes are what was written, and for who wants to know all of it. Else they are what is
 * left to store_read_on. */
static int look(struct judging *judging, bool is_examined)
{
    struct store *store = judging->store;
    struct whole_finding *found = &judging->found;
    uint64_t size, used;
    env_usage(store->env, &size, &used);
    const bool bodies = is_examined || used <= BODIES_AT_ONCE;
    int error = env_whole_look(store->env, found, bodies);
    if (!error && !bodies && found->is_sound && (!found->names_agree || !found->records_agree))
        error = env_whole_look(store->env, found, true);
    store->bodies_left = !error && !found->has_bodies;
    return error;
}

static int64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

int whole_open(struct store *store, bool is_examined, bool is_continued)
{
    struct judging judging = {.store = store};
    const int64_t begun = now();
    if (store->pin_fd <= 0)
        return 0;
    int error = env_whole_key(store->env, store->pin_key.data);
    if (!error)
        error = read_head(store, &judging.head);
    if (!error && is_continued && !is_examined && !store->pin_difference[0] &&
        env_whole_resume(store->env)) {
        store->is_sealed = true;
        return 0;
    }
    if (!error)
        error = look(&judging, is_examined);
    if (!error)
        error = judge(&judging, is_examined);
    store->looked_at = judging.found.records;
    store->looked_for = now() - begun;
    return error;
}

int whole_seal(struct store *store)
{
    if (env_whole_state(store->env) == WHOLE_SEALED)
        return 0;
    const int error = env_whole_seal(store->env);
    if (!error)
        store->is_sealed = true;
    return error;
}
