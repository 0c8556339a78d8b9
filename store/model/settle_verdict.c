/*
 * What is wrong by the schema that is in force when the commit is whole.
 *
 * A commit is refused for what it makes wrong, not for what was: whoever improves an invalid
 * service need not do all of it at once. And a schema's own change refuses nothing (it says what a
 * program asks for, whatever is there): what it finds wrong is noted, and so is what shows
 * otherwise because of its defaults.
 */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/model/inforce.h"
#include "store/model/settle_internal.h"

struct judging { /* the service in hand */
    struct settling *settling;
    uint32_t environment, service; /* 0: none yet */
    const struct known *known;
    const char *base; /* the name of the environment's base; NULL: none */
    struct place_state place;
    bool has_schema;          /* one is in force now */
    bool is_changed;          /* and it, or none, is not what was in force before the commit */
    struct schema schema;     /* owned */
    struct state_schema then; /* rev 0: none was */
    bool has_loaded_then;
    struct schema then_schema; /* owned; loaded when it is asked for */
};

static void forget(struct judging *judging)
{
    schema_release(&judging->schema);
    schema_release(&judging->then_schema);
    judging->environment = judging->service = 0;
    judging->has_schema = judging->is_changed = judging->has_loaded_then = false;
}

/* --- which schema --- */

/* What a layer had before the commit. */
static int schema_then(struct judging *judging, struct state_schema *schema)
{
    const struct judge *judge = judging->settling->judge;
    for (size_t i = 0; i < judge->schema_count; i++)
        if (judge->schemas[i].layer == schema->layer &&
            judge->schemas[i].service == schema->service) {
            *schema = judge->schemas[i];
            return schema->rev ? 0 : NOT_THERE;
        }
    return state_schema(judging->settling->txn, schema);
}

static int find_then(struct judging *judging)
{
    const struct resolver *now = settle_now(judging->settling, judging->environment);
    const uint32_t layers[] = {judging->environment, now->base, now->all};
    judging->then = (struct state_schema){.rev = 0};
    for (unsigned i = 0; i < 3; i++) {
        struct state_schema schema = {.layer = layers[i], .service = judging->service};
        const int found = layers[i] ? schema_then(judging, &schema) : NOT_THERE;
        if (!found)
            judging->then = schema;
        if (found <= 0)
            return found;
    }
    return 0;
}

static int find_service(struct judging *judging)
{
    struct settling *settling = judging->settling;
    char name[SERVICE_NAME_MAX + 1];
    int found = state_service_name(settling->txn, name, judging->service);
    if (!found)
        found = state_place(settling->txn, &judging->place, judging->environment, name);
    if (found > 0)
        judging->place.alive = false;
    const struct known *base =
        judging->known ? settle_environment(settling, judging->known->is.base) : NULL;
    judging->base = base ? base->is.name : NULL;
    return found < 0 ? found : 0;
}

static int load(struct judging *judging, uint32_t environment, uint32_t service)
{
    struct settling *settling = judging->settling;
    struct resolver *now;
    struct state_schema schema = {.rev = 0};
    if (judging->environment == environment && judging->service == service)
        return 0;
    forget(judging);
    judging->known = settle_environment(settling, environment);
    if (!judging->known || judging->known->is_all) {
        judging->place.alive = false;
        return 0;
    }
    judging->environment = environment;
    judging->service = service;
    now = settle_now(settling, environment);
    int found = find_service(judging);
    if (!found)
        found = inforce_find(now, &schema, service);
    if (found > 0)
        schema.rev = 0;
    if (found >= 0)
        found = find_then(judging);
    if (found < 0)
        return found;
    judging->is_changed = schema.rev != judging->then.rev || schema.op != judging->then.op;
    if (!schema.rev)
        return 0;
    found = inforce_load(settling->txn, &judging->schema, &schema, settling->judge->plan,
                         settling->rev);
    judging->has_schema = !found;
    return found;
}

