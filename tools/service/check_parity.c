/* Check: keys that are in one environment and not in another, side by side. */
#include <stdlib.h>
#include <string.h>

#include "store/bytes.h"
#include "store/error.h"
#include "tools/service/check.h"
#include "tools/service/find.h"
#include "tools/service/parameter.h"

#define SIDES_MAX 32u

struct side { /* one of the environments */
    struct environment environment;
    char base[ENVIRONMENT_NAME_MAX + 1];
    struct service service; /* the next of its services, */
    bool has_service;       /* if there is one */
    bool is_in;             /* that is the one that is compared now */
    struct entry entry;
    bool has_entry;
    uint64_t keys; /* of the service, so far */
    struct schema schema;
    bool has_schema;
};

struct parity {
    struct check *check;
    struct side *sides;
    size_t count;
    bool is_alone; /* nobody else has told of the services */
};

/* "'dev', 'test'": those where the predicate holds. */
static void name_sides(const struct parity *parity, struct bytes *out,
                       bool (*holds)(const struct side *, const char *), const char *name)
{
    for (size_t i = 0; i < parity->count; i++)
        if (holds(&parity->sides[i], name))
            bytes_append_format(out, "%s'%s'", out->size > 0 ? ", " : "",
                                parity->sides[i].environment.name);
    bytes_append(out, "", 1);
}

static bool has_key(const struct side *side, const char *key)
{
    return side->is_in && side->has_entry && strcmp(side->entry.key, key) == 0;
}

static bool has_service(const struct side *side, const char *service)
{
    return side->has_service && strcmp(side->service.name, service) == 0;
}

/* What a schema says of it */

static bool names(const struct type_words *words, const struct side *side)
{
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(words->words[i], side->environment.name) == 0 ||
            (side->base[0] != '\0' && strcmp(words->words[i], side->base) == 0))
            return true;
    return false;
}

/* Said of that environment: the key may not be there, need not be where it must be elsewhere, or is
 * on its way out. */
static bool may_lack(const struct schema_key *key, const struct side *side)
{
    if (key->is_deprecated || (key->in.count > 0 && !names(&key->in, side)))
        return true;
    return key->required.count > 0 && !names(&key->required, side);
}

/* By the schema that is in force there, or else by one of those where the key is. */
static bool is_meant(const struct parity *parity, const struct side *side, const char *key)
{
    const struct schema_key *found = side->has_schema ? schema_find(&side->schema, key) : NULL;
    if (found != NULL)
        return may_lack(found, side);
    for (size_t i = 0; i < parity->count; i++) {
        const struct side *other = &parity->sides[i];
        if (!has_key(other, key) || !other->has_schema)
            continue;
        found = schema_find(&other->schema, key);
        if (found != NULL && may_lack(found, side))
            return true;
    }
    return false;
}

/* Keys of one service */

static int next_key(struct parity *parity, struct side *side)
{
    char after[KEY_NAME_MAX + 1];
    memcpy(after, side->entry.key, sizeof after);
    int found = snapshot_next_entry(parity->check->snapshot, &side->entry, side->environment.id,
                                    side->service.id, after);
    side->has_entry = found == 0;
    side->keys += found == 0;
    return found < 0 ? found : 0;
}

static int begin_service(struct parity *parity, struct side *side)
{
    struct schema_place place;
    side->entry = (struct entry){0};
    side->keys = 0;
    int found = snapshot_schema(parity->check->snapshot, &side->schema, &place,
                                side->environment.id, side->service.id);
    side->has_schema = found == 0;
    return found < 0 ? found : next_key(parity, side);
}

static int compare_key(struct parity *parity, const char *key)
{
    struct bytes have BYTES_CLEANUP = BYTES_INIT(4096);
    name_sides(parity, &have, has_key, key);
    for (size_t i = 0; i < parity->count; i++) {
        const struct side *side = &parity->sides[i];
        if (!side->is_in || has_key(side, key) || is_meant(parity, side, key))
            continue;
        struct path path;
        int error = path_make(&path, side->environment.name, side->service.name, key);
        if (error == 0)
            error = check_found(parity->check, SEVERITY_ERROR, "parity", &path, 0,
                                "is in %s, and not here", (const char *)have.data);
        if (error < 0)
            return error;
    }
    return have.error;
}

static const char *least_key(const struct parity *parity)
{
    const char *least = NULL;
    for (size_t i = 0; i < parity->count; i++) {
        const struct side *side = &parity->sides[i];
        if (side->is_in && side->has_entry && (least == NULL || strcmp(side->entry.key, least) < 0))
            least = side->entry.key;
    }
    return least;
}

static int compare_keys(struct parity *parity)
{
    const char *least;
    int error = 0;
    while (error == 0 && (least = least_key(parity)) != NULL) {
        char key[KEY_NAME_MAX + 1];
        memcpy(key, least, strlen(least) + 1);
        error = compare_key(parity, key);
        for (size_t i = 0; i < parity->count && error == 0; i++)
            if (has_key(&parity->sides[i], key))
                error = next_key(parity, &parity->sides[i]);
    }
    return error;
}

