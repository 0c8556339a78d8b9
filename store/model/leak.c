#include "store/model/leak.h"

#include <string.h>

#include "store/error.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"

#define LABEL_MAX 63u
#define HOST_MAX 253u

/* --- which values are looked at --- */

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(unsigned char c)
{
    return c >= 'a' && c <= 'z';
}

/* Where the run of digits and dots from at ends; there is a digit in it, else 0. */
static size_t digits_end(const unsigned char *text, size_t at, size_t size)
{
    bool has_digit = false;
    for (; at < size && (is_digit(text[at]) || text[at] == '.'); at++)
        has_digit |= text[at] != '.';
    return has_digit ? at : 0;
}

static size_t after_sign(const unsigned char *text, size_t at, size_t size)
{
    return at < size && (text[at] == '-' || text[at] == '+') ? at + 1 : at;
}

static bool is_number(const unsigned char *text, size_t size)
{
    size_t at = digits_end(text, after_sign(text, 0, size), size);
    if (at && at < size && (text[at] == 'e' || text[at] == 'E'))
        at = digits_end(text, after_sign(text, at + 1, size), size);
    return at && at == size;
}

static bool is_word(const unsigned char *text, size_t size)
{
    size_t at = 0;
    while (at < size && is_lower(text[at]))
        at++;
    return at == size;
}

/* Where the label from at ends; at itself: there is none. */
static size_t label_end(const unsigned char *text, size_t at, size_t size)
{
    size_t end = at;
    while (end < size && (is_lower(text[end]) || is_digit(text[end]) || text[end] == '-'))
        end++;
    const bool fits = end > at && end - at <= LABEL_MAX && text[at] != '-' && text[end - 1] != '-';
    return fits ? end : at;
}

static bool is_host(const unsigned char *text, size_t size)
{
    size_t last = 0, end = label_end(text, 0, size);
    if (size > HOST_MAX)
        return false;
    while (end > last && end < size && text[end] == '.') {
        last = end + 1;
        end = label_end(text, last, size);
    }
    return last > 0 && end > last && end == size && is_lower(text[last]);
}

bool leak_is_telling(const void *value, size_t size)
{
    const size_t length = fingerprint_covers(value, size);
    return length >= LEAK_LEAST && !is_number(value, length) && !is_word(value, length) &&
           !is_host(value, length);
}

/* --- who has which --- */

int leak_forget(struct txn *txn, uint32_t environment, uint64_t name_id)
{
    struct state_leak leak = {.environment = environment, .name_id = name_id};
    const int found = state_leak(txn, &leak);
    if (!found)
        state_delete_leak(txn, &leak);
    return found < 0 ? found : txn_error(txn);
}

int leak_note(struct txn *txn, uint32_t environment, uint64_t name_id,
              const uint8_t fingerprint[static FINGERPRINT_SIZE])
{
    struct state_leak leak = {.environment = environment, .name_id = name_id};
    const int error = leak_forget(txn, environment, name_id);
    if (error)
        return error;
    memcpy(leak.fingerprint, fingerprint, FINGERPRINT_SIZE);
    state_put_leak(txn, &leak);
    return txn_error(txn);
}

int leak_find(struct txn *txn, uint32_t *environment, uint64_t *name_id,
              const uint8_t fingerprint[static FINGERPRINT_SIZE])
{
    struct state_leak leak = {.environment = *environment, .name_id = *name_id};
    memcpy(leak.fingerprint, fingerprint, FINGERPRINT_SIZE);
    const int found = state_next_leak(txn, &leak);
    if (found)
        return found;
    *environment = leak.environment;
    *name_id = leak.name_id;
    return 0;
}

/* --- the verdict --- */

/* What all of a family have in common: the base, or the environment that has none. */
static int family_of(struct txn *txn, uint32_t *family, uint32_t environment)
{
    uint32_t base;
    const int found = state_environment_base(txn, &base, environment);
    if (found)
        return found > 0 ? error_set(ERR_CORRUPT, "environment %u is not there", environment)
                         : found;
    *family = base ? base : environment;
    return 0;
}

/* The walk of those who have the value's fingerprint. Of a family one place is enough, so that a
 * value which a thousand of its keys have takes one step. */
static int search(struct txn *txn, struct leak_verdict *verdict, uint32_t environment,
                  uint64_t name_id, bool is_secret)
{
    uint32_t family = 0, other, at = 0;
    uint64_t name = 0;
    int found = 0;
    while (!found && !(found = leak_find(txn, &at, &name, verdict->fingerprint))) {
        if (at == environment && name == name_id)
            continue;
        if (!family) /* most values are nobody's, and cost no look at environments */
            found = family_of(txn, &family, environment);
        if (!found)
            found = family_of(txn, &other, at);
        if (found)
            return found;
        const bool is_elsewhere = other != family;
        if (is_elsewhere || (!is_secret && verdict->which == LEAK_NONE)) {
            verdict->which = is_elsewhere ? LEAK_ELSEWHERE : LEAK_PLAIN;
            verdict->environment = at;
            verdict->name_id = name;
        }
        if (is_elsewhere)
            return 0;
        name = UINT64_MAX; /* on to the next environment */
    }
    return found < 0 ? found : 0;
}

/* Whether the value's fingerprint is wanted: where there is none yet, a plain value meets none. */
static int is_wanted(struct txn *txn, bool *wanted, const struct leak_value *value)
{
    uint64_t count = 1;
    *wanted = leak_is_telling(value->data, value->size);
    const int error = *wanted && !value->is_secret ? txn_count(txn, &count, DB_LEAK) : 0;
    *wanted &= count > 0;
    return error;
}

int leak_judge(struct store *store, struct txn *txn, struct leak_verdict *out, uint32_t environment,
               uint64_t name_id, const struct leak_value *value)
{
    struct leak_verdict verdict = {.which = LEAK_NONE};
    bool wanted;
    int error = is_wanted(txn, &wanted, value);
    if (!error && wanted) {
        error =
            keyring_fingerprint(store->keyring, txn, verdict.fingerprint, value->data, value->size);
        verdict.has_fingerprint = !error;
        if (!error)
            error = search(txn, &verdict, environment, name_id, value->is_secret);
    }
    if (!error)
        *out = verdict;
    return error;
}

/* Whether a definition is what is set at its place now: 0, or NOT_THERE. */
static int check_set(struct txn *txn, const struct definition *definition)
{
    struct spot spot;
    int found = state_moment(txn, &spot, definition->environment, definition->name_id, UINT64_MAX);
    if (!found &&
        (spot.kind != ENTRY_SECRET || spot.since != definition->rev || spot.op != definition->op))
        found = NOT_THERE;
    return found;
}

/* The fingerprint of a definition that is what is set at its place now. NOT_THERE: it has none. */
static int fingerprint_of(struct txn *txn, struct state_leak *out,
                          const struct definition *definition, bool is_set)
{
    const int found = is_set ? 0 : check_set(txn, definition);
    *out =
        (struct state_leak){.environment = definition->environment, .name_id = definition->name_id};
    return found ? found : state_leak(txn, out);
}

int leak_differ(struct txn *txn, const struct definition *a, const struct definition *b,
                bool are_set)
{
    struct state_leak one, other;
    if (a->kind != ENTRY_SECRET || b->kind != ENTRY_SECRET)
        return 0;
    int found = fingerprint_of(txn, &one, a, are_set);
    if (!found)
        found = fingerprint_of(txn, &other, b, are_set);
    if (found)
        return found < 0 ? found : 0;
    return memcmp(one.fingerprint, other.fingerprint, FINGERPRINT_SIZE) != 0;
}