/* The schema that was in force before; NULL in *out: none was. */
static int load_then(struct judging *judging, const struct schema **out)
{
    *out = NULL;
    if (!judging->is_changed)
        *out = &judging->schema;
    if (!judging->is_changed || !judging->then.rev)
        return 0;
    if (!judging->has_loaded_then) {
        const int error =
            inforce_load(judging->settling->txn, &judging->then_schema, &judging->then, NULL, 0);
        if (error)
            return error;
        judging->has_loaded_then = true;
    }
    *out = &judging->then_schema;
    return 0;
}

/* --- one key --- */

struct asked { /* of a key of the service in hand */
    struct schema_subject subject;
    struct entry entry; /* where it is there */
    unsigned kind;      /* and that of its record */
    enum verdict verdict;
    char text[TYPE_TEXT_MAX];
};

static void begin(const struct judging *judging, struct asked *asked, const char *key)
{
    asked->subject = (struct schema_subject){
        .environment = judging->known->is.name, .base = judging->base, .key = key};
    asked->entry.expires = 0;
    asked->kind = SPOT_NONE;
    asked->verdict = VERDICT_VALID;
    asked->text[0] = '\0';
}

/* Whether the verdict is something of a secret that the change does not bring: by its schema, or
 * its template, one can ask of the value whatever a pattern asks. */
static bool is_asked_of(const struct judging *judging, const struct entry *entry)
{
    const bool is_new = entry->defined.rev == judging->settling->rev;
    if (entry->kind != ENTRY_SECRET)
        return false;
    return entry_is_composed(entry) ? is_new || judging->is_changed
                                    : !is_new && judging->is_changed;
}

/* What is there now. NOT_THERE: it can't be shown, which is told otherwise. */
static int look_now(struct judging *judging, struct asked *asked, struct secret *scratch)
{
    struct resolver *now = settle_now(judging->settling, judging->environment);
    struct schema_subject *subject = &asked->subject;
    const unsigned char *data = NULL;
    struct spot spot;
    int found = resolve_find(now, &spot, judging->service, subject->key);
    if (found)
        return found < 0 ? found : 0;
    found = resolve(now, &asked->entry, &spot);
    if (found)
        return found < 0 ? found : NOT_THERE;
    asked->kind = spot.kind;
    subject->is_there = true;
    subject->is_secret = asked->entry.kind == ENTRY_SECRET;
    found = resolve_bytes(now, &data, &subject->size, &asked->entry, scratch);
    if (!found)
        subject->value = subject->size ? (const void *)data : "";
    if (!found && is_asked_of(judging, &asked->entry)) {
        struct judge *judge = judging->settling->judge;
        judge->judged++;
        judge_tell(judge->terms->told ? &judge->terms->told->judged : NULL, judging->known->is.name,
                   judging->place.is.name, subject->key);
    }
    return found == -ERR_NO_KEY ? 0 : found < 0 ? found : found ? NOT_THERE : 0;
}

/* The verdict on what is there now. NOT_THERE: there is none. */
static int ask(struct judging *judging, struct asked *asked, const char *key)
{
    SECRET_CLEANUP struct secret scratch = {0};
    begin(judging, asked, key);
    int found = look_now(judging, asked, &scratch);
    if (!found)
        found = schema_judge(&judging->schema, &asked->verdict, asked->text, &asked->subject);
    asked->subject.value = NULL;
    return found;
}

static bool is_bad(enum verdict verdict)
{
    return verdict > VERDICT_UNCHECKED;
}

/* Whether the same was wrong with it before: 1, 0, or a failure. Not asked of values, which are
 * other ones now. */
