#include "tests/support/store/reference.h"

#include <string.h>

#include "store/error.h"
#include "tests/support/store/trial.h"

const char *const reference_environments[] = {"ci", "dev", "dev-2", "dev.x", "prod"};
const char *const reference_services[] = {"api", "api-v2", "api.x", "api0", "db", "web"};
const char *const reference_keys[] = {".x", "0", "A", "A-B", "A.B", "AA", "A_B", "a"};

enum path_depth reference_depth(enum reference_verb verb)
{
    switch (verb) {
    case WISH_ENVIRONMENT_ADD:
    case WISH_ENVIRONMENT_REMOVE:
    case WISH_CLEAR_ENVIRONMENT:
        return PATH_ENVIRONMENT;
    case WISH_SERVICE_ADD:
    case WISH_SERVICE_REMOVE:
    case WISH_CLEAR_SERVICE:
        return PATH_SERVICE;
    default:
        return PATH_KEY;
    }
}

struct path reference_path(const struct reference_wish *wish, enum path_depth depth)
{
    struct path path;
    MUST_DO(path_make(&path,
                      depth >= PATH_ENVIRONMENT ? reference_environments[wish->environment] : NULL,
                      depth >= PATH_SERVICE ? reference_services[wish->service] : NULL,
                      depth >= PATH_KEY ? reference_keys[wish->key] : NULL));
    return path;
}

/* One wish being applied. */
struct step {
    struct reference_outcome *outcome;
    const struct reference_wish *wish;
    uint64_t rev; /* of the change */
    struct reference_environment *environment;
    struct reference_service *service;
    struct reference_key *key;
};

static void refuse(struct step *step, enum error_code code)
{
    if (!step->outcome->error)
        step->outcome->error = -(int)code;
}

static void line(struct step *step, char mark, bool secret, uint64_t was_rev, enum path_depth depth)
{
    struct reference_outcome *outcome = step->outcome;
    MUST(outcome->line_count < REFERENCE_OPERATIONS_MAX, "too many lines");
    outcome->lines[outcome->line_count++] =
        (struct reference_line){.path = reference_path(step->wish, depth),
                                .mark = mark,
                                .secret = secret,
                                .was_rev = was_rev};
}

static void operation(struct step *step, enum operation_kind kind, bool first)
{
    struct reference_outcome *outcome = step->outcome;
    MUST(outcome->operation_count < REFERENCE_OPERATIONS_MAX, "too many operations");
    outcome->operations[outcome->operation_count++] =
        (struct reference_operation){.kind = kind,
                                     .first = first,
                                     .life = step->environment->life,
                                     .environment = step->wish->environment,
                                     .service = step->wish->service,
                                     .key = step->wish->key};
    step->environment->changed_rev = step->rev;
}

static void add_environment(struct step *step, unsigned *lives)
{
    struct reference_environment *environment = step->environment;
    if (environment->alive) {
        line(step, '=', false, environment->changed_rev, PATH_ENVIRONMENT);
        return;
    }
    const bool again = environment->life != 0;
    *environment = (struct reference_environment){.alive = true,
                                                  .life = ++*lives,
                                                  .again = again,
                                                  .made_rev = step->rev,
                                                  .listed_rev = step->rev};
    operation(step, OPERATION_ENVIRONMENT_ADD, true);
    line(step, '+', false, 0, PATH_ENVIRONMENT);
}

static void remove_environment(struct step *step)
{
    struct reference_environment *environment = step->environment;
    if (!environment->alive) {
        refuse(step, ERR_NOT_FOUND);
        return;
    }
    for (unsigned i = 0; i < REFERENCE_SERVICES; i++) {
        if (environment->services[i].alive) {
            refuse(step, ERR_REFUSED);
            return;
        }
    }
    const uint64_t was = environment->changed_rev;
    environment->alive = false;
    operation(step, OPERATION_ENVIRONMENT_REMOVE, false);
    line(step, '-', false, was, PATH_ENVIRONMENT);
}

