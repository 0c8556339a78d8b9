#include "tests/support/store/chance.h"

#include <stdio.h>
#include <string.h>

#include "store/grant.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define SECOND 1000000000ll
#define WISHES 6u /* of an ordinary change */
#define PRE 4u    /* the environment that others most often stand on */
#define PROD 5u   /* mostly protected */

/* --- texts --- */

static const struct naive_text *text_of(const char *text)
{
    return naive_text(text, strlen(text));
}

static const struct naive_text *plain_value(struct dice *dice)
{
    static const char *const few[] = {"",
                                      "5432",
                                      "true",
                                      "v0",
                                      "v1",
                                      "v2",
                                      "v2\n",
                                      "a b&c=/?",
                                      "\"q\\\"\n\t",
                                      "\xff!\x01",
                                      "gr\xc3\xbc\xc3\x9f",
                                      "$x"};
    static unsigned char large[20000];
    if (!dice_once_in(dice, 40))
        return text_of(few[dice_roll(dice, sizeof few / sizeof few[0])]);
    memset(large, 'm' + (int)dice_roll(dice, 3), sizeof large);
    return naive_text(large, dice_once_in(dice, 2) ? sizeof large : 2000);
}

/* A base and what stands on it have secrets in common. */
static const struct naive_text *secret_value(struct dice *dice, const struct naive *state, int e)
{
    char text[64];
    const int base = state->environments[e].base;
    const int of = dice_once_in(dice, 25) ? 1 + (int)dice_roll(dice, NAIVE_ENVIRONMENTS - 1)
                   : base > 0             ? base
                                          : e;
    if (dice_once_in(dice, 4))
        snprintf(text, sizeof text, "pw%u", (unsigned)dice_roll(dice, 3));
    else
        snprintf(text, sizeof text, "s3cret no %u of '%s'!%s", (unsigned)dice_roll(dice, 4),
                 naive_environments[of], dice_once_in(dice, 8) ? "\n" : "");
    return text_of(text);
}

/* A name that a definition of this environment may refer to, mostly one that is there. */
static void target(struct dice *dice, const struct naive *state, int e, int own, int *service,
                   int *key)
{
    for (int tries = 0; tries < 12; tries++) {
        const int reader =
            e == (int)NAIVE_ALL ? 1 + (int)dice_roll(dice, NAIVE_ENVIRONMENTS - 1) : e;
        *service = dice_once_in(dice, 3) ? own : (int)dice_roll(dice, NAIVE_SERVICES);
        *service = dice_once_in(dice, 4) ? NAIVE_SHARED : *service;
        *key = (int)dice_roll(dice, NAIVE_KEYS);
        if (state->environments[reader].seen[*service][*key].kind)
            return;
    }
}

static const struct naive_text *link_text(struct dice *dice, const struct naive *state, int e,
                                          int own)
{
    char text[96];
    int service, key;
    if (dice_once_in(dice, 60))
        return text_of("nowhere/NOTHING");
    target(dice, state, e, own, &service, &key);
    snprintf(text, sizeof text, "%s/%s", naive_services[service], naive_keys[key]);
    return text_of(text);
}

static int reference_text(char *out, size_t size, struct dice *dice, const struct naive *state,
                          int e, int own)
{
    static const char *const filters[] = {"", "", "", "|url", "|json", "|base64"};
    int service, key;
    const char *filter = filters[dice_roll(dice, sizeof filters / sizeof filters[0])];
    target(dice, state, e, own, &service, &key);
    if (service == own && dice_once_in(dice, 2))
        return snprintf(out, size, "${%s%s}", naive_keys[key], filter);
    return snprintf(out, size, "${%s/%s%s}", naive_services[service], naive_keys[key], filter);
}

static const struct naive_text *template_text(struct dice *dice, const struct naive *state, int e,
                                              int own)
{
    static const char *const literals[] = {"x", "://", "$$", "@", "%41", " ", "\n", "$$${"};
    char text[8192], part[96];
    size_t size = 0;
    const bool wide = dice_once_in(dice, 20);
    const unsigned parts = 1 + (unsigned)dice_roll(dice, 4);
    for (unsigned i = 0; i < parts && !wide; i++) {
        const char *literal = literals[dice_roll(dice, sizeof literals / sizeof literals[0] - 1)];
        if (dice_once_in(dice, 2))
            size += (size_t)snprintf(text + size, sizeof text - size, "%s", literal);
        if (!dice_once_in(dice, 5))
            size += (size_t)reference_text(text + size, sizeof text - size, dice, state, e, own);
    }
    if (wide) { /* the same again and again: sizes and look-ups grow */
        const int one = reference_text(part, sizeof part, dice, state, e, own);
        for (unsigned i = 24 + 36 * (unsigned)dice_roll(dice, 2); i > 0; i--)
            size += (size_t)snprintf(text + size, sizeof text - size, "%.*s", one, part);
    }
    return naive_text(text, size);
}

