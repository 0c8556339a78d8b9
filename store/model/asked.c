/* The first half of store/change.h: what a change is asked to do. Nothing here looks into the
 * store; what is named is looked for when it is committed (change.c). */
#include "store/model/asked.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/log/operation.h"
#include "store/model/due.h"
#include "store/sealed.h"
#include "store/template.h"

int change_new(struct change **out, struct store *store)
{
    struct change *change = calloc(1, sizeof *change);
    if (!change)
        return error_set(ERR_NOMEM, "no memory for a change");
    change->store = store;
    *out = change;
    return 0;
}

void change_free(struct change *change)
{
    if (!change)
        return;
    gather_release(&change->gather);
    free(change);
}

int change_seed(struct change *change, const uint8_t seed[static REQUEST_SEED_SIZE])
{
    struct secret *own = &change->gather.seed;
    const int error = secret_alloc(own, REQUEST_SEED_SIZE);
    if (error)
        return error;
    memcpy(own->data, seed, REQUEST_SEED_SIZE);
    own->size = REQUEST_SEED_SIZE;
    return 0;
}

const uint8_t *change_value_digest(const struct change *change, uint32_t number)
{
    return number && number <= change->gather.value_count ? change->gather.values[number - 1].digest
                                                          : NULL;
}

static int check_path(const struct path *path, enum path_depth depth)
{
    static const char *const words[] = {"the root", "an environment", "a service", "a key"};
    char text[PATH_TEXT_MAX];
    int error = 0;
    if (path_depth(path) != depth)
        return error_set(ERR_INVALID, "'%s' is not the path of %s", path_text(path, text),
                         words[depth]);
    if (depth >= PATH_ENVIRONMENT)
        error = name_check(NAME_ENVIRONMENT, path->environment, strlen(path->environment));
    if (!error && depth >= PATH_SERVICE)
        error = name_check(NAME_SERVICE, path->service, strlen(path->service));
    if (!error && depth >= PATH_KEY)
        error = name_check(NAME_KEY, path->key, strlen(path->key));
    return error;
}

static int check_size(const struct path *key, size_t size)
{
    char text[PATH_TEXT_MAX];
    if (size <= VALUE_MAX)
        return 0;
    return error_set(ERR_INVALID, "the value of '%s' has %zu bytes; a value holds up to %u",
                     path_text(key, text), size, VALUE_MAX);
}

static struct wish *last_wish(struct change *change)
{
    return &change->gather.wishes[change->gather.count - 1];
}

static int check_ttl(uint64_t seconds)
{
    if (seconds && seconds <= TTL_MAX)
        return 0;
    return error_set(ERR_INVALID,
                     "a time to live of %" PRIu64 " seconds: it may be from one second to ten "
                     "years (%u)",
                     seconds, TTL_MAX);
}

static int environment_path(struct path *path, const char *name)
{
    const int error = path_make(path, name, NULL, NULL);
    if (error)
        return error;
    if (path_depth(path) != PATH_ENVIRONMENT)
        return error_set(ERR_INVALID, "an environment needs a name");
    return 0;
}

int change_environment_add(struct change *change, const char *name,
                           const struct environment_terms *terms)
{
    struct path path;
    const char *base = NULL;
    int error = environment_path(&path, name);
    if (!error && terms && terms->ttl)
        error = check_ttl(terms->ttl);
    if (!error && terms && terms->is_signed && !terms->is_protected)
        error = error_set(ERR_INVALID,
                          "'%s' is to take signed changes only, and so is protected too: add "
                          "--protected",
                          name);
    if (!error && terms && terms->base) {
        error = name_check(NAME_ENVIRONMENT, terms->base, strlen(terms->base));
        if (!error && !(base = gather_copy(&change->gather, terms->base, strlen(terms->base))))
            error = -ERR_NOMEM;
    }
    if (!error)
        error = gather_add(&change->gather, OPERATION_ENVIRONMENT_ADD, &path, NULL, 0, NULL);
    if (error || !terms)
        return error;
    last_wish(change)->with = base;
    last_wish(change)->is_protected = terms->is_protected;
    last_wish(change)->is_signed = terms->is_signed;
    last_wish(change)->ttl = terms->ttl;
    return 0;
}

