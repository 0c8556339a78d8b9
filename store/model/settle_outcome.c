/* What readers see otherwise since a commit: gathered, brought into order, written. */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/model/settle_internal.h"

int settle_add(struct settling *settling, const struct outcome *outcome)
{
    if (settling->outcome_count == COMMIT_OUTCOMES_MAX)
        return error_set(ERR_REFUSED, "the change would be seen in more than %u places; split it",
                         COMMIT_OUTCOMES_MAX);
    if (settling->outcome_count == settling->outcome_capacity) {
        const size_t capacity = settling->outcome_capacity ? settling->outcome_capacity * 2 : 32;
        struct outcome *grown = realloc(settling->outcomes, capacity * sizeof *settling->outcomes);
        if (!grown)
            return error_set(ERR_NOMEM, "no memory to settle a change");
        settling->outcomes = grown;
        settling->outcome_capacity = capacity;
    }
    settling->outcomes[settling->outcome_count++] = *outcome;
    return 0;
}

/* The incarnation of a service that lives, or, where it went by this commit, the one that it had.
 */
static int find_incarnation(struct settling *settling, const struct look *look, uint16_t *out)
{
    struct place_state place;
    char name[SERVICE_NAME_MAX + 1];
    if (settling->told_environment != look->environment ||
        settling->told_service != look->service) {
        int found = state_service_name(settling->txn, name, look->service);
        if (!found)
            found = state_place(settling->txn, &place, look->environment, name);
        if (found)
            return found < 0 ? found : error_set(ERR_CORRUPT, "a key's service is not there");
        settling->told_environment = look->environment;
        settling->told_service = look->service;
        settling->told_incarnation = place.is.incarnation;
    }
    *out = settling->told_incarnation;
    return 0;
}

int settle_tell(struct settling *settling, const struct look *look, char mark, bool is_secret,
                bool was_secret)
{
    struct outcome outcome = {.rev = settling->rev,
                              .kind = OUTCOME_KEY,
                              .mark = mark,
                              .is_secret = is_secret,
                              .environment = look->environment,
                              .service = look->service,
                              .name_id = look->name_id};
    const struct change_of_place *place = settle_place(settling, look->environment, look->service);
    int error = find_incarnation(settling, look, &outcome.incarnation);
    if (error)
        return error;
    if (mark == '-' && place && place->is_gone)
        outcome.incarnation = place->gone; /* also where another one came, and went as well */
    if (place && place->is_gone && place->is_come && look->before != SPOT_NONE) {
        /* the one of the service that went, and the one of the service that came */
        struct outcome gone = outcome;
        gone.mark = '-';
        gone.is_secret = was_secret;
        gone.incarnation = place->gone;
        error = settle_add(settling, &gone);
        if (error || mark == '-')
            return error;
        outcome.mark = '+';
    }
    return settle_add(settling, &outcome);
}

static int tell_service(struct settling *settling, const struct change_of_place *place)
{
    struct outcome outcome = {.rev = settling->rev,
                              .kind = OUTCOME_SERVICE,
                              .environment = place->environment,
                              .service = place->service};
    int error = 0;
    if (place->is_gone) {
        outcome.mark = '-';
        outcome.incarnation = place->gone;
        error = settle_add(settling, &outcome);
    }
    if (!error && place->is_come) {
        outcome.mark = '+';
        outcome.incarnation = place->come;
        error = settle_add(settling, &outcome);
    }
    return error;
}

/* Whether an environment came by this commit: one that went again is nobody's news. */
static bool is_made_here(const struct settling *settling, uint32_t environment)
{
    const struct plan *plan = settling->judge->plan;
    for (size_t i = 0; i < plan->count; i++)
        if (plan->steps[i].operation.kind == OPERATION_ENVIRONMENT_ADD &&
            plan->steps[i].operation.environment == environment)
            return true;
    return false;
}

static int tell_environment(struct settling *settling, const struct operation *operation)
{
    const uint32_t id = operation->environment;
    struct outcome outcome = {.rev = settling->rev, .kind = OUTCOME_ENVIRONMENT, .environment = id};
    const bool is_there = settle_environment(settling, id) != NULL;
    if (operation->kind == OPERATION_ENVIRONMENT_ADD && is_there)
        outcome.mark = '+';
    else if (operation->kind == OPERATION_ENVIRONMENT_REMOVE && !is_made_here(settling, id))
        outcome.mark = '-';
    return outcome.mark ? settle_add(settling, &outcome) : 0;
}

int settle_tell_places(struct settling *settling)
{
    const struct plan *plan = settling->judge->plan;
    int error = 0;
    for (size_t i = 0; i < plan->count && !error; i++)
        error = tell_environment(settling, &plan->steps[i].operation);
    for (size_t i = 0; i < settling->place_count && !error; i++)
        error = tell_service(settling, &settling->places[i]);
    return error;
}

#define ORDER(a, b)                                                                                \
    do {                                                                                           \
        if ((a) != (b))                                                                            \
            return (a) < (b) ? -1 : 1;                                                             \
    } while (0)

static int by_place(const void *a, const void *b)
{
    const struct outcome *one = a, *two = b;
    ORDER(one->environment, two->environment);
    ORDER(one->service, two->service);
    ORDER(one->name_id, two->name_id);
    ORDER(two->mark == '-', one->mark == '-');
    ORDER(one->incarnation, two->incarnation);
    return 0;
}

/* The service of a key's outcome changed; where its names did, its list too. So did an
 * environment's with a service's: only what comes and goes for readers is told to kernels, which
 * keep the times of lists. */
static int touch(struct settling *settling, const struct outcome *outcome)
{
    if (outcome->kind == OUTCOME_ENVIRONMENT)
        return 0;
    const uint32_t service = outcome->kind == OUTCOME_KEY ? outcome->service : 0;
    return index_touch(settling->judge->index, outcome->environment, service, outcome->mark != '~');
}

int settle_write(struct settling *settling)
{
    const size_t count = settling->outcome_count;
    int error = 0;
    if (count)
        qsort(settling->outcomes, count, sizeof *settling->outcomes, by_place);
    for (size_t i = 0; i < count && !error; i++)
        error = touch(settling, &settling->outcomes[i]);
    for (size_t at = 0; at < count && !error; at += OUTCOMES_A_CHUNK) {
        const size_t left = count - at;
        state_put_outcomes(settling->txn, settling->outcomes + at,
                           left < OUTCOMES_A_CHUNK ? left : OUTCOMES_A_CHUNK, settling->rev,
                           (uint32_t)(at / OUTCOMES_A_CHUNK));
    }
    return error ? error : txn_error(settling->txn);
}