/* --- places --- */

static int any_environment(struct dice *dice, const struct naive *state)
{
    for (int tries = 0; tries < 6; tries++) {
        const int e = dice_once_in(dice, 8) ? (int)NAIVE_ALL
                                            : 1 + (int)dice_roll(dice, NAIVE_ENVIRONMENTS - 1);
        if ((state->environments[e].alive && !dice_once_in(dice, 20)) ||
            (e == (int)NAIVE_ALL && dice_once_in(dice, 2)))
            return e;
    }
    return (int)dice_roll(dice, NAIVE_ENVIRONMENTS);
}

static struct naive_spot any_spot(struct dice *dice, const struct naive *state)
{
    return (struct naive_spot){any_environment(dice, state), (int)dice_roll(dice, NAIVE_SERVICES),
                               (int)dice_roll(dice, NAIVE_KEYS)};
}

/* One with a definition of its own, mostly. */
static struct naive_spot own_spot(struct dice *dice, const struct naive *state)
{
    struct naive_spot spot = any_spot(dice, state);
    for (int tries = 0; tries < 20; tries++) {
        if (state->environments[spot.environment].definitions[spot.service][spot.key].kind)
            return spot;
        spot = any_spot(dice, state);
    }
    return spot;
}

/* --- wishes --- */

static void draw_set(struct dice *dice, const struct naive *state, struct naive_wish *wish)
{
    const uint64_t roll = dice_roll(dice, 20);
    const int e = wish->at.environment, own = wish->at.service;
    wish->verb = NAIVE_SET;
    wish->kind = roll < 6    ? NAIVE_PLAIN
                 : roll < 10 ? NAIVE_SECRET
                 : roll < 15 ? NAIVE_LINK
                             : NAIVE_TEMPLATE;
    if (wish->kind == NAIVE_SECRET && e == (int)NAIVE_ALL && !dice_once_in(dice, 4))
        wish->kind = NAIVE_PLAIN;
    /* A set of what is a secret already goes on with one. */
    if (state->environments[e].definitions[own][wish->at.key].kind == NAIVE_SECRET &&
        !dice_once_in(dice, 6))
        wish->kind = NAIVE_SECRET;
    switch (wish->kind) {
    case NAIVE_PLAIN:
        wish->text = dice_once_in(dice, 30) ? secret_value(dice, state, e) : plain_value(dice);
        break;
    case NAIVE_SECRET:
        wish->text = secret_value(dice, state, e);
        break;
    case NAIVE_LINK:
        wish->text = link_text(dice, state, e, own);
        break;
    default:
        wish->text = template_text(dice, state, e, own);
    }
    if (dice_once_in(dice, wish->kind == NAIVE_PLAIN ? 5 : 12))
        wish->ttl = 1 + dice_roll(dice, 300);
}

static void draw_environment(struct dice *dice, const struct naive *state, struct naive_wish *wish)
{
    int e = (int)dice_roll(dice, NAIVE_ENVIRONMENTS);
    for (int tries = 0; tries < 12 && state->environments[e].alive; tries++)
        e = (int)dice_roll(dice, NAIVE_ENVIRONMENTS);
    wish->verb = NAIVE_ENVIRONMENT_ADD;
    wish->at = (struct naive_spot){e, NAIVE_NONE, NAIVE_NONE};
    if ((state->environments[e].alive && !dice_once_in(dice, 20)) ||
        (e == (int)NAIVE_ALL && !dice_once_in(dice, 3)))
        return;
    if (e == (int)PROD && !dice_once_in(dice, 4)) {
        wish->is_protected = true;
        return;
    }
    if (!dice_once_in(dice, 6)) {
        const int base =
            dice_once_in(dice, 2) ? (int)PRE : (int)dice_roll(dice, NAIVE_ENVIRONMENTS);
        const struct naive_environment *on = &state->environments[base];
        const bool fits = on->alive && on->base == NAIVE_NONE && !on->is_protected && !on->expires;
        if (base != e && (fits || dice_once_in(dice, 6)))
            wish->base = base;
        /* What stands on another is never protected: this is refused. */
        wish->is_protected = wish->base != NAIVE_NONE && dice_once_in(dice, 40);
    }
    if (e != (int)PRE && !wish->is_protected && !dice_once_in(dice, 4))
        wish->ttl = 50 + dice_roll(dice, 2000);
}