/* Services */

static int tell_absent(struct parity *parity, const char *service)
{
    struct bytes have BYTES_CLEANUP = BYTES_INIT(4096);
    name_sides(parity, &have, has_service, service);
    for (size_t i = 0; i < parity->count; i++) {
        const struct side *side = &parity->sides[i];
        struct path path;
        if (has_service(side, service))
            continue;
        int error = path_make(&path, side->environment.name, service, NULL);
        if (error == 0)
            error = check_found(parity->check, SEVERITY_ERROR, "parity", &path, 0,
                                "the service is in %s, and not here", (const char *)have.data);
        if (error < 0)
            return error;
    }
    return have.error;
}

static int tell_services(struct parity *parity)
{
    int error = 0;
    for (size_t i = 0; i < parity->count && error == 0 && parity->is_alone; i++) {
        const struct side *side = &parity->sides[i];
        struct path path;
        if (!side->is_in)
            continue;
        error = path_make(&path, side->environment.name, side->service.name, NULL);
        if (error == 0)
            error = check_service_told(parity->check, &path, side->keys, NULL);
    }
    return error;
}

static int compare_service(struct parity *parity, const char *service)
{
    int error = tell_absent(parity, service);
    for (size_t i = 0; i < parity->count && error == 0; i++) {
        struct side *side = &parity->sides[i];
        side->is_in = has_service(side, service);
        side->has_schema = false;
        if (side->is_in)
            error = begin_service(parity, side);
    }
    if (error == 0)
        error = compare_keys(parity);
    if (error == 0)
        error = tell_services(parity);
    for (size_t i = 0; i < parity->count; i++)
        if (parity->sides[i].is_in)
            schema_release(&parity->sides[i].schema);
    return error;
}

static int next_service(struct parity *parity, struct side *side)
{
    char after[SERVICE_NAME_MAX + 1];
    memcpy(after, side->service.name, sizeof after);
    int found =
        snapshot_next_service(parity->check->snapshot, &side->service, side->environment.id, after);
    side->has_service = found == 0;
    return found < 0 ? found : 0;
}

static const char *least_service(const struct parity *parity)
{
    const char *least = NULL;
    for (size_t i = 0; i < parity->count; i++) {
        const struct side *side = &parity->sides[i];
        if (side->has_service && (least == NULL || strcmp(side->service.name, least) < 0))
            least = side->service.name;
    }
    return least;
}

static int compare_all(struct parity *parity)
{
    const char *wanted = parity->check->scope.service, *least;
    int error = 0;
    for (size_t i = 0; i < parity->count && error == 0; i++)
        error = next_service(parity, &parity->sides[i]);
    while (error == 0 && (least = least_service(parity)) != NULL) {
        char service[SERVICE_NAME_MAX + 1];
        memcpy(service, least, strlen(least) + 1);
        if (wanted[0] == '\0' || strcmp(wanted, service) == 0)
            error = compare_service(parity, service);
        for (size_t i = 0; i < parity->count && error == 0; i++)
            if (has_service(&parity->sides[i], service))
                error = next_service(parity, &parity->sides[i]);
    }
    return error;
}

static int open_side(struct parity *parity, struct side *side, json_t *text)
{
    struct check *check = parity->check;
    struct path path;
    int error = path_of(text, &path);
    if (error < 0)
        return error;
    if (path_depth(&path) != PATH_ENVIRONMENT || strcmp(path.environment, "all") == 0)
        return error_set(ERR_INVALID, "'%s' is no environment to compare with others",
                         json_string_value(text));
    for (size_t i = 0; i + 1 < parity->count; i++)
        if (strcmp(parity->sides[i].environment.name, path.environment) == 0)
            return error_set(ERR_INVALID, "'%s' is named twice", path.environment);
    error = rights_judge(check->request->service, &check->request->call->caller, RIGHT_READ,
                         "Check", &path);
    if (error == 0)
        error = find_environment(check->snapshot, &side->environment, &path);
    if (error == 0 && side->environment.base != 0)
        error = snapshot_environment_name(check->snapshot, side->base, side->environment.base);
    return error;
}

int check_parity(struct check *check, json_t *list)
{
    struct parity parity = {.check = check, .is_alone = json_array_size(check->services) == 0};
    size_t index;
    json_t *text;
    int error = 0;
    if (!json_is_array(list) || json_array_size(list) < 2 || json_array_size(list) > SIDES_MAX)
        return error_set(ERR_INVALID, "parity is of two environments or more, at most %u",
                         SIDES_MAX);
    parity.sides = calloc(json_array_size(list), sizeof *parity.sides);
    if (parity.sides == NULL)
        return error_set(ERR_NOMEM, "no memory for a check");
    json_array_foreach(list, index, text)
    {
        parity.count++;
        error = open_side(&parity, &parity.sides[index], text);
        if (error < 0)
            break;
    }
    if (error == 0)
        error = compare_all(&parity);
    free(parity.sides);
    return error;
}