static int was_so(struct judging *judging, const struct look *look, const struct asked *asked)
{
    struct resolver *then = settle_then(judging->settling, judging->environment);
    struct schema_subject subject = asked->subject;
    const struct schema *schema;
    char text[TYPE_TEXT_MAX];
    enum verdict verdict;
    struct spot spot;
    struct entry entry = {.rev = 0};
    if (look->before == SPOT_NONE ||
        (asked->verdict != VERDICT_UNDECLARED && asked->verdict != VERDICT_ELSEWHERE &&
         asked->verdict != VERDICT_PLAIN))
        return 0;
    int found = load_then(judging, &schema);
    if (found || !schema)
        return found;
    found = resolve_find(then, &spot, look->service, look->key);
    if (!found)
        found = resolve(then, &entry, &spot);
    if (found)
        return found < 0 ? found : 0;
    subject.is_there = true;
    subject.is_secret = entry.kind == ENTRY_SECRET;
    subject.value = NULL;
    found = schema_judge(schema, &verdict, text, &subject);
    return found ? found : verdict == asked->verdict;
}

static int refuse(struct judging *judging, const struct look *look, const char *text)
{
    struct judge *judge = judging->settling->judge;
    char place[PATH_TEXT_MAX];
    if (judge->terms->override & OVERRIDE_SCHEMA) {
        judge->overrode = true;
        return 0;
    }
    const int error =
        settle_path(judging->settling, place, look->environment, look->service, look->key);
    return error ? error
                 : judge_object(judge, ERR_REFUSED, "'%s' %s (emsa schema show %s/%s)", place, text,
                                judging->known->is.name, judging->place.is.name);
}

/* What must be there can't be what goes by itself; where it was that already is nobody's doing. */
static int judge_end(struct judging *judging, const struct look *look, const struct asked *asked)
{
    const struct schema_subject gone = {
        .environment = judging->known->is.name, .base = judging->base, .key = look->key};
    char text[TYPE_TEXT_MAX];
    enum verdict verdict;
    const bool is_as_it_was =
        asked->kind == look->before && asked->entry.defined.rev != judging->settling->rev;
    if (!asked->subject.is_there || !asked->entry.expires || is_as_it_was)
        return 0;
    const int error = schema_judge(&judging->schema, &verdict, text, &gone);
    if (error || verdict != VERDICT_MISSING)
        return error;
    return refuse(judging, look, "is required and cannot end by itself: set it without --ttl");
}

/* --- notes --- */

static int note(struct judging *judging, const char *key, const char *text)
{
    struct change_note made = {.path = {.key = ""}};
    memcpy(made.path.environment, judging->known->is.name, sizeof made.path.environment);
    memcpy(made.path.service, judging->place.is.name, sizeof made.path.service);
    memcpy(made.path.key, key, strlen(key) + 1);
    memcpy(made.text, text, strlen(text) + 1);
    return judge_note(judging->settling->judge, &made);
}

/* What shows otherwise, and nobody set it. */
static int note_shown(struct judging *judging, const struct look *look, char mark)
{
    struct resolver *now = settle_now(judging->settling, judging->environment);
    struct spot spot;
    if (mark == '-')
        return note(judging, look->key, "is not there any more: it was a default of the schema");
    const int found = resolve_find(now, &spot, look->service, look->key);
    if (found)
        return found < 0 ? found : 0;
    if (!spot_is_default(spot.kind))
        return note(judging, look->key, "is another value now, by a default of a schema");
    return note(judging, look->key,
                mark == '+' ? "is there now, as a default of the schema"
                            : "is another value now, a default of the schema");
}

static int note_key(struct judging *judging, const char *key)
{
    struct asked asked;
    const int found = ask(judging, &asked, key);
    if (found || !is_bad(asked.verdict))
        return found < 0 ? found : 0;
    return note(judging, key, asked.text);
}

static int note_undeclared(struct judging *judging)
{
    struct spot spot = {0};
    int found;
    while (!(found = state_next_current(judging->settling->txn, &spot, judging->environment,
                                        judging->service, spot.key))) {
        found = schema_find(&judging->schema, spot.key) ? 0 : note_key(judging, spot.key);
        if (found)
            return found;
    }
    return found < 0 ? found : 0;
}