static uint64_t lock_at(const struct naive *state, const struct naive_spot *at)
{
    const struct naive_environment *in = &state->environments[at->environment];
    return at->key >= 0       ? in->key_locks[at->service][at->key]
           : at->service >= 0 ? in->service_locks[at->service]
                              : in->lock;
}

static bool is_there(const struct naive *state, const struct naive_spot *at)
{
    const struct naive_environment *in = &state->environments[at->environment];
    if (!in->alive || at->service < 0)
        return in->alive;
    if (!in->places[at->service].present || at->key < 0)
        return in->places[at->service].present;
    return in->seen[at->service][at->key].kind != NAIVE_NOTHING;
}

static void draw_share(struct dice *dice, const struct naive *state, struct naive_wish *wish)
{
    const bool is_careless = dice_once_in(dice, 15);
    wish->verb = dice_once_in(dice, 4) ? NAIVE_UNSHARE : NAIVE_SHARE;
    for (int tries = 0; tries < 60; tries++) {
        wish->at = any_spot(dice, state);
        wish->consumer =
            dice_once_in(dice, 3) ? NAIVE_EVERYBODY : (unsigned)dice_roll(dice, NAIVE_SERVICES);
        const struct naive_spot *at = &wish->at;
        const bool is_shared =
            state->environments[at->environment].shares[at->service][at->key][wish->consumer];
        if (is_careless || (is_there(state, at) && is_shared == (wish->verb == NAIVE_UNSHARE)))
            return;
    }
    wish->verb = NAIVE_SHARE;
}

static void draw_lock(struct dice *dice, const struct naive *state, struct naive_wish *wish)
{
    const bool is_careless = dice_once_in(dice, 30);
    const bool is_unlock = !dice_once_in(dice, 4);
    wish->verb = is_unlock ? NAIVE_UNLOCK : NAIVE_LOCK;
    for (int tries = 0; tries < 60; tries++) {
        wish->at = any_spot(dice, state);
        if (dice_once_in(dice, 5))
            wish->at.key = NAIVE_NONE;
        if (wish->at.key < 0 && dice_once_in(dice, 6))
            wish->at.service = NAIVE_NONE;
        if (is_careless ||
            (is_there(state, &wish->at) && (lock_at(state, &wish->at) != 0) == is_unlock))
            return;
    }
    wish->at = any_spot(dice, state);
    draw_set(dice, state, wish);
}

static void draw_rights(struct dice *dice, const struct naive *state, struct naive_wish *wish)
{
    const bool is_careless = dice_once_in(dice, 15);
    wish->verb = dice_once_in(dice, 3) ? NAIVE_REVOKE : NAIVE_GRANT;
    wish->consumer = (unsigned)dice_roll(dice, NAIVE_PRINCIPALS);
    wish->rights = 1 + (unsigned)dice_roll(dice, GRANT_ALL);
    wish->at.key = NAIVE_NONE;
    if (dice_once_in(dice, 3))
        wish->at.service = NAIVE_NONE;
    if (is_careless)
        return;
    for (int tries = 0; tries < 60; tries++) {
        const struct naive_environment *in = &state->environments[wish->at.environment];
        const unsigned place = wish->at.service < 0 ? NAIVE_SERVICES : (unsigned)wish->at.service;
        const unsigned held = in->grants[place][wish->consumer];
        if (is_there(state, &wish->at) && (wish->verb == NAIVE_GRANT || held)) {
            wish->rights = wish->verb == NAIVE_GRANT ? wish->rights
                           : (wish->rights & held)   ? wish->rights & held
                                                     : held;
            return;
        }
        wish->at = any_spot(dice, state);
        wish->at.key = NAIVE_NONE;
        wish->consumer = (unsigned)dice_roll(dice, NAIVE_PRINCIPALS);
    }
    wish->verb = NAIVE_GRANT;
}

