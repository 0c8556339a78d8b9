#include "store/model/nearest.h"

#include <string.h>

#include "store/log/state.h"
#include "store/name.h"

/* Further than this many half edits is not near; nor is what differs in a third of its letters. */
#define NEAR_MAX 6
#define NAMES_BYTES_MAX ((size_t)1 << 30)
/* name_resembles allows two edits; each changes at most two letters of the set. */
#define LETTERS_APART_MAX 4
#define LENGTH_APART_MAX 2

static unsigned near_limit(const char *name)
{
    const unsigned third = (unsigned)((strlen(name) + 1) * 2 / 3);
    return third < 2 ? 2 : third > NEAR_MAX ? NEAR_MAX : third;
}

/* Keeps candidate in out if it is nearer than what was found before. */
static void consider(char *out, unsigned *best, const char *name, const char *candidate)
{
    const unsigned distance = name_distance(name, candidate, *best);
    if (distance < *best) {
        *best = distance;
        memcpy(out, candidate, strlen(candidate) + 1);
    }
}

int nearest_environment(struct txn *txn, char out[static ENVIRONMENT_NAME_MAX + 1],
                        const char *name)
{
    struct environment_state state = {0};
    const unsigned limit = near_limit(name) + 1;
    unsigned best = limit;
    int found;
    while (!(found = state_next_environment(txn, &state, state.is.name)))
        if (state.alive)
            consider(out, &best, name, state.is.name);
    return found < 0 ? found : best < limit ? 0 : NOT_THERE;
}

int nearest_service(struct txn *txn, char out[static SERVICE_NAME_MAX + 1], uint32_t environment,
                    const char *name)
{
    struct place_state state = {0};
    const unsigned limit = near_limit(name) + 1;
    unsigned best = limit;
    int found;
    while (!(found = state_next_place(txn, &state, environment, state.is.name)))
        if (state.alive)
            consider(out, &best, name, state.is.name);
    return found < 0 ? found : best < limit ? 0 : NOT_THERE;
}

int nearest_key(struct txn *txn, char out[static KEY_NAME_MAX + 1], uint32_t environment,
                uint32_t service, const char *name)
{
    struct spot entry = {0};
    const unsigned limit = near_limit(name) + 1;
    unsigned best = limit;
    int found;
    while (!(found = state_next_current(txn, &entry, environment, service, entry.key)))
        consider(out, &best, name, entry.key);
    return found < 0 ? found : best < limit ? 0 : NOT_THERE;
}

/* Which letters, digits and signs a name has, without case: 26 + 10 + 3 bits. */
static uint64_t letters(const char *name)
{
    uint64_t set = 0;
    for (; *name; name++) {
        const unsigned char c = (unsigned char)*name;
        if (c >= 'a' && c <= 'z')
            set |= UINT64_C(1) << (c - 'a');
        else if (c >= 'A' && c <= 'Z')
            set |= UINT64_C(1) << (c - 'A');
        else if (c >= '0' && c <= '9')
            set |= UINT64_C(1) << (26 + c - '0');
        else
            set |= UINT64_C(1) << (c == '.' ? 36 : c == '-' ? 37 : 38);
    }
    return set;
}

static int read_services(struct nearest *nearest, struct txn *txn, uint32_t environment)
{
    struct place_state state = {0};
    int found;
    bytes_reset(&nearest->names);
    bytes_reset(&nearest->sums);
    nearest->names.limit = nearest->sums.limit = NAMES_BYTES_MAX;
    nearest->environment = environment;
    while (!(found = state_next_place(txn, &state, environment, state.is.name))) {
        if (!state.alive)
            continue;
        const uint64_t sum = letters(state.is.name);
        bytes_append(&nearest->names, state.is.name, strlen(state.is.name) + 1);
        bytes_append(&nearest->sums, &sum, sizeof sum);
    }
    if (found < 0)
        return found;
    return nearest->names.error ? nearest->names.error : nearest->sums.error;
}

int nearest_misspelt(struct nearest *nearest, struct txn *txn,
                     char out[static SERVICE_NAME_MAX + 1], uint32_t environment, const char *name)
{
    const uint64_t sum = letters(name);
    const size_t length = strlen(name);
    if (nearest->environment != environment) {
        const int error = read_services(nearest, txn, environment);
        if (error)
            return error;
    }
    const char *known = (const char *)nearest->names.data;
    for (size_t i = 0; i < nearest->sums.size / sizeof sum; i++) {
        uint64_t other;
        memcpy(&other, nearest->sums.data + i * sizeof other, sizeof other);
        const size_t size = strlen(known);
        const size_t apart = size > length ? size - length : length - size;
        /* A cheap question first: there may be ten thousand. */
        if (apart <= LENGTH_APART_MAX && __builtin_popcountll(sum ^ other) <= LETTERS_APART_MAX &&
            name_resembles(name, known)) {
            memcpy(out, known, size + 1);
            return 0;
        }
        known += size + 1;
    }
    return NOT_THERE;
}

void nearest_release(struct nearest *nearest)
{
    bytes_release(&nearest->names);
    bytes_release(&nearest->sums);
    nearest->environment = 0;
}