/* Everything that is wrong with a service by a schema that came into force. */
static int note_service(struct judging *judging, uint32_t environment, uint32_t service)
{
    int error = load(judging, environment, service);
    if (error || !judging->has_schema || !judging->is_changed || !judging->place.alive)
        return error;
    for (size_t i = 0; i < judging->schema.count && !error; i++)
        error = note_key(judging, judging->schema.keys[i].name);
    return error || !judging->schema.is_strict ? error : note_undeclared(judging);
}

/* Whether an earlier operation on a schema led to that service as well. */
static bool is_told(struct settling *settling, size_t step, const struct known *environment,
                    uint32_t service)
{
    const struct planned *steps = settling->judge->plan->steps;
    for (size_t i = 0; i < step; i++) {
        const struct operation *earlier = &steps[settling->schema_steps[i]].operation;
        const struct known *layer = settle_environment(settling, earlier->environment);
        if (earlier->service == service && layer &&
            (layer == environment || layer->is_all || environment->is.base == layer->is.id))
            return true;
    }
    return false;
}

static int note_step(struct judging *judging, size_t step)
{
    struct settling *settling = judging->settling;
    const struct operation *operation =
        &settling->judge->plan->steps[settling->schema_steps[step]].operation;
    const struct known *environment;
    size_t at = 0;
    int found;
    while (!(found = settle_next_above(settling, &environment, &at, operation->environment,
                                       operation->service))) {
        if (is_told(settling, step, environment, operation->service))
            continue;
        found = note_service(judging, environment->is.id, operation->service);
        if (found)
            return found;
    }
    return found < 0 ? found : 0;
}

/* --- all of it --- */

/* Whether the key came along with its service, which this commit placed: what lies beneath was as
 * it is, right or wrong, and who places a service, or makes a preview, need not answer for it. */
static bool is_carried(const struct judging *judging, const struct asked *asked)
{
    const struct definition *defined = &asked->entry.defined;
    const uint64_t rev = judging->settling->rev;
    return judging->place.is.made_rev == rev && asked->subject.is_there &&
           !(defined->environment == judging->environment && defined->rev == rev);
}

static int judge_outcome(struct judging *judging, const struct outcome *outcome)
{
    const struct look *look =
        settle_find(judging->settling, outcome->environment, outcome->name_id);
    struct asked asked;
    int found = load(judging, outcome->environment, outcome->service);
    if (found || !look || !judging->place.alive)
        return found;
    if (look->causes == CAUSE_SCHEMA && judging->place.is.made_rev != judging->settling->rev) {
        /* In a service that is placed by the same commit nothing shows otherwise. Where it is the
         * schema in force that is new, all that is wrong by it is told of. */
        found = note_shown(judging, look, outcome->mark);
        return found || !judging->has_schema || judging->is_changed ? found
                                                                    : note_key(judging, look->key);
    }
    if (!judging->has_schema)
        return 0;
    found = ask(judging, &asked, look->key);
    if (found)
        return found < 0 ? found : 0;
    if (outcome->mark == '-' && asked.subject.is_there)
        return 0; /* its service went and came again: it is told of anew */
    if (is_carried(judging, &asked))
        return is_bad(asked.verdict) && !judging->is_changed ? note(judging, look->key, asked.text)
                                                             : 0;
    found = judge_end(judging, look, &asked);
    if (found || !is_bad(asked.verdict))
        return found;
    if (asked.verdict == VERDICT_MISSING && judging->place.is.made_rev == judging->settling->rev)
        return 0; /* what comes into being is filled later */
    found = was_so(judging, look, &asked);
    return found ? (found < 0 ? found : 0) : refuse(judging, look, asked.text);
}

int settle_schemas(struct settling *settling)
{
    struct judging judging = {.settling = settling};
    int error = 0;
    if (!settling->has_schemas || settling->is_expiry)
        return 0;
    for (size_t i = 0; i < settling->outcome_count && !error; i++)
        if (settling->outcomes[i].kind == OUTCOME_KEY)
            error = judge_outcome(&judging, &settling->outcomes[i]);
    for (size_t i = 0; i < settling->schema_step_count && !error; i++)
        error = note_step(&judging, i);
    forget(&judging);
    return error;
}
