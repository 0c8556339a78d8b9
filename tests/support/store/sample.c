#include "tests/support/store/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/identity.h"
#include "store/secret.h"
#include "tests/support/store/declare.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/trial.h"

static const char *identity_path(char out[static TRIAL_PATH_MAX], const char *path)
{
    int length = snprintf(out, TRIAL_PATH_MAX, "%s.identity", path);
    MUST(length > 0 && length < TRIAL_PATH_MAX, "'%s' is too long", path);
    return out;
}

void sample_create(const char *path)
{
    char beside[TRIAL_PATH_MAX];
    struct identity *identity = NULL;
    struct author author = {.name = "uid 0 (root)"};
    MUST_DO(secret_setup(SAMPLE_SECRETS_MAX));
    MUST_DO(identity_new(&identity));
    MUST_DO(identity_write(identity, identity_path(beside, path)));
    MUST_DO(store_create(path, identity, &author));
    identity_free(identity);
}

int sample_identity(struct identity **out, const char *path)
{
    char beside[TRIAL_PATH_MAX];
    return identity_load(out, identity_path(beside, path));
}

int sample_try_open(struct store **out, const char *path, bool unlocked)
{
    MUST_DO(secret_setup(SAMPLE_SECRETS_MAX));
    struct store *store = NULL;
    struct store_options options = {.path = path, .lock_fd = -1};
    int error = store_open(&store, &options);
    if (error)
        return error;
    if (unlocked) {
        struct identity *identity = NULL;
        error = sample_identity(&identity, path);
        if (!error)
            error = store_unlock(store, identity);
        if (error) {
            store_close(store);
            return error;
        }
    }
    *out = store;
    return 0;
}

struct store *sample_open(const char *path, bool unlocked)
{
    struct store *store = NULL;
    MUST_DO(sample_try_open(&store, path, unlocked));
    return store;
}

struct path sample_path(const char *text)
{
    struct path path;
    MUST_DO(path_parse(&path, text, strlen(text)));
    return path;
}

static int gather_value(struct change *change, const struct path *path, bool secret,
                        uint64_t number)
{
    static __thread unsigned char value[VALUE_OF_MAX];
    size_t size = value_size_of(number);
    value_of(value, number);
    if (!secret)
        return change_set_plain(change, path, value, size);
    struct secret hidden = {0};
    int error = secret_copy(&hidden, value, size);
    if (!error)
        error = change_set_secret(change, path, &hidden);
    secret_release(&hidden);
    return error;
}

static int gather_secret(struct change *change, const struct path *path, const char *text)
{
    struct secret hidden = {0};
    int error = secret_copy(&hidden, text, strlen(text));
    if (!error)
        error = change_set_secret(change, path, &hidden);
    secret_release(&hidden);
    return error;
}

static int gather_place(struct change *change, const struct path *path,
                        const struct sample_step *step)
{
    const bool add = step->verb == ADD;
    const struct environment_terms terms = {.base = step->text, .ttl = step->ttl};
    switch (path_depth(path)) {
    case PATH_ENVIRONMENT:
        return add ? change_environment_add(change, path->environment, &terms)
                   : change_environment_remove(change, path->environment);
    case PATH_SERVICE:
        return add ? change_service_add(change, path) : change_service_remove(change, path);
    case PATH_KEY:
    case PATH_ROOT:
        break;
    }
    MUST(!add && path->key[0], "a step of the wrong depth: '%s'", step->path);
    return change_remove(change, path);
}

static int gather_relation(struct change *change, const struct path *path,
                           const struct sample_step *step)
{
    struct path from;
    switch (step->verb) {
    case SHARE_WITH:
        return change_share(change, path, step->text);
    case UNSHARE_WITH:
        return change_unshare(change, path, step->text);
    case LOCK_PLACE:
        return change_lock(change, path);
    case UNLOCK_PLACE:
        return change_unlock(change, path);
    case GRANT_TO:
        return change_grant(change, path, step->text, (unsigned)step->value);
    case REVOKE_FROM:
        return change_revoke(change, path, step->text, (unsigned)step->value);
    default:
        from = sample_path(step->text);
        return step->verb == COPY_FROM ? change_copy(change, path, &from)
                                       : change_move(change, path, &from);
    }
}