static void place_service(struct step *step)
{
    struct reference_service *service = step->service;
    const unsigned incarnation = service->known ? service->incarnation + 1 : 0;
    struct reference_key gone[REFERENCE_KEYS]; /* --if-rev still asks when they went */
    memcpy(gone, service->keys, sizeof(gone));
    struct reference_service placed = {.alive = true,
                                       .known = true,
                                       .incarnation = incarnation,
                                       .made_rev = step->rev,
                                       .changed_rev = step->rev,
                                       .listed_rev = step->rev};
    /* When its keys were removed is not forgotten: --if-rev asks for it. */
    for (unsigned i = 0; i < REFERENCE_KEYS; i++)
        placed.keys[i].rev = service->keys[i].rev;
    *service = placed;
    memcpy(service->keys, gone, sizeof(gone));
    operation(step, OPERATION_SERVICE_ADD, true);
    line(step, '+', false, 0, PATH_SERVICE);
}

static void add_service(struct step *step)
{
    if (!step->environment->alive)
        refuse(step, ERR_NOT_FOUND);
    else if (step->service->alive)
        line(step, '=', false, step->service->changed_rev, PATH_SERVICE);
    else
        place_service(step);
}

static void remove_service(struct step *step)
{
    struct reference_service *service = step->service;
    if (!step->environment->alive || !service->alive) {
        refuse(step, ERR_NOT_FOUND);
        return;
    }
    for (unsigned i = 0; i < REFERENCE_KEYS; i++) {
        if (service->keys[i].alive) {
            refuse(step, ERR_REFUSED);
            return;
        }
    }
    const uint64_t was = service->changed_rev;
    service->alive = false;
    service->changed_rev = step->rev;
    operation(step, OPERATION_SERVICE_REMOVE, false);
    line(step, '-', false, was, PATH_SERVICE);
}

static void set_key(struct step *step, bool secret)
{
    struct reference_key *key = step->key;
    if (!step->environment->alive) {
        refuse(step, ERR_NOT_FOUND);
        return;
    }
    if (!step->service->alive)
        place_service(step);
    if (key->alive && key->secret && !secret) {
        refuse(step, ERR_REFUSED);
        return;
    }
    if (key->alive && key->secret == secret && key->number == step->wish->number) {
        line(step, '=', secret, key->rev, PATH_KEY);
        return;
    }
    const bool first = !key->alive;
    const uint64_t was = first ? 0 : key->rev;
    if (first) {
        *key = (struct reference_key){.alive = true, .first_rev = step->rev};
    }
    key->secret = secret;
    key->number = step->wish->number;
    key->rev = step->rev;
    step->service->changed_rev = step->rev;
    operation(step, secret ? OPERATION_SET_SECRET : OPERATION_SET_PLAIN, first);
    line(step, first ? '+' : '~', secret, was, PATH_KEY);
}

static void remove_key(struct step *step)
{
    struct reference_key *key = step->key;
    if (!step->environment->alive || !step->service->alive || !key->alive) {
        refuse(step, ERR_NOT_FOUND);
        return;
    }
    line(step, '-', key->secret, key->rev, PATH_KEY);
    *key = (struct reference_key){.rev = step->rev};
    step->service->changed_rev = step->rev;
    operation(step, OPERATION_REMOVE, false);
}

/* Removes the keys of one service, in order, and then itself. */
static void clear_service(const struct step *step, unsigned service)
{
    struct reference_wish wish = *step->wish;
    struct step one = *step;
    one.wish = &wish;
    wish.service = service;
    one.service = &step->environment->services[service];
    for (wish.key = 0; wish.key < REFERENCE_KEYS; wish.key++) {
        one.key = &one.service->keys[wish.key];
        if (one.key->alive)
            remove_key(&one);
    }
    remove_service(&one);
}

static void clear_environment(struct step *step)
{
    for (unsigned i = 0; step->environment->alive && i < REFERENCE_SERVICES; i++)
        if (step->environment->services[i].alive)
            clear_service(step, i);
    remove_environment(step);
}