int change_environment_remove(struct change *change, const char *name)
{
    struct path path;
    const int error = environment_path(&path, name);
    return error ? error
                 : gather_add(&change->gather, OPERATION_ENVIRONMENT_REMOVE, &path, NULL, 0, NULL);
}

int change_service_add(struct change *change, const struct path *service)
{
    const int error = check_path(service, PATH_SERVICE);
    return error ? error
                 : gather_add(&change->gather, OPERATION_SERVICE_ADD, service, NULL, 0, NULL);
}

int change_service_remove(struct change *change, const struct path *service)
{
    const int error = check_path(service, PATH_SERVICE);
    return error ? error
                 : gather_add(&change->gather, OPERATION_SERVICE_REMOVE, service, NULL, 0, NULL);
}

int change_set_plain(struct change *change, const struct path *key, const void *value, size_t size)
{
    int error = check_path(key, PATH_KEY);
    if (!error)
        error = check_size(key, size);
    return error ? error
                 : gather_add(&change->gather, OPERATION_SET_PLAIN, key, size ? value : "", size,
                              NULL);
}

int change_set_secret(struct change *change, const struct path *key, struct secret *value)
{
    int error = check_path(key, PATH_KEY);
    if (!error)
        error = check_size(key, value->size);
    return error ? error
                 : gather_add(&change->gather, OPERATION_SET_SECRET, key, NULL, value->size, value);
}

/* That it was sealed for what it is to be set at. */
static int check_sealed(const struct store *store, const struct sealed *sealed,
                        const struct path *key)
{
    char text[PATH_TEXT_MAX], other[PATH_TEXT_MAX];
    path_text(key, text);
    path_text(&sealed->path, other);
    if (memcmp(sealed->store_id, store->id, STORE_ID_SIZE) != 0)
        return error_set(ERR_REFUSED,
                         "'%s': the text was sealed for another store: seal the value for this one "
                         "(emsa seal %s)",
                         text, text);
    if (strcmp(text, other) != 0)
        return error_set(ERR_REFUSED,
                         "'%s': the text was sealed for '%s', and is set nowhere else: seal the "
                         "value for this key (emsa seal %s)",
                         text, other, text);
    return 0;
}

static int add_sealed(struct change *change, const struct path *key, struct sealed *sealed)
{
    const size_t padded = sealed->padded;
    struct gather *gather = &change->gather;
    const struct sealed *kept = gather_keep_sealed(gather, sealed);
    if (!kept)
        return -ERR_NOMEM;
    int error = gather_add(gather, GATHER_SEALED, key, NULL, padded, NULL);
    if (error)
        return error;
    last_wish(change)->sealed = kept;
    if (gather->seed.data)
        error = gather_number(gather, last_wish(change), kept->digest);
    return error;
}

int change_set_sealed(struct change *change, const struct path *key, const void *text, size_t size)
{
    struct sealed sealed;
    char place[PATH_TEXT_MAX], why[256];
    int error = check_path(key, PATH_KEY);
    if (error)
        return error;
    error = sealed_read(&sealed, text, size);
    if (error) {
        snprintf(why, sizeof why, "%s", error_text());
        return error_set((enum error_code) - error, "'%s': %s", path_text(key, place), why);
    }
    error = check_sealed(change->store, &sealed, key);
    if (!error)
        error = add_sealed(change, key, &sealed);
    sealed_release(&sealed);
    return error;
}

/* A message about a text, with the key that it was to be set at. */
static int text_invalid(const struct path *key)
{
    char text[PATH_TEXT_MAX], why[256];
    snprintf(why, sizeof why, "%s", error_text());
    return error_set(ERR_INVALID, "'%s': %s", path_text(key, text), why);
}

int change_set_link(struct change *change, const struct path *key, const char *target)
{
    struct reference reference;
    const size_t size = strlen(target);
    int error = check_path(key, PATH_KEY);
    if (!error && link_parse(&reference, target, size))
        error = text_invalid(key);
    return error ? error : gather_add(&change->gather, OPERATION_SET_LINK, key, target, size, NULL);
}

