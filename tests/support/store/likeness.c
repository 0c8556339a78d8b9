#include "tests/support/store/likeness.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tests/support/store/trial.h"

void likeness_init(struct likeness *like, size_t revisions, size_t operations)
{
    *like =
        (struct likeness){.operations_max = operations,
                          .times = calloc(revisions + 2, sizeof(*like->times)),
                          .life_ids = calloc(revisions + operations, sizeof(*like->life_ids)),
                          .moments = calloc(operations, sizeof(*like->moments)),
                          .operations = calloc(operations, sizeof(*like->operations)),
                          .first_operation = calloc(revisions + 3, sizeof(*like->first_operation))};
    MUST(like->times && like->life_ids && like->moments && like->operations &&
             like->first_operation,
         "no memory");
    like->reference.rev = 1;
}

void likeness_release(struct likeness *like)
{
    free(like->times);
    free(like->life_ids);
    free(like->moments);
    free(like->operations);
    free(like->first_operation);
}

void likeness_attach(struct likeness *like, struct store *store)
{
    like->store = store;
    MUST_DO(snapshot_new(&like->snapshot, store));
}

void likeness_detach(struct likeness *like)
{
    snapshot_free(like->snapshot);
    like->snapshot = NULL;
}

/* --- the present ------------------------------------------------- */

static void compare_value(struct likeness *like, const struct entry *entry,
                          const struct reference_key *should)
{
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data = NULL;
    size_t size = 0, told = 0;
    MUST(entry->kind == (should->secret ? ENTRY_SECRET : ENTRY_PLAIN), "'%s' is of kind %d",
         entry->key, entry->kind);
    MUST(entry->rev == should->rev && entry->first_rev == should->first_rev,
         "'%s' is of %llu, first %llu; not %llu, %llu", entry->key, (unsigned long long)entry->rev,
         (unsigned long long)entry->first_rev, (unsigned long long)should->rev,
         (unsigned long long)should->first_rev);
    MUST(entry->time == like->times[entry->rev] &&
             entry->first_time == like->times[entry->first_rev],
         "'%s': times", entry->key);
    MUST(entry->defined.entry_id == should->entry_id, "'%s' is entry %llu, not %llu", entry->key,
         (unsigned long long)entry->defined.entry_id, (unsigned long long)should->entry_id);
    MUST_DO(snapshot_value(like->snapshot, &data, &size, entry, &scratch));
    MUST(value_is(data, size, should->number), "'%s' has a wrong value", entry->key);
    MUST_DO(snapshot_size(like->snapshot, &told, entry));
    MUST(told == size, "'%s' is said to have %zu bytes and has %zu", entry->key, told, size);
    MUST(should->secret ? entry->stored_size >= size : entry->stored_size == size, "stored %u",
         entry->stored_size);
}

static void compare_entry(struct likeness *like, const struct service *service,
                          const struct entry *entry, unsigned s, unsigned k,
                          struct reference_key *should)
{
    struct entry same = {0};
    if (!like->name_ids[s][k])
        like->name_ids[s][k] = entry->name_id;
    MUST(like->name_ids[s][k] == entry->name_id, "'%s' has another name id", entry->key);
    if (!should->entry_id) {
        MUST(entry->defined.entry_id > like->newest_entry_id, "'%s' has an old entry id",
             entry->key);
        should->entry_id = entry->defined.entry_id;
        if (like->greatest_entry_id < entry->defined.entry_id)
            like->greatest_entry_id = entry->defined.entry_id;
    }
    compare_value(like, entry, should);
    MUST_DO(snapshot_entry(like->snapshot, &same, service->environment, service->id,
                           reference_keys[k]));
    MUST(memcmp(&same, entry, sizeof(same)) == 0 ||
             same.defined.entry_id == entry->defined.entry_id,
         "'%s' differs", entry->key);
    MUST_DO(snapshot_entry_by_name(like->snapshot, &same, service->environment, entry->name_id));
    MUST(same.defined.entry_id == entry->defined.entry_id && strcmp(same.key, entry->key) == 0,
         "'%s' by name", entry->key);
}

