#include "store/model/settle.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/model/settle_internal.h"

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory to settle a change");
}

/* --- what is looked at --- */

static size_t slot_of(const struct settling *settling, uint32_t environment, uint64_t name_id)
{
    uint64_t hash = (name_id * 0x9e3779b97f4a7c15u) ^ ((uint64_t)environment * 0xc2b2ae3d27d4eb4fu);
    size_t slot = (size_t)(hash ^ hash >> 29) & (settling->table_size - 1);
    for (uint32_t at; (at = settling->table[slot]) != 0;
         slot = (slot + 1) & (settling->table_size - 1)) {
        const struct look *look = &settling->looks[at - 1];
        if (look->environment == environment && look->name_id == name_id)
            break;
    }
    return slot;
}

static int grow_table(struct settling *settling)
{
    if (settling->look_count * 2 < settling->table_size)
        return 0;
    free(settling->table);
    settling->table_size = settling->table_size ? settling->table_size * 2 : 64;
    settling->table = calloc(settling->table_size, sizeof *settling->table);
    if (!settling->table)
        return no_memory();
    for (size_t i = 0; i < settling->look_count; i++) {
        const struct look *look = &settling->looks[i];
        settling->table[slot_of(settling, look->environment, look->name_id)] = (uint32_t)(i + 1);
    }
    return 0;
}

static int grow_looks(struct settling *settling)
{
    if (settling->look_count < settling->look_capacity)
        return 0;
    const size_t capacity = settling->look_capacity ? settling->look_capacity * 2 : 32;
    struct look *looks = realloc(settling->looks, capacity * sizeof *looks);
    if (!looks)
        return no_memory();
    settling->looks = looks;
    settling->look_capacity = capacity;
    return 0;
}

bool settle_is_new_name(const struct settling *settling, uint64_t name_id)
{
    return name_id > settling->judge->index->names_before;
}

/* Whether the service is there for the first time, by this commit: it had nothing before. */
static bool is_new_place(const struct settling *settling, uint32_t environment, uint32_t service)
{
    const struct change_of_place *place = settle_place(settling, environment, service);
    return place && place->is_come && !place->is_gone && place->come == 0;
}

/* The kind of what was in effect before this commit. */
static int find_before(struct settling *settling, struct look *look)
{
    struct spot spot;
    if (settle_is_new_name(settling, look->name_id) ||
        is_new_place(settling, look->environment, look->service))
        return 0;
    const int found =
        state_moment(settling->txn, &spot, look->environment, look->name_id, settling->rev - 1);
    look->before = found ? SPOT_NONE : (uint8_t)spot.kind;
    return found < 0 ? found : 0;
}

const struct look *settle_find(const struct settling *settling, uint32_t environment,
                               uint64_t name_id)
{
    if (!settling->look_count)
        return NULL;
    const uint32_t at = settling->table[slot_of(settling, environment, name_id)];
    return at ? &settling->looks[at - 1] : NULL;
}

/* Who refers to it was told already, of the causes that were known then. */
static void add_cause(struct settling *settling, struct look *look, size_t index)
{
    if ((look->causes | settling->cause) == look->causes)
        return;
    look->causes |= settling->cause;
    if (index < settling->judged) {
        look->is_late = true;
        settling->late++;
    }
}

int settle_look(struct settling *settling, struct look **out, uint32_t environment,
                uint32_t service, uint64_t name_id, const char *key)
{
    int error = grow_table(settling);
    if (error)
        return error;
    const size_t slot = slot_of(settling, environment, name_id);
    if (settling->table[slot]) {
        *out = &settling->looks[settling->table[slot] - 1];
        add_cause(settling, *out, settling->table[slot] - 1);
        return 0;
    }
    struct look look = {.environment = environment,
                        .service = service,
                        .name_id = name_id,
                        .causes = settling->cause};
    look.key = gather_copy(settling->judge->gather, key, strlen(key));
    if (!look.key)
        return -ERR_NOMEM;
    error = find_before(settling, &look);
    if (!error)
        error = grow_looks(settling);
    if (error)
        return error;
    settling->looks[settling->look_count++] = look;
    settling->table[slot] = (uint32_t)settling->look_count;
    *out = &settling->looks[settling->look_count - 1];
    return 0;
}

/* --- where it is looked at --- */