int change_set_template(struct change *change, const struct path *key, const void *text,
                        size_t size)
{
    int error = check_path(key, PATH_KEY);
    if (!error)
        error = check_size(key, size);
    if (!error && template_check(size ? text : "", size))
        error = text_invalid(key);
    return error ? error
                 : gather_add(&change->gather, OPERATION_SET_TEMPLATE, key, size ? text : "", size,
                              NULL);
}

static int no_revision(void)
{
    return error_set(ERR_INVALID, "there is no revision 0: the first is 1");
}

static int add_from(struct change *change, enum operation_kind kind, const struct path *key,
                    const struct path *from)
{
    int error = check_path(key, PATH_KEY);
    if (!error)
        error = check_path(from, PATH_KEY);
    if (error)
        return error;
    const char *copy = gather_copy(&change->gather, from, sizeof *from);
    if (!copy)
        return -ERR_NOMEM;
    error = gather_add(&change->gather, kind, key, NULL, 0, NULL);
    if (!error)
        last_wish(change)->from = (const struct path *)(const void *)copy;
    return error;
}

int change_copy(struct change *change, const struct path *key, const struct path *from)
{
    return add_from(change, GATHER_COPY, key, from);
}

int change_copy_at(struct change *change, const struct path *key, const struct path *from,
                   uint64_t rev)
{
    if (!rev)
        return no_revision();
    const int error = add_from(change, GATHER_COPY, key, from);
    if (!error)
        last_wish(change)->rev = rev;
    return error;
}

int change_move(struct change *change, const struct path *key, const struct path *from)
{
    char text[PATH_TEXT_MAX], other[PATH_TEXT_MAX];
    if (strcmp(key->environment, from->environment) != 0)
        return error_set(ERR_INVALID, "'%s' cannot be moved to '%s': it is another environment",
                         path_text(from, text), path_text(key, other));
    return add_from(change, GATHER_MOVE, key, from);
}

static int add_share(struct change *change, enum operation_kind kind, const struct path *key,
                     const char *consumer)
{
    int error = check_path(key, PATH_KEY);
    if (!error && strcmp(consumer, "*") != 0)
        error = name_check(NAME_SERVICE, consumer, strlen(consumer));
    if (error)
        return error;
    const char *copy = gather_copy(&change->gather, consumer, strlen(consumer));
    if (!copy)
        return -ERR_NOMEM;
    error = gather_add(&change->gather, kind, key, NULL, 0, NULL);
    if (!error)
        last_wish(change)->with = copy;
    return error;
}

int change_share(struct change *change, const struct path *key, const char *consumer)
{
    return add_share(change, OPERATION_SHARE, key, consumer);
}

int change_unshare(struct change *change, const struct path *key, const char *consumer)
{
    return add_share(change, OPERATION_UNSHARE, key, consumer);
}

static int add_lock(struct change *change, enum operation_kind kind, const struct path *path)
{
    const enum path_depth depth = path_depth(path);
    if (depth == PATH_ROOT)
        return error_set(ERR_INVALID, "what is locked is an environment, a service or a key");
    const int error = check_path(path, depth);
    return error ? error : gather_add(&change->gather, kind, path, NULL, 0, NULL);
}

int change_lock(struct change *change, const struct path *path)
{
    return add_lock(change, OPERATION_LOCK, path);
}

int change_unlock(struct change *change, const struct path *path)
{
    return add_lock(change, OPERATION_UNLOCK, path);
}

static int add_tag(struct change *change, enum operation_kind kind, const char *name, uint64_t rev)
{
    int error = tag_check(name, strlen(name));
    if (error)
        return error;
    const char *copy = gather_copy(&change->gather, name, strlen(name));
    if (!copy)
        return -ERR_NOMEM;
    error = gather_add(&change->gather, kind, &(struct path){0}, NULL, 0, NULL);
    if (error)
        return error;
    last_wish(change)->with = copy;
    last_wish(change)->rev = rev;
    return 0;
}

