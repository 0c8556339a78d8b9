#include "tools/service/parts.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/relations.h"

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a copy of the environment");
}

void parts_release(struct parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        free(parts->list[i].key);
    free(parts->list);
    free(parts->services);
    *parts = (struct parts){0};
}

int parts_path(const struct parts *parts, const struct part *part, const char *environment,
               struct path *out)
{
    return path_make(out, environment, parts->services[part->service].name, part->key);
}

/* Gathering */

static void *grown(void *list, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity)
        return list;
    size_t wanted = *capacity == 0 ? 64 : *capacity * 2;
    void *next = realloc(list, wanted * size);
    if (next != NULL)
        *capacity = wanted;
    return next;
}

/* What shows where the environment's own definition is not: its base's, else that of `all`. */
static int find_beneath(struct parts *parts, const struct part *part, struct definition *out)
{
    uint32_t layers[LAYERS_MAX];
    int count = relation_layers(parts->snapshot, layers, parts->environment.id);
    for (int i = 1; i < count; i++) {
        struct entry entry;
        int found = snapshot_definition(parts->snapshot, &entry, layers[i],
                                        parts->services[part->service].id, part->key);
        if (found == 0)
            *out = entry.defined;
        if (found <= 0)
            return found;
    }
    return count < 0 ? count : NOT_THERE;
}

static int add_part(struct parts *parts, const struct entry *entry)
{
    void *list = grown(parts->list, &parts->capacity, parts->count, sizeof *parts->list);
    if (list == NULL)
        return no_memory();
    parts->list = list;
    struct part *part = &parts->list[parts->count];
    *part = (struct part){.service = parts->service_count - 1,
                          .key = strdup(entry->key),
                          .definition = entry->defined,
                          .expires = entry->expires,
                          .is_own = entry->defined.environment == parts->environment.id,
                          .is_there = true};
    if (part->key == NULL)
        return no_memory();
    parts->count++;
    part->is_secret = part->is_own && entry->defined.kind == ENTRY_SECRET;
    if (!part->is_secret)
        return 0;
    int found = find_beneath(parts, part, &part->definition);
    part->is_there = found == 0;
    return found < 0 ? found : 0;
}

static int add_service(struct parts *parts, const struct service *service)
{
    void *list = grown(parts->services, &parts->service_capacity, parts->service_count,
                       sizeof *parts->services);
    if (list == NULL)
        return no_memory();
    parts->services = list;
    struct parted_service *added = &parts->services[parts->service_count++];
    *added = (struct parted_service){.id = service->id};
    memcpy(added->name, service->name, sizeof added->name);
    struct entry entry = {0};
    for (;;) {
        char after[KEY_NAME_MAX + 1];
        memcpy(after, entry.key, sizeof after);
        int found =
            snapshot_next_entry(parts->snapshot, &entry, parts->environment.id, service->id, after);
        if (found == 0)
            found = add_part(parts, &entry);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

static int gather(struct parts *parts)
{
    struct service service = {0};
    for (;;) {
        char after[SERVICE_NAME_MAX + 1];
        memcpy(after, service.name, sizeof after);
        int found = snapshot_next_service(parts->snapshot, &service, parts->environment.id, after);
        if (found == 0)
            found = add_service(parts, &service);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

/* Judging */

static int compare(const struct parts *parts, const struct part *part, const char *service,
                   const char *key)
{
    int order = strcmp(parts->services[part->service].name, service);
    return order != 0 ? order : strcmp(part->key, key);
}

static bool is_there(const struct parts *parts, const char *service, const char *key)
{
    size_t low = 0, high = parts->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(parts, &parts->list[middle], service, key);
        if (order == 0)
            return parts->list[middle].is_there;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* 1: the reference leads to nothing in the copy; its name is in missing. */
static int misses(const struct parts *parts, const struct part *part,
                  const struct reference *reference, char missing[static REFERENCE_TEXT_MAX])
{
    const char *owner = parts->services[part->service].name;
    const char *service = reference->service[0] != '\0' ? reference->service : owner;
    if (is_there(parts, service, reference->key))
        return 0;
    reference_text(missing, reference, owner);
    return 1;
}

/* 1: something that it needs is not there. */
static int needs_more(const struct parts *parts, const struct part *part,
                      char missing[static REFERENCE_TEXT_MAX])
{
    struct secret scratch SECRET_CLEANUP = {0};
    const unsigned char *data;
    size_t size;
    struct reference reference;
    if (part->definition.kind != ENTRY_LINK && part->definition.kind != ENTRY_TEMPLATE)
        return 0;
    int error = snapshot_text(parts->snapshot, &data, &size, &part->definition, &scratch);
    if (error != 0)
        return error < 0 ? error : 0;
    struct template template = {.text = (const char *)data, .size = size};
    if (part->definition.kind == ENTRY_LINK) {
        error = link_parse(&reference, template.text, size);
        return error < 0 ? error : misses(parts, part, &reference, missing);
    }
    for (;;) {
        struct template_piece piece;
        int found = template_next(&template, &piece);
        if (found == 0 && piece.kind == TEMPLATE_REFERENCE)
            found = misses(parts, part, &piece.reference, missing);
        else if (found == TEMPLATE_END)
            return 0;
        if (found != 0)
            return found;
    }
}

/* It comes from beneath, so that only leaving its service away keeps it out. */
static void take_service_out(struct parts *parts, const struct part *part, const char *missing)
{
    struct parted_service *service = &parts->services[part->service];
    service->is_out = true;
    memcpy(service->needs, missing, sizeof service->needs);
    memcpy(service->because, part->key, strlen(part->key) + 1);
    for (size_t i = 0; i < parts->count; i++)
        if (parts->list[i].service == part->service)
            parts->list[i].is_there = false;
}

static int take_out(struct parts *parts, struct part *part, const char *missing, unsigned order)
{
    if (!part->is_own || part->is_left || part->is_secret) {
        take_service_out(parts, part, missing);
        return 0;
    }
    part->is_left = true;
    part->order = order;
    memcpy(part->needs, missing, sizeof part->needs);
    int found = find_beneath(parts, part, &part->definition);
    part->is_there = found == 0;
    return found < 0 ? found : 0;
}

/* What is left out makes others be left out, until nothing more follows. */
static int judge(struct parts *parts)
{
    unsigned order = 0;
    for (bool follows = true; follows;) {
        follows = false;
        for (size_t i = 0; i < parts->count; i++) {
            struct part *part = &parts->list[i];
            char missing[REFERENCE_TEXT_MAX];
            int found = part->is_there ? needs_more(parts, part, missing) : 0;
            if (found <= 0) {
                if (found < 0)
                    return found;
                continue;
            }
            int error = take_out(parts, part, missing, ++order);
            if (error < 0)
                return error;
            follows = true;
        }
    }
    return 0;
}

int parts_gather(struct parts *parts, struct snapshot *snapshot,
                 const struct environment *environment)
{
    *parts = (struct parts){.snapshot = snapshot, .environment = *environment};
    int error = gather(parts);
    return error < 0 ? error : judge(parts);
}