static void apply(struct step *step, unsigned *lives)
{
    switch (step->wish->verb) {
    case WISH_ENVIRONMENT_ADD:
        add_environment(step, lives);
        break;
    case WISH_ENVIRONMENT_REMOVE:
        remove_environment(step);
        break;
    case WISH_SERVICE_ADD:
        add_service(step);
        break;
    case WISH_SERVICE_REMOVE:
        remove_service(step);
        break;
    case WISH_REMOVE:
        remove_key(step);
        break;
    case WISH_CLEAR_SERVICE:
        clear_service(step, step->wish->service);
        break;
    case WISH_CLEAR_ENVIRONMENT:
        clear_environment(step);
        break;
    case WISH_SET_PLAIN:
    case WISH_SET_SECRET:
        set_key(step, step->wish->verb == WISH_SET_SECRET);
        break;
    }
}

/* What the change is when it is whole: a service's list is of this revision where its names are
 * others (as an environment's is where its services are), a key that was removed and made again was
 * there all the time, one whose value is what it was did not change, and one that was there neither
 * before nor is now was not touched. */
static void settle_key(struct reference_service *service, const struct reference_service *before,
                       unsigned key, uint64_t rev)
{
    struct reference_key *is = &service->keys[key];
    const struct reference_key *was = &before->keys[key];
    if (is->alive != was->alive)
        service->listed_rev = rev;
    if (!is->alive && !was->alive)
        is->rev = was->rev;
    is->since = is->rev == rev ? rev : was->since;
    if (!is->alive || !was->alive)
        return;
    is->first_rev = was->first_rev;
    if (is->number == was->number && is->secret == was->secret)
        is->rev = was->rev;
}

static bool is_another(const struct reference_service *is, const struct reference_service *was)
{
    return is->alive != was->alive || (is->alive && is->incarnation != was->incarnation);
}

static void settle(struct reference *reference, const struct reference *before)
{
    static const struct reference_service nothing;
    const uint64_t rev = reference->rev + 1;
    for (unsigned e = 0; e < REFERENCE_ENVIRONMENTS; e++) {
        struct reference_environment *is = &reference->environments[e];
        const struct reference_environment *was = &before->environments[e];
        for (unsigned s = 0; s < REFERENCE_SERVICES; s++) {
            /* what is made again has nothing of what was there before */
            const struct reference_service *had =
                is->life == was->life ? &was->services[s] : &nothing;
            if (is_another(&is->services[s], had))
                is->listed_rev = rev;
            for (unsigned k = 0; k < REFERENCE_KEYS; k++)
                settle_key(&is->services[s], had, k, rev);
        }
    }
}

static void find_undone(const struct reference *reference, const struct reference *before,
                        struct reference_outcome *outcome)
{
    for (size_t i = 0; i < outcome->operation_count; i++) {
        struct reference_operation *done = &outcome->operations[i];
        const struct reference_environment *is = &reference->environments[done->environment];
        const struct reference_environment *was = &before->environments[done->environment];
        done->is_undone = done->kind < OPERATION_ENVIRONMENT_ADD &&
                          !is->services[done->service].keys[done->key].alive &&
                          !was->services[done->service].keys[done->key].alive;
    }
}

void reference_apply(struct reference *reference, struct reference_outcome *outcome,
                     const struct reference_wish wishes[], size_t count)
{
    static struct reference before;
    before = *reference;
    outcome->error = 0;
    outcome->line_count = outcome->operation_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct reference_environment *environment = &reference->environments[wishes[i].environment];
        struct reference_service *service = &environment->services[wishes[i].service];
        struct step step = {.outcome = outcome,
                            .wish = &wishes[i],
                            .rev = reference->rev + 1,
                            .environment = environment,
                            .service = service,
                            .key = &service->keys[wishes[i].key]};
        apply(&step, &reference->lives);
    }
    settle(reference, &before);
    find_undone(reference, &before, outcome);
}

uint64_t reference_changed(const struct reference *reference, unsigned depth,
                           const struct reference_wish *place)
{
    const struct reference_environment *environment = &reference->environments[place->environment];
    const struct reference_service *service = &environment->services[place->service];
    if (depth == PATH_ROOT)
        return reference->rev;
    if (depth == PATH_ENVIRONMENT || !environment->alive)
        return environment->changed_rev;
    const uint64_t least = environment->again ? environment->made_rev : 0;
    const uint64_t changed =
        depth == PATH_SERVICE ? service->changed_rev : service->keys[place->key].since;
    return changed > least ? changed : least;
}