static struct naive_wish draw_wish(struct dice *dice, const struct naive *state)
{
    struct naive_wish wish = {.base = NAIVE_NONE, .at = any_spot(dice, state)};
    const uint64_t roll = dice_roll(dice, 100);
    if (roll < 46) {
        draw_set(dice, state, &wish);
    } else if (roll < 55) {
        wish.verb = NAIVE_REMOVE;
        if (!dice_once_in(dice, 8))
            wish.at = own_spot(dice, state);
    } else if (roll < 62) {
        wish.verb = dice_once_in(dice, 3) ? NAIVE_MOVE : NAIVE_COPY;
        wish.from = own_spot(dice, state);
        if (wish.verb == NAIVE_MOVE)
            wish.at.environment = wish.from.environment;
        if (wish.at.environment == wish.from.environment && wish.at.service == wish.from.service &&
            wish.at.key == wish.from.key)
            draw_set(dice, state, &wish);
    } else if (roll < 67) {
        wish.verb = dice_once_in(dice, 3) ? NAIVE_SERVICE_REMOVE : NAIVE_SERVICE_ADD;
        wish.at.key = NAIVE_NONE;
    } else if (roll < 70) {
        wish.verb = NAIVE_SERVICE_CLEAR;
        wish.at.key = NAIVE_NONE;
    } else if (roll < 73) {
        draw_environment(dice, state, &wish);
    } else if (roll < 77) {
        wish.verb = dice_once_in(dice, 3) ? NAIVE_ENVIRONMENT_REMOVE : NAIVE_ENVIRONMENT_CLEAR;
        wish.at.service = wish.at.key = NAIVE_NONE;
        if (wish.at.environment == (int)NAIVE_ALL || wish.at.environment == (int)PROD)
            wish.at.environment = (int)dice_roll(dice, NAIVE_ENVIRONMENTS);
    } else if (roll < 84) {
        chance_draw_schema(dice, state, &wish);
    } else if (roll < 92) {
        draw_share(dice, state, &wish);
    } else if (roll < 95) {
        draw_rights(dice, state, &wish);
    } else {
        draw_lock(dice, state, &wish);
    }
    return wish;
}

/* --- changes of a plan --- */

static struct naive_wish *add(struct chance_change *out, enum naive_verb verb, struct naive_spot at)
{
    MUST(out->count < CHANCE_WISHES_MAX, "too many wishes");
    struct naive_wish *wish = &out->wishes[out->count++];
    *wish = (struct naive_wish){.verb = verb, .at = at, .base = NAIVE_NONE};
    return wish;
}

/* Links in a row, sometimes one too many, sometimes back to the first. */
static void draw_chain(struct dice *dice, struct chance_change *out, const struct naive *state)
{
    const int e = any_environment(dice, state);
    const unsigned length = 4 + (unsigned)dice_roll(dice, 8);
    unsigned spots[NAIVE_SERVICES * NAIVE_KEYS];
    char text[96];
    for (unsigned i = 0; i < NAIVE_SERVICES * NAIVE_KEYS; i++) {
        const unsigned other = (unsigned)dice_roll(dice, i + 1);
        spots[i] = spots[other];
        spots[other] = i;
    }
    const bool is_round = dice_once_in(dice, 8);
    for (unsigned i = length; i-- > 0;) {
        const struct naive_spot at = {e, (int)(spots[i] / NAIVE_KEYS),
                                      (int)(spots[i] % NAIVE_KEYS)};
        struct naive_wish *wish = add(out, NAIVE_SET, at);
        const unsigned next = i + 1 == length ? spots[0] : spots[i + 1];
        wish->kind = i + 1 < length || is_round ? NAIVE_LINK : NAIVE_PLAIN;
        snprintf(text, sizeof text, "%s/%s", naive_services[next / NAIVE_KEYS],
                 naive_keys[next % NAIVE_KEYS]);
        wish->text = wish->kind == NAIVE_LINK ? text_of(text) : plain_value(dice);
        add(out, NAIVE_SHARE, at)->consumer = NAIVE_EVERYBODY;
    }
}

/* Each key is the one before, many times. */
static void draw_wide(struct dice *dice, struct chance_change *out, const struct naive *state)
{
    const int e = any_environment(dice, state), service = (int)dice_roll(dice, NAIVE_SERVICES);
    const int length = 2 + (int)dice_roll(dice, 3);
    unsigned char large[2000];
    char text[8192];
    memset(large, 'w', sizeof large);
    for (int key = 0; key < length; key++) {
        struct naive_wish *wish = add(out, NAIVE_SET, (struct naive_spot){e, service, key});
        size_t size = 0;
        wish->kind = key ? NAIVE_TEMPLATE : NAIVE_PLAIN;
        for (unsigned i = dice_once_in(dice, 3) ? 60 : 24; key && i > 0; i--)
            size += (size_t)snprintf(text + size, sizeof text - size, "${%s}", naive_keys[key - 1]);
        wish->text = key                     ? naive_text(text, size)
                     : dice_once_in(dice, 2) ? naive_text(large, sizeof large)
                                             : plain_value(dice);
    }
}