static int load_environments(struct settling *settling)
{
    struct environment_state state = {0};
    size_t capacity = 0;
    int found;
    while (!(found = state_next_environment(settling->txn, &state, state.is.name))) {
        if (!state.alive)
            continue;
        if (settling->environment_count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            struct known *grown =
                realloc(settling->environments, capacity * sizeof *settling->environments);
            if (!grown)
                return no_memory();
            settling->environments = grown;
        }
        settling->environments[settling->environment_count++] =
            (struct known){.is = state.is, .is_all = strcmp(state.is.name, "all") == 0};
    }
    return found < 0 ? found : 0;
}

const struct known *settle_environment(const struct settling *settling, uint32_t id)
{
    for (size_t i = 0; i < settling->environment_count; i++)
        if (settling->environments[i].is.id == id)
            return &settling->environments[i];
    return NULL;
}

/* Whether an operation bears on the spot in a layer of its environment, or it came with its
 * service.
 */
static bool is_touched(const struct settling *settling, uint32_t environment, uint64_t name_id)
{
    const size_t at =
        settling->table_size ? settling->table[slot_of(settling, environment, name_id)] : 0;
    return at && at <= settling->touched_count;
}

/* What an end brought to light may refer to what ends itself. That is nobody's fault until somebody
 * touches one or the other. */
static int is_old(struct resolver *now, const struct spot *to)
{
    const struct settling *settling = now->judging;
    const struct hop *from = &now->path[now->depth - 1];
    uint64_t name_id;
    if (is_touched(settling, now->environment, to->name_id))
        return 0;
    const int found = state_name_id(now->txn, &name_id, from->service, from->key);
    if (found)
        return found < 0 ? found : 0;
    return !is_touched(settling, now->environment, name_id);
}

struct resolver *settle_now(struct settling *settling, uint32_t environment)
{
    if (!settling->has_now || settling->now.environment != environment) {
        resolver_begin(&settling->now, settling->judge->store, settling->txn, environment,
                       UINT64_MAX);
        settling->now.judges = true;
        settling->now.lasts = !settling->is_expiry;
        /* What is replayed is stored. */
        settling->now.plan = settling->judge->is_replay ? NULL : settling->judge->plan;
        settling->now.plan_rev = settling->rev;
        settling->now.is_old = is_old;
        settling->now.judging = settling;
        settling->has_now = true;
    }
    return &settling->now;
}

struct resolver *settle_then(struct settling *settling, uint32_t environment)
{
    if (!settling->has_then || settling->then.environment != environment) {
        resolver_begin(&settling->then, settling->judge->store, settling->txn, environment,
                       settling->rev - 1);
        settling->has_then = true;
    }
    return &settling->then;
}