static void compare_keys(struct likeness *like, const struct service *service, unsigned s,
                         struct reference_service *should)
{
    struct entry entry = {.key = ""}, none;
    for (unsigned k = 0; k < REFERENCE_KEYS; k++) {
        if (!should->keys[k].alive) {
            MUST(snapshot_entry(like->snapshot, &none, service->environment, service->id,
                                reference_keys[k]) == NOT_THERE,
                 "'%s' is there", reference_keys[k]);
            continue;
        }
        char before[KEY_NAME_MAX + 1];
        memcpy(before, entry.key, sizeof(before));
        MUST_DO(
            snapshot_next_entry(like->snapshot, &entry, service->environment, service->id, before));
        MUST(strcmp(entry.key, reference_keys[k]) == 0, "'%s' is listed, not '%s'", entry.key,
             reference_keys[k]);
        compare_entry(like, service, &entry, s, k, &should->keys[k]);
    }
    MUST(snapshot_next_entry(like->snapshot, &none, service->environment, service->id, entry.key) ==
             NOT_THERE,
         "'%s' is listed at the end", none.key);
}

static void compare_service(struct likeness *like, const struct service *is, unsigned s,
                            struct reference_service *should)
{
    struct service same;
    if (!like->service_ids[s])
        like->service_ids[s] = is->id;
    MUST(like->service_ids[s] == is->id, "'%s' has another id", is->name);
    MUST(is->incarnation == should->incarnation, "'%s' is incarnation %u, not %u", is->name,
         is->incarnation, should->incarnation);
    MUST(is->made_rev == should->made_rev && is->changed_rev == should->changed_rev,
         "'%s' was made in %llu, changed in %llu; not %llu, %llu", is->name,
         (unsigned long long)is->made_rev, (unsigned long long)is->changed_rev,
         (unsigned long long)should->made_rev, (unsigned long long)should->changed_rev);
    MUST(is->made_time == like->times[is->made_rev] &&
             is->listed_time == like->times[should->listed_rev],
         "'%s': times", is->name);
    MUST_DO(snapshot_service(like->snapshot, &same, is->environment, is->name));
    MUST(same.id == is->id, "'%s' by name", is->name);
    MUST_DO(
        snapshot_service_by_id(like->snapshot, &same, is->environment, is->id, is->incarnation));
    MUST(strcmp(same.name, is->name) == 0, "'%s' by id", is->name);
    MUST(snapshot_service_by_id(like->snapshot, &same, is->environment, is->id,
                                is->incarnation + 1u) == NOT_THERE,
         "'%s' of a life to come", is->name);
    compare_keys(like, is, s, should);
}

static void compare_environment(struct likeness *like, const struct environment *is,
                                struct reference_environment *should)
{
    struct environment same;
    struct service service = {.name = ""}, none;
    if (!like->life_ids[should->life]) {
        MUST(is->id > like->newest_environment_id, "'%s' has an old id", is->name);
        like->life_ids[should->life] = is->id;
        if (like->greatest_environment_id < is->id)
            like->greatest_environment_id = is->id;
    }
    MUST(like->life_ids[should->life] == is->id, "'%s' has another id", is->name);
    MUST(is->made_rev == should->made_rev && is->changed_rev == should->changed_rev,
         "'%s' was made in %llu, changed in %llu; not %llu, %llu", is->name,
         (unsigned long long)is->made_rev, (unsigned long long)is->changed_rev,
         (unsigned long long)should->made_rev, (unsigned long long)should->changed_rev);
    MUST(is->made_time == like->times[is->made_rev] &&
             is->listed_time == like->times[should->listed_rev],
         "'%s': times", is->name);
    MUST_DO(snapshot_environment_by_id(like->snapshot, &same, is->id));
    MUST(strcmp(same.name, is->name) == 0, "'%s' by id", is->name);
    for (unsigned s = 0; s < REFERENCE_SERVICES; s++) {
        if (!should->services[s].alive)
            continue;
        char before[SERVICE_NAME_MAX + 1];
        memcpy(before, service.name, sizeof(before));
        MUST_DO(snapshot_next_service(like->snapshot, &service, is->id, before));
        MUST(strcmp(service.name, reference_services[s]) == 0, "'%s' is listed, not '%s'",
             service.name, reference_services[s]);
        compare_service(like, &service, s, &should->services[s]);
    }
    MUST(snapshot_next_service(like->snapshot, &none, is->id, service.name) == NOT_THERE,
         "'%s' is listed at the end", none.name);
}

