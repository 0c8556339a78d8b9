#include "tests/fault/stage.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"
#include "store/grant.h"

#define SECONDS 30u
#define CALLS_MAX 20000u /* more than any run has: it would never end otherwise */
#define FIRST_CALLS 40u
#define LARGE 12345u /* the number of a value that takes several pages; see below */

#define SCHEMA_BEFORE "DEFAULT:port=8080 GONE:string=g KEPT:string,secret,required"
/* Another default, one that is gone, something that is missing (a note), and what is judged. */
#define SCHEMA_AFTER                                                                               \
    "DEFAULT:port=9090 MISSING:string,required LEVEL:enum,one@info,one@warn "                      \
    "URL:url"

/* What every run finds, and what the commit under test makes of it. 0: not there. */
static const struct {
    const char *path;
    uint64_t before, after;
    bool secret;
} facts[] = {
    {"dev/web/KEPT", 1, 1, false},          {"dev/web/PORT", 0, 16, false},
    {"prod/billing/CHANGED", 2, 12, false}, {"prod/billing/FRESH", 0, 15, true},
    {"prod/billing/KEPT", 5, 5, true},      {"prod/billing/LARGE", 0, LARGE, false},
    {"prod/billing/NEW", 0, 13, false},     {"prod/billing/OLD", 3, 0, false},
    {"prod/billing/TOKEN", 4, 14, true},    {"prod/new/FIRST", 0, 17, true},
};

int stage_commit(struct store *store, struct change_result *result)
{
    return SAMPLE_COMMIT(
        store, result, "under test", STAGE_REQUEST, {SET, "prod/billing/CHANGED", 12},
        {SET, "prod/billing/NEW", 13}, {SECRET, "prod/billing/TOKEN", 14},
        {SECRET, "prod/billing/FRESH", 15}, {DROP, "prod/billing/OLD", 0}, {ADD, "prod/queue", 0},
        {SET, "dev/web/PORT", 16}, {SET, "prod/billing/LARGE", LARGE},
        {SECRET, "prod/new/FIRST", 17}, {SET_SCHEMA, "prod/billing", .text = SCHEMA_AFTER},
        {SET_SCHEMA, "all/web", .text = "PORT_B:port=1"},
        {SET_TEXT, "prod/billing/LEVEL", .text = "info"},
        {SET_TEMPLATE, "prod/billing/URL", .text = "http://h:${DEFAULT}/"},
        {GRANT_TO, "prod/billing", GRANT_SET, "user:ci"},
        {REVOKE_FROM, "prod", GRANT_READ, "group:dev"});
}

static int make_base(void *arg)
{
    struct stage *stage = arg;
    struct change_result result = {0};
    sample_create(stage->base);
    struct store *store = sample_open(stage->base, true);
    MUST_DO(SAMPLE_COMMIT(store, &result, "places", 1, {ADD, "dev", 0}, {ADD, "prod", 0},
                          {GRANT_TO, "prod", GRANT_READ | GRANT_LIST, "group:dev"}));
    change_result_release(&result);
    MUST_DO(SAMPLE_COMMIT(store, &result, "values", 2, {SET, "dev/web/KEPT", 1},
                          {SET, "prod/billing/CHANGED", 2}, {SET, "prod/billing/OLD", 3}));
    change_result_release(&result);
    MUST_DO(SAMPLE_COMMIT(store, &result, "secrets", 3, {SECRET, "prod/billing/TOKEN", 4},
                          {SECRET, "prod/billing/KEPT", 5},
                          {SET_SCHEMA, "prod/billing", .text = SCHEMA_BEFORE}));
    MUST(result.rev == STAGE_REVISION_BEFORE, "revision %llu", (unsigned long long)result.rev);
    change_result_release(&result);
    MUST(stage_look(store) == STAGE_BEFORE, "the base");
    struct store_status status;
    MUST_DO(store_status(store, &status));
    store_close(store);
    /* Without what was allocated ahead: so every run has to allocate, and can fail at it. */
    char data[TRIAL_PATH_MAX];
    MUST(truncate(trial_path(data, stage->base, "data.mdb"), (off_t)status.used_bytes) == 0,
         "cannot cut");
    return 0;
}