size_t settle_place_at(const struct settling *settling, uint32_t environment, uint32_t service)
{
    size_t low = 0, high = settling->place_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct change_of_place *place = &settling->places[middle];
        if (place->environment < environment ||
            (place->environment == environment && place->service < service))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct change_of_place *settle_place(const struct settling *settling, uint32_t environment,
                                     uint32_t service)
{
    const size_t at = settle_place_at(settling, environment, service);
    struct change_of_place *place = at < settling->place_count ? &settling->places[at] : NULL;
    return place && place->environment == environment && place->service == service ? place : NULL;
}

bool settle_is_replaced(const struct settling *settling, uint32_t environment, uint32_t service)
{
    const struct change_of_place *place = settle_place(settling, environment, service);
    return place && place->is_gone && place->is_come;
}

/* --- one after another --- */

/* What is gone was a secret, or not: its watchers are told. */
static int was_secret(struct settling *settling, const struct look *look, bool *is_secret)
{
    struct resolver *then = settle_then(settling, look->environment);
    struct spot spot;
    struct entry entry = {.rev = 0};
    *is_secret = look->before == ENTRY_SECRET;
    if (look->before == ENTRY_PLAIN || look->before == ENTRY_SECRET)
        return 0;
    int found = resolve_find(then, &spot, look->service, look->key);
    if (!found)
        found = resolve(then, &entry, &spot);
    if (!found)
        *is_secret = entry.kind == ENTRY_SECRET;
    return found < 0 ? found : 0;
}

static int judge_gone(struct settling *settling, const struct look *look)
{
    bool is_secret;
    if (look->before == SPOT_NONE)
        return 0;
    int error = was_secret(settling, look, &is_secret);
    if (!error)
        error = settle_tell(settling, look, '-', is_secret, is_secret);
    return error ? error : settle_referrers(settling, look->environment, look->service, look->key);
}

/* An own value needs no other place, and has no fault. */
static bool is_value(const struct spot *spot)
{
    return spot->kind == ENTRY_PLAIN || spot->kind == ENTRY_SECRET;
}

/* What the spot comes to now. RESOLVE_FAULT as of resolve, also for what is too large. */
static int judge_value(struct settling *settling, struct entry *entry, const struct spot *spot)
{
    struct resolver *now = settle_now(settling, spot->environment);
    size_t size;
    if (is_value(spot)) {
        entry->rev = spot->rev;
        entry->kind = (enum entry_kind)spot->kind;
        return 0;
    }
    int found = resolve(now, entry, spot);
    /* How much it comes to may take a key: what was let pass is not asked again. */
    if (found || !entry_is_composed(entry) || (settling->judge->is_replay && !settling->is_expiry))
        return found;
    found = resolve_size(now, &size, entry);
    /* What was destroyed since had no more to say of it (its value was walked over before). */
    if (settling->judge->is_replay && (found == -ERR_PURGED || found == -ERR_CORRUPT))
        return 0;
    return found == -ERR_NO_KEY ? 0 : found; /* told by nobody here */
}

struct objecting { /* to each fault of a spot */
    struct settling *settling;
    const struct look *look;
    struct hop last; /* what was objected to last */
    bool is_dear;    /* that it costs too many look-ups was told */
};

static int object(struct resolver *resolver)
{
    struct objecting *objecting = resolver->arg;
    const struct hop *target = &resolver->target, *last = &objecting->last;
    if (strcmp(target->name, last->name) == 0 && strcmp(target->key, last->key) == 0)
        return 0; /* a template may name it twice */
    if (resolver->fault == FAULT_LOOKUPS) {
        if (objecting->is_dear)
            return 0; /* so is all that follows */
        objecting->is_dear = true;
    }
    objecting->last = *target;
    return settle_refuse(objecting->settling, objecting->look, resolver);
}

/* What can't be shown is refused, each reference of it by itself. What ends is not: then nothing is
 * shown. */
static int judge_fault(struct settling *settling, const struct look *look, const struct spot *spot)
{
    struct objecting objecting = {.settling = settling, .look = look};
    struct resolver *now = settle_now(settling, look->environment);
    struct entry entry;
    int found;
    if (settling->is_expiry) {
        if (spot_is_own(spot))
            return 0;
        found = settle_vanish(settling, look);
        return found ? found : judge_gone(settling, look);
    }
    if (now->fault == FAULT_LARGE) {
        found = settle_refuse(settling, look, now);
    } else {
        now->met = object;
        now->arg = &objecting;
        found = resolve(now, &entry, spot);
        now->met = NULL;
    }
    /* It would be seen, too: so locks and protection are asked as well. */
    if (found >= 0)
        found = settle_tell(settling, look, '~', false, false);
    return found < 0 ? found
                     : settle_referrers(settling, look->environment, look->service, look->key);
}

static int judge_spot(struct settling *settling, const struct look *look, const struct spot *spot)
{
    struct entry entry;
    int found = judge_value(settling, &entry, spot);
    if (found < 0)
        return found;
    if (found)
        return judge_fault(settling, look, spot);
    /* In a directory that went and came again, everything did. */
    const bool is_replaced =
        look->before != SPOT_NONE && settle_is_replaced(settling, look->environment, look->service);
    const bool changed = entry.rev == settling->rev || is_replaced;
    bool was = false;
    if (is_replaced)
        found = was_secret(settling, look, &was);
    if (!found && changed)
        found = settle_tell(settling, look, look->before == SPOT_NONE ? '+' : '~',
                            entry.kind == ENTRY_SECRET, was);
    /* Also where nothing changed: the way to the value may have become too long for who refers. */
    if (!found && look->before != SPOT_NONE)
        found = settle_referrers(settling, look->environment, look->service, look->key);
    return found;
}

/* In `all` what was set is told as it was set. */
static int judge_text(struct settling *settling, const struct look *look, const struct spot *spot)
{
    if (!look->step || spot->rev != settling->rev)
        return 0;
    return settle_tell(settling, look, look->before == SPOT_NONE ? '+' : '~', false, false);
}

static enum operation_kind step_of(const struct settling *settling, const struct look *look)
{
    return settling->judge->plan->steps[look->step - 1].operation.kind;
}

/* A value where nothing was in effect before: it needs no other place, nothing in effect refers to
 * it but what is looked at by itself, and its record is as it was applied. So loads cost by what
 * they bring. */
bool settle_is_fresh(const struct settling *settling, const struct look *look)
{
    return look->step && look->before == SPOT_NONE &&
           (step_of(settling, look) == OPERATION_SET_PLAIN ||
            step_of(settling, look) == OPERATION_SET_SECRET);
}

static int judge_look(struct settling *settling, size_t index)
{
    const struct look look = settling->looks[index]; /* the list grows meanwhile */
    settling->judged = index + 1;
    settling->cause = look.causes;
    if (look.environment & LAYER_OF_DEFAULTS)
        return 0; /* nobody reads there */
    if (settle_is_fresh(settling, &look))
        return settle_tell(settling, &look, '+', step_of(settling, &look) == OPERATION_SET_SECRET,
                           false);
    const struct known *environment = settle_environment(settling, look.environment);
    struct spot spot;
    const int found = state_current(settling->txn, &spot, look.environment, look.service, look.key);
    if (found < 0)
        return found;
    if (found || !environment)
        return judge_gone(settling, &look);
    return environment->is_all ? judge_text(settling, &look, &spot)
                               : judge_spot(settling, &look, &spot);
}

/* Who refers to a spot that learned of a cause later learns of it too. */
static int spread_late(struct settling *settling)
{
    int error = 0;
    while (settling->late && !error) {
        settling->late = 0;
        for (size_t i = 0; i < settling->look_count && !error; i++) {
            const struct look look = settling->looks[i];
            if (!look.is_late)
                continue;
            settling->looks[i].is_late = false;
            settling->cause = look.causes;
            error = settle_referrers(settling, look.environment, look.service, look.key);
        }
    }
    return error;
}

static int each(struct settling *settling, int (*step)(struct settling *, struct look *))
{
    int error = 0;
    for (size_t i = 0; i < settling->look_count && !error; i++)
        error = step(settling, &settling->looks[i]);
    return error;
}

static int references_of(struct settling *settling, struct look *look)
{
    return look->step ? settle_references(settling, look) : 0;
}

static int begin(struct settling *settling)
{
    uint64_t count = 0;
    settling->is_expiry = settling->judge->is_due;
    int error = txn_count(settling->txn, &count, DB_LOCK);
    settling->has_locks = count > 0;
    if (!error)
        error = txn_count(settling->txn, &count, DB_SCHEMA);
    settling->has_schemas = count > 0 || settling->judge->schema_count > 0;
    return error ? error : load_environments(settling);
}

static int settle_all(struct settling *settling)
{
    uint64_t references = 0;
    int error = begin(settling);
    if (!error)
        error = settle_collect(settling);
    settling->touched_count = settling->look_count;
    if (!error)
        error = each(settling, references_of);
    if (!error)
        error = txn_count(settling->txn, &references, DB_REFERENCE);
    settling->has_references = references > 0;
    if (!error)
        error = each(settling, settle_record);
    if (!error)
        error = each(settling, settle_same);
    if (!error)
        error = settle_collect_relations(settling);
    for (size_t i = 0; i < settling->look_count && !error; i++)
        error = judge_look(settling, i);
    if (!error)
        error = spread_late(settling);
    if (!error)
        error = settle_tell_places(settling);
    if (!error && !settling->judge->is_replay)
        error = settle_schemas(settling);
    if (!error && !settling->judge->code && !settling->judge->is_replay)
        error = settle_consumers(settling);
    if (!error && !settling->judge->is_replay)
        error = settle_guard(settling); /* of the keys that were just wrapped, too */
    return error || settling->judge->code ? error : settle_write(settling);
}

int settle(struct judge *judge)
{
    struct settling settling = {.judge = judge,
                                .txn = judge->index->txn,
                                .rev = judge->index->rev,
                                .time = judge->index->time};
    if (!judge->plan->count)
        return 0;
    const int error = settle_all(&settling);
    judge->seen = settling.outcome_count;
    free(settling.environments);
    free(settling.looks);
    free(settling.table);
    free(settling.places);
    free(settling.schema_steps);
    free(settling.outcomes);
    return error;
}