static void compare_all(struct likeness *like)
{
    struct environment environment = {.name = ""}, none;
    struct commit_info commit;
    MUST_DO(snapshot_begin(like->snapshot));
    MUST(snapshot_revision(like->snapshot) == like->reference.rev, "revision %llu, not %llu",
         (unsigned long long)snapshot_revision(like->snapshot),
         (unsigned long long)like->reference.rev);
    MUST(store_revision(like->store) == like->reference.rev, "the store stands elsewhere");
    MUST_DO(history_commit(like->snapshot, &commit, like->reference.rev));
    like->times[like->reference.rev] = commit.time;
    MUST(commit.time > like->times[like->reference.rev - 1], "time goes back");
    for (unsigned e = 0; e < REFERENCE_ENVIRONMENTS; e++) {
        struct reference_environment *should = &like->reference.environments[e];
        if (!should->alive) {
            MUST(snapshot_environment(like->snapshot, &none, reference_environments[e]) ==
                     NOT_THERE,
                 "'%s' is there", reference_environments[e]);
            continue;
        }
        char before[ENVIRONMENT_NAME_MAX + 1];
        memcpy(before, environment.name, sizeof(before));
        MUST_DO(snapshot_next_environment(like->snapshot, &environment, before));
        MUST(strcmp(environment.name, reference_environments[e]) == 0, "'%s' is listed, not '%s'",
             environment.name, reference_environments[e]);
        compare_environment(like, &environment, should);
    }
    MUST(snapshot_next_environment(like->snapshot, &none, environment.name) == NOT_THERE,
         "'%s' is listed at the end", none.name);
    snapshot_end(like->snapshot);
    like->newest_entry_id = like->greatest_entry_id;
    like->newest_environment_id = like->greatest_environment_id;
}

/* Keeps what the newest revision did, for the end. */
static void remember(struct likeness *like, const struct reference_outcome *outcome)
{
    like->first_operation[like->reference.rev] = like->operation_count;
    for (size_t i = 0; i < outcome->operation_count; i++) {
        const struct reference_operation *done = &outcome->operations[i];
        const struct reference_environment *environment =
            &like->reference.environments[done->environment];
        MUST(like->operation_count < like->operations_max, "too many operations to remember");
        like->operations[like->operation_count++] = *done;
        if (done->kind >= OPERATION_ENVIRONMENT_ADD)
            continue;
        struct likeness_moment *moment = &like->moments[like->moment_count++];
        *moment = (struct likeness_moment){
            .life = done->life, .service = done->service, .key = done->key};
        if (environment->life == done->life)
            moment->is = environment->services[done->service].keys[done->key];
        moment->is.since = like->reference.rev;
    }
    like->first_operation[like->reference.rev + 1] = like->operation_count;
}

/* --- the past ---------------------------------------------------- */

static void compare_moment(struct likeness *like, const struct likeness_moment *moment,
                           uint64_t rev)
{
    const uint32_t environment = like->life_ids[moment->life];
    const uint64_t name = like->name_ids[moment->service][moment->key];
    struct entry entry;
    if (!environment || !name) /* came and went in one commit, so its ids were never seen */
        return;
    const int result = snapshot_entry_at(like->snapshot, &entry, environment, name, rev);
    if (!moment->is.alive) {
        MUST(result == NOT_THERE, "'%s' in revision %llu: %d", reference_keys[moment->key],
             (unsigned long long)rev, result);
        return;
    }
    MUST(result == 0, "'%s' in revision %llu: %d", reference_keys[moment->key],
         (unsigned long long)rev, result);
    MUST(strcmp(entry.key, reference_keys[moment->key]) == 0, "'%s'", entry.key);
    struct reference_key should = moment->is;
    if (!should.entry_id)
        should.entry_id = entry.defined.entry_id;
    compare_value(like, &entry, &should);
}

/* The newest moment of a key at or before rev; one that says "not there" where there is none. */
static struct likeness_moment moment_at(struct likeness *like, unsigned life, unsigned service,
                                        unsigned key, uint64_t rev)
{
    for (size_t i = like->moment_count; i-- > 0;) {
        const struct likeness_moment *moment = &like->moments[i];
        if (moment->life == life && moment->service == service && moment->key == key &&
            moment->is.since <= rev)
            return *moment;
    }
    return (struct likeness_moment){.life = life, .service = service, .key = key};
}

static void compare_random_past(struct likeness *like, struct dice *dice)
{
    MUST_DO(snapshot_begin(like->snapshot));
    for (size_t i = 0; i < like->moment_count; i++)
        compare_moment(like, &like->moments[i], like->moments[i].is.since);
    for (unsigned i = 0; i < trial_scaled(5000) && like->reference.lives > 0; i++) {
        const unsigned life = 1 + (unsigned)dice_roll(dice, like->reference.lives);
        const uint64_t rev = dice_roll(dice, like->reference.rev + 2);
        const struct likeness_moment moment =
            moment_at(like, life, (unsigned)dice_roll(dice, REFERENCE_SERVICES),
                      (unsigned)dice_roll(dice, REFERENCE_KEYS), rev);
        compare_moment(like, &moment, rev);
    }
    snapshot_end(like->snapshot);
}