/* An environment like another, but for its secrets. */
static void draw_likeness(struct dice *dice, struct chance_change *out, const struct naive *state)
{
    const int from = 1 + (int)dice_roll(dice, NAIVE_ENVIRONMENTS - 1);
    const int to = 1 + (int)dice_roll(dice, NAIVE_ENVIRONMENTS - 1);
    const struct naive_environment *like = &state->environments[from];
    if (from == to || !like->alive)
        return;
    if (!state->environments[to].alive)
        add(out, NAIVE_ENVIRONMENT_ADD, (struct naive_spot){to, NAIVE_NONE, NAIVE_NONE});
    for (int s = 0; s < (int)NAIVE_SERVICES; s++) {
        if (like->places[s].present)
            add(out, NAIVE_SERVICE_ADD, (struct naive_spot){to, s, NAIVE_NONE});
        for (int k = 0; k < (int)NAIVE_KEYS; k++) {
            const enum naive_kind kind = like->definitions[s][k].kind;
            if (!kind || (kind == NAIVE_SECRET && !dice_once_in(dice, 20)))
                continue;
            add(out, NAIVE_COPY, (struct naive_spot){to, s, k})->from =
                (struct naive_spot){from, s, k};
            if (like->shares[s][k][NAIVE_EVERYBODY])
                add(out, NAIVE_SHARE, (struct naive_spot){to, s, k})->consumer = NAIVE_EVERYBODY;
        }
    }
}

static bool is_refused(const struct chance_change *change, const struct naive *state)
{
    static struct naive scratch;
    static struct naive_result result;
    scratch = *state;
    naive_apply(&scratch, &result, change->wishes, change->count, &change->terms);
    return result.is_refused;
}

static void draw_some(struct dice *dice, struct chance_change *out, const struct naive *state)
{
    const size_t count = 1 + (dice_once_in(dice, 3) ? dice_roll(dice, WISHES) : 0);
    /* Some are let pass that ask for trouble. */
    const bool careless = dice_once_in(dice, 9);
    while (out->count < count) {
        struct naive_wish *wish = &out->wishes[out->count++];
        *wish = draw_wish(dice, state);
        if (out->count > 1 && dice_once_in(dice, 3) && wish->verb == NAIVE_SET) {
            const struct naive_wish *before = wish - 1; /* once more at the same place */
            if (before->at.key >= 0 && before->at.environment == wish->at.environment)
                wish->at = before->at;
        }
        for (int tries = 0; tries < 10 && !careless && is_refused(out, state); tries++)
            *wish = draw_wish(dice, state);
    }
}

struct chance chance_new(uint64_t seed)
{
    return (struct chance){.dice = dice_new(seed), .now = 2000000000 * SECOND};
}

void chance_draw(struct chance *chance, struct chance_change *out, const struct naive *state)
{
    struct dice *dice = &chance->dice;
    out->count = 0;
    chance->now += SECOND + (int64_t)dice_roll(dice, 3 * SECOND);
    out->terms = (struct naive_terms){.has_reason = !dice_once_in(dice, 5), .now = chance->now};
    if (dice_once_in(dice, 25)) {
        chance->now += (int64_t)dice_roll(dice, 200 * SECOND);
        out->terms = (struct naive_terms){.is_expiry = true, .now = chance->now};
        return;
    }
    if (chance->drawn++ == 0) { /* `all` is made soon and for ever: refused is this only before */
        add(out, NAIVE_ENVIRONMENT_ADD, (struct naive_spot){NAIVE_ALL, NAIVE_NONE, NAIVE_NONE})
            ->ttl = 60;
        return;
    }
    out->terms.allow_equal = out->terms.has_reason && dice_once_in(dice, 30);
    if (out->terms.has_reason && dice_once_in(dice, 12))
        out->terms.override = (unsigned)dice_roll(dice, 8);
    if (dice_once_in(dice, 60))
        draw_chain(dice, out, state);
    else if (dice_once_in(dice, 100))
        draw_wide(dice, out, state);
    else if (dice_once_in(dice, 60))
        draw_likeness(dice, out, state);
    if (!out->count)
        draw_some(dice, out, state);
}