void stage_init(struct stage *stage)
{
    char beside[TRIAL_PATH_MAX], other[TRIAL_PATH_MAX];
    if (!getenv("TMPDIR") && access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    const char *folder = trial_folder();
    trial_path(stage->base, folder, "base");
    trial_path(stage->run, folder, "run");
    trial_child_well(make_base, stage, SECONDS);
    MUST(link(trial_path(beside, folder, "base.identity"),
              trial_path(other, folder, "run.identity")) == 0,
         "no identity");
}

enum stage_standing stage_look_in(struct snapshot *snapshot)
{
    const uint64_t rev = snapshot_revision(snapshot);
    const bool after = rev > STAGE_REVISION_BEFORE;
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        BYTES_CLEANUP struct bytes found = BYTES_INIT(VALUE_MAX);
        const uint64_t number = after ? facts[i].after : facts[i].before;
        if (number)
            MUST(sample_has(snapshot, facts[i].path, number), "'%s' in revision %llu",
                 facts[i].path, (unsigned long long)rev);
        else
            MUST(sample_read(snapshot, NULL, &found, facts[i].path) == NOT_THERE,
                 "'%s' in revision %llu", facts[i].path, (unsigned long long)rev);
    }
    struct environment prod;
    struct service queue;
    MUST_DO(snapshot_environment(snapshot, &prod, "prod"));
    MUST(snapshot_service(snapshot, &queue, prod.id, "queue") == (after ? 0 : NOT_THERE),
         "the service");
    struct grant grant;
    MUST_DO(grant_at(snapshot, &grant, prod.id, 0, "group:dev"));
    MUST(grant.rights == (after ? GRANT_LIST : GRANT_LIST | GRANT_READ), "the rights");
    return after ? STAGE_AFTER : STAGE_BEFORE;
}

enum stage_standing stage_look(struct store *store)
{
    struct snapshot *snapshot = NULL;
    MUST_DO(snapshot_new(&snapshot, store));
    MUST_DO(snapshot_begin(snapshot));
    MUST(snapshot_revision(snapshot) == store_revision(store), "two revisions: %llu and %llu",
         (unsigned long long)snapshot_revision(snapshot),
         (unsigned long long)store_revision(store));
    const enum stage_standing standing = stage_look_in(snapshot);
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    return standing;
}

bool stage_is_fair(const struct fault *fault, int error)
{
    if (fault->family == INJECT_SYSTEM)
        return error == -ERR_IO || error == -ERR_FULL || error == -ERR_NOMEM;
    return error == -ERR_NOMEM || (fault->how == INJECT_FULL && error == -ERR_FULL);
}

static bool is_kill(const struct fault *fault)
{
    return fault->how == INJECT_KILL_BEFORE || fault->how == INJECT_KILL_AFTER;
}

void stage_for_all(struct stage *stage, const char *what, struct fault fault,
                   int (*body)(void *fault), int (*look)(void *fault))
{
    /* With sanitizers each try takes so much longer that some stand for all behind the first. */
    const unsigned step = 1000 / trial_scaled(1000);
    fault.stage = stage;
    for (fault.at = 1;; fault.at += fault.at < FIRST_CALLS ? 1 : step) {
        MUST(fault.at < CALLS_MAX, "%s: no end", what);
        trial_copy_folder(stage->run, stage->base);
        const int status = trial_child(body, &fault, SECONDS);
        const bool passed = WIFEXITED(status) && WEXITSTATUS(status) == RUN_PASSED;
        const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        MUST(passed || (WIFEXITED(status) && WEXITSTATUS(status) == RUN_STRUCK) ||
                 (killed && is_kill(&fault)),
             "%s, call %u: %s", what, fault.at, trial_end(status));
        if (look) {
            const int looked = trial_child(look, &fault, SECONDS);
            MUST(WIFEXITED(looked) && WEXITSTATUS(looked) == 0, "%s, call %u, afterwards: %s", what,
                 fault.at, trial_end(looked));
        }
        if (passed)
            break;
    }
    printf("%s: up to %u calls\n", what, fault.at - 1);
    fflush(stdout);
}

void stage_for_kills(struct stage *stage, int (*body)(void *fault), int (*look)(void *fault))
{
    stage_for_all(stage, "killed before a system call",
                  (struct fault){.family = INJECT_SYSTEM, .how = INJECT_KILL_BEFORE}, body, look);
    stage_for_all(stage, "killed after a system call",
                  (struct fault){.family = INJECT_SYSTEM, .how = INJECT_KILL_AFTER}, body, look);
}