static int gather_key(struct change *change, const struct path *path,
                      const struct sample_step *step)
{
    switch (step->verb) {
    case SET:
    case SECRET:
        return gather_value(change, path, step->verb == SECRET, step->value);
    case SET_TEXT:
        return change_set_plain(change, path, step->text, strlen(step->text));
    case SECRET_TEXT:
        return gather_secret(change, path, step->text);
    case SET_LINK:
        return change_set_link(change, path, step->text);
    default:
        return change_set_template(change, path, step->text, strlen(step->text));
    }
}

static int gather_schema(struct change *change, const struct path *path,
                         const struct sample_step *step)
{
    struct schema schema;
    if (step->verb == UNSET_SCHEMA)
        return change_schema_remove(change, path);
    int error = declare_try(&schema, path->service, step->text);
    if (error)
        return error;
    error = change_schema_set(change, path, &schema);
    schema_release(&schema);
    return error;
}

static bool is_set(enum sample_verb verb)
{
    return verb == SET || verb == SECRET || verb == SET_LINK || verb == SET_TEMPLATE ||
           verb == SET_TEXT || verb == SECRET_TEXT;
}

static int gather_step(struct change *change, const struct sample_step *step)
{
    const struct path path = sample_path(step->path);
    if (step->verb == ADD || step->verb == DROP)
        return gather_place(change, &path, step);
    if (step->verb == SET_SCHEMA || step->verb == UNSET_SCHEMA)
        return gather_schema(change, &path, step);
    if (!is_set(step->verb))
        return gather_relation(change, &path, step);
    const int error = gather_key(change, &path, step);
    return error || !step->ttl ? error : change_ttl(change, step->ttl);
}

int sample_gather(struct change *change, const struct sample_step steps[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int error = gather_step(change, &steps[i]);
        if (error)
            return error;
    }
    return 0;
}

struct change_terms sample_terms(const char *reason, uint64_t number)
{
    struct change_terms terms = {
        .author = {.name = "uid 0 (root)"},
        .reason = reason,
        .allow_new = true,
        .allow_equal = reason && reason[0]}; /* a number is the same value everywhere */
    memcpy(terms.request_id, &number, sizeof(number));
    return terms;
}

int sample_commit(struct store *store, struct change_result *out, const char *reason,
                  uint64_t number, const struct sample_step steps[], size_t count)
{
    struct change *change = NULL;
    struct change_terms terms = sample_terms(reason, number);
    int error = change_new(&change, store);
    if (!error)
        error = sample_gather(change, steps, count);
    if (!error)
        error = change_commit(change, &terms, out);
    change_free(change);
    return error;
}

int sample_read(struct snapshot *snapshot, struct entry *entry, struct bytes *out, const char *text)
{
    struct path path = sample_path(text);
    struct environment environment;
    struct service service;
    struct entry found;
    bytes_reset(out);
    int result = snapshot_environment(snapshot, &environment, path.environment);
    if (!result)
        result = snapshot_service(snapshot, &service, environment.id, path.service);
    if (!result)
        result = snapshot_entry(snapshot, &found, environment.id, service.id, path.key);
    if (result)
        return result;
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data = NULL;
    size_t size = 0;
    result = snapshot_value(snapshot, &data, &size, &found, &scratch);
    if (result)
        return result;
    bytes_append(out, data, size);
    if (entry)
        *entry = found;
    return out->error;
}

bool sample_has(struct snapshot *snapshot, const char *path, uint64_t number)
{
    BYTES_CLEANUP struct bytes found = BYTES_INIT(VALUE_MAX);
    return sample_read(snapshot, NULL, &found, path) == 0 &&
           value_is(found.data, found.size, number);
}

static void print_fault(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "fault: %s\n", text);
}

static void ignore_fault(void *arg, const char *text)
{
    (void)arg;
    (void)text;
}

int sample_verify(struct store *store, bool loud)
{
    struct verify_report report = {0};
    struct verify_options options = {.fault = loud ? print_fault : ignore_fault};
    return verify_store(store, &options, &report);
}
