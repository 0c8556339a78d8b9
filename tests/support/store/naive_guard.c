/* The leak guard, the slow way: a value against every secret that there is. */
#include <string.h>

#include "tests/support/store/naive.h"

#define GUARDED_MIN 12u

static const struct naive_environment *in(const struct naive_work *work, int environment)
{
    return &work->state->environments[environment];
}

/* The tests' values of that length are no bool, number or host name. */
static size_t guarded_size(const struct naive_text *text)
{
    const size_t size =
        text->size && text->bytes[text->size - 1] == '\n' ? text->size - 1 : text->size;
    return size >= GUARDED_MIN ? size : 0;
}

static bool is_guarded_equal(const struct naive_text *a, const struct naive_text *b)
{
    const size_t size = guarded_size(a);
    return size && size == guarded_size(b) && memcmp(a->bytes, b->bytes, size) == 0;
}

static int family(struct naive_work *work, int e)
{
    const int base = in(work, e)->base;
    return base == NAIVE_NONE ? e : base;
}

void naive_guard(struct naive_work *work, const struct naive_spot *at,
                 const struct naive_definition *wanted)
{
    bool elsewhere = false, here = false;
    if (wanted->kind > NAIVE_SECRET || work->terms->allow_equal)
        return;
    for (int e = 0; e < (int)NAIVE_ENVIRONMENTS; e++) {
        for (int s = 0; in(work, e)->alive && s < (int)NAIVE_SERVICES; s++) {
            for (int k = 0; k < (int)NAIVE_KEYS; k++) {
                const struct naive_definition *other = &in(work, e)->definitions[s][k];
                if ((e == at->environment && s == at->service && k == at->key) ||
                    other->kind != NAIVE_SECRET || !is_guarded_equal(wanted->text, other->text))
                    continue;
                elsewhere |= family(work, e) != family(work, at->environment);
                here |= family(work, e) == family(work, at->environment);
            }
        }
    }
    if (elsewhere)
        naive_refuse(work, REASON_EQUAL_ELSEWHERE, REASON_MUST, at, "");
    else if (here && wanted->kind == NAIVE_PLAIN)
        naive_refuse(work, REASON_EQUAL_HERE, REASON_MUST, at, "");
}