/* The next operation of a revision that the reference knows of: not key pairs and grants. */
static int next_operation(struct likeness *like, struct operation_info *out, uint64_t rev,
                          uint32_t *op)
{
    int result;
    do
        result = history_operation(like->snapshot, out, rev, (*op)++);
    while (result == 0 && out->kind >= OPERATION_IDENTITY);
    return result;
}

static void compare_operations(struct likeness *like, uint64_t rev)
{
    struct operation_info done;
    uint32_t op = 0;
    for (size_t i = like->first_operation[rev]; i < like->first_operation[rev + 1]; i++) {
        const struct reference_operation *should = &like->operations[i];
        const enum path_depth depth = should->kind < OPERATION_ENVIRONMENT_ADD ? PATH_KEY
                                      : should->kind < OPERATION_SERVICE_ADD   ? PATH_ENVIRONMENT
                                                                               : PATH_SERVICE;
        const struct reference_wish place = {
            .environment = should->environment, .service = should->service, .key = should->key};
        const struct path path = reference_path(&place, depth);
        char text[PATH_TEXT_MAX], other[PATH_TEXT_MAX];
        MUST_DO(next_operation(like, &done, rev, &op));
        MUST(done.kind == should->kind && done.first == should->first,
             "revision %llu, operation %u: kind %d", (unsigned long long)rev, op - 1, done.kind);
        MUST(strcmp(path_text(&done.path, text), path_text(&path, other)) == 0, "'%s', not '%s'",
             text, other);
        if (like->life_ids[should->life])
            MUST(done.environment == like->life_ids[should->life], "'%s': environment", text);
    }
    MUST(next_operation(like, &done, rev, &op) == NOT_THERE, "revision %llu has more operations",
         (unsigned long long)rev);
}

/* Whether an operation of that revision is at or below the place. */
static bool touches(struct likeness *like, uint64_t rev, const struct reference_wish *place,
                    enum path_depth depth)
{
    for (size_t i = like->first_operation[rev]; i < like->first_operation[rev + 1]; i++) {
        const struct reference_operation *done = &like->operations[i];
        const enum path_depth of = done->kind < OPERATION_ENVIRONMENT_ADD ? PATH_KEY
                                   : done->kind < OPERATION_SERVICE_ADD   ? PATH_ENVIRONMENT
                                                                          : PATH_SERVICE;
        if (of >= depth && (depth < PATH_ENVIRONMENT || done->environment == place->environment) &&
            (depth < PATH_SERVICE || done->service == place->service) &&
            (depth < PATH_KEY || (done->key == place->key && !done->is_undone)))
            return true;
    }
    return false;
}

static void compare_touched(struct likeness *like, struct dice *dice)
{
    const struct reference_wish place = {.environment =
                                             (unsigned)dice_roll(dice, REFERENCE_ENVIRONMENTS),
                                         .service = (unsigned)dice_roll(dice, REFERENCE_SERVICES),
                                         .key = (unsigned)dice_roll(dice, REFERENCE_KEYS)};
    const enum path_depth depth = (enum path_depth)(1 + dice_roll(dice, 3));
    const struct path path = reference_path(&place, depth);
    const uint64_t from = dice_roll(dice, like->reference.rev + 1);
    uint64_t should = from, found = from, at;
    while (should > 1 && !touches(like, should, &place, depth))
        should--;
    int result;
    do {
        at = found;
        result = history_touched(like->snapshot, &found, &path, at);
    } while (result == LOOK_ON && found < at);
    if (should <= 1)
        MUST(result == NOT_THERE, "touched in %llu, and never was", (unsigned long long)found);
    else
        MUST(result == 0 && found == should, "%d: touched in %llu, not %llu", result,
             (unsigned long long)found, (unsigned long long)should);
}

static void compare_history(struct likeness *like, struct dice *dice)
{
    MUST_DO(snapshot_begin(like->snapshot));
    for (uint64_t rev = 2; rev <= like->reference.rev; rev++)
        compare_operations(like, rev);
    for (unsigned i = 0; i < trial_scaled(2000); i++)
        compare_touched(like, dice);
    snapshot_end(like->snapshot);
}

void likeness_compare(struct likeness *like, const struct reference_outcome *outcome)
{
    compare_all(like);
    remember(like, outcome);
}

void likeness_compare_past(struct likeness *like, struct dice *dice)
{
    compare_random_past(like, dice);
    compare_history(like, dice);
}