int change_tag(struct change *change, const char *name, uint64_t rev)
{
    return rev ? add_tag(change, OPERATION_TAG, name, rev) : no_revision();
}

int change_untag(struct change *change, const char *name)
{
    return add_tag(change, OPERATION_UNTAG, name, 0);
}

int change_purge(struct change *change, const struct path *key, uint64_t rev)
{
    const enum path_depth depth = path_depth(key) == PATH_SERVICE ? PATH_SERVICE : PATH_KEY;
    int error = rev ? check_path(key, depth) : no_revision();
    if (!error)
        error = gather_add(&change->gather, OPERATION_PURGE, key, NULL, 0, NULL);
    if (!error)
        last_wish(change)->rev = rev;
    return error;
}

int change_compact(struct change *change, const struct path *place, uint64_t rev)
{
    char text[PATH_TEXT_MAX];
    const enum path_depth depth = path_depth(place);
    if (depth == PATH_KEY)
        return error_set(ERR_INVALID, "'%s' is a key: its versions are purged (emsa purge %s@REV)",
                         path_text(place, text), text);
    int error = rev ? check_path(place, depth) : no_revision();
    if (!error)
        error = gather_add(&change->gather, OPERATION_COMPACT, place, NULL, 0, NULL);
    if (!error)
        last_wish(change)->rev = rev;
    return error;
}

static int check_rights(enum operation_kind kind, const struct path *place, const char *principal,
                        unsigned rights)
{
    char text[PATH_TEXT_MAX];
    const enum path_depth depth = path_depth(place);
    if (depth == PATH_KEY)
        return error_set(
            ERR_INVALID,
            "'%s' is a key: rights are held to a service, an environment or everything",
            path_text(place, text));
    if ((!rights && kind == OPERATION_RIGHTS_GRANT) || rights & ~(unsigned)GRANT_ALL)
        return error_set(ERR_INVALID, "no right is named, or one that there is not");
    const int error = principal_check(principal, strlen(principal));
    return error ? error : check_path(place, depth);
}

static int add_rights(struct change *change, enum operation_kind kind, const struct path *place,
                      const char *principal, unsigned rights)
{
    int error = check_rights(kind, place, principal, rights);
    if (error)
        return error;
    const char *copy = gather_copy(&change->gather, principal, strlen(principal));
    if (!copy)
        return -ERR_NOMEM;
    error = gather_add(&change->gather, kind, place, NULL, 0, NULL);
    if (error)
        return error;
    last_wish(change)->with = copy;
    last_wish(change)->rights = rights;
    change->gather.additions += principal_is_identity(principal); /* new keys take room */
    return 0;
}

int change_identity(struct change *change, const char *name, const char *text)
{
    unsigned char open[CRYPTO_KEY_SIZE], sign[CRYPTO_KEY_SIZE];
    int error = identity_name_check(name, strlen(name));
    if (!error)
        error = identity_public_parse(open, sign, text, strlen(text));
    if (error)
        return error;
    const char *copy = gather_copy(&change->gather, name, strlen(name));
    if (!copy)
        return -ERR_NOMEM;
    error = gather_add(&change->gather, OPERATION_IDENTITY, &(struct path){0}, text, strlen(text),
                       NULL);
    if (!error)
        last_wish(change)->with = copy;
    return error;
}

int change_rotate(struct change *change, const struct path *place, bool reencrypt)
{
    const enum path_depth depth = path_depth(place);
    if (depth != PATH_ENVIRONMENT && depth != PATH_SERVICE)
        return error_set(ERR_INVALID, "environments and services have keys: ENV or ENV/SERVICE");
    int error = check_path(place, depth);
    if (!error)
        error = gather_add(&change->gather, GATHER_ROTATE, place, NULL, 0, NULL);
    if (!error)
        last_wish(change)->reencrypts = reencrypt;
    return error;
}

int change_grant(struct change *change, const struct path *place, const char *principal,
                 unsigned rights)
{
    return add_rights(change, OPERATION_RIGHTS_GRANT, place, principal, rights);
}

int change_revoke(struct change *change, const struct path *place, const char *principal,
                  unsigned rights)
{
    return add_rights(change, OPERATION_RIGHTS_REVOKE, place, principal, rights);
}

int change_ttl(struct change *change, uint64_t seconds)
{
    struct wish *wish = change->gather.count ? last_wish(change) : NULL;
    if (!wish || (!operation_is_set(wish->kind) && wish->kind != GATHER_SEALED))
        return error_set(ERR_INVALID, "only a key that is set can have a time to live");
    const int error = check_ttl(seconds);
    if (!error)
        wish->ttl = seconds;
    return error;
}

struct schema_faults { /* of a schema, for a message */
    char text[ERROR_TEXT_MAX / 2];
    size_t size;
    size_t count;
};

static int tell_fault(void *arg, const char *key, const char *member, const char *text)
{
    struct schema_faults *faults = arg;
    const size_t room = sizeof faults->text - faults->size;
    const int written =
        snprintf(faults->text + faults->size, room, "%s'%s'%s%s %s", faults->count ? "\n" : "",
                 key[0] ? key : "schema", member[0] ? ": " : "", member, text);
    faults->count++;
    if (written > 0 && (size_t)written < room)
        faults->size += (size_t)written;
    else
        faults->text[faults->size] = '\0'; /* no half lines */
    return 0;
}

static int check_schema(const struct path *service, const struct schema *schema)
{
    struct schema_faults faults = {.size = 0};
    if (strcmp(schema->service, service->service) != 0)
        return error_set(ERR_INVALID, "the schema is of service '%s', and not of '%s'",
                         schema->service, service->service);
    const int error = schema_check(schema, tell_fault, &faults);
    return error || !faults.count ? error : error_set(ERR_INVALID, "%s", faults.text);
}

int change_schema_set(struct change *change, const struct path *service,
                      const struct schema *schema)
{
    struct bytes bytes = BYTES_INIT(SCHEMA_SIZE_MAX);
    int error = check_path(service, PATH_SERVICE);
    if (!error)
        error = check_schema(service, schema);
    if (error)
        return error;
    schema_encode(&bytes, schema);
    if (bytes.error == -ERR_INVALID)
        error = error_set(ERR_INVALID, "the schema of '%s' has more than %u bytes",
                          service->service, SCHEMA_SIZE_MAX);
    else
        error = bytes.error;
    if (!error)
        error = gather_add(&change->gather, OPERATION_SCHEMA_SET, service, bytes.data, bytes.size,
                           NULL);
    bytes_release(&bytes);
    return error;
}

int change_schema_remove(struct change *change, const struct path *service)
{
    const int error = check_path(service, PATH_SERVICE);
    return error ? error
                 : gather_add(&change->gather, OPERATION_SCHEMA_REMOVE, service, NULL, 0, NULL);
}

bool change_brings_values(const struct change *change)
{
    for (size_t i = 0; i < change->gather.count; i++) {
        const enum operation_kind kind = change->gather.wishes[i].kind;
        if (operation_has_value(kind) || kind == GATHER_SEALED || kind == GATHER_COPY ||
            kind == GATHER_MOVE)
            return true;
    }
    return false;
}

int change_remove_due(struct change *change)
{
    return gather_add(&change->gather, GATHER_REMOVE_DUE, &(struct path){0}, NULL, 0, NULL);
}

int change_remove(struct change *change, const struct path *key)
{
    const int error = check_path(key, PATH_KEY);
    return error ? error : gather_add(&change->gather, OPERATION_REMOVE, key, NULL, 0, NULL);
}

int change_remove_all(struct change *change, const struct path *path)
{
    const enum path_depth depth = path_depth(path);
    if (depth != PATH_ENVIRONMENT && depth != PATH_SERVICE)
        return error_set(ERR_INVALID, "only an environment or a service can be removed with all "
                                      "that is in it");
    const int error = check_path(path, depth);
    return error ? error : gather_add(&change->gather, GATHER_REMOVE_ALL, path, NULL, 0, NULL);
}
