#include "tools/emsa/intake.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/hidden.h"

#define MESSAGE_MAX 1024
#define HOPS_MAX 8 /* of references, one after the other: the store's rule */

void intake_release(struct intake *intake)
{
    secret_release(&intake->text);
    free(intake->parts);
    free(intake->keys);
    free(intake->services);
    free(intake->table);
    for (size_t i = 0; i < intake->file_count; i++)
        free(intake->files[i]);
    free(intake->files);
    text_blocks_release(&intake->names);
    *intake = (struct intake){.note = intake->note};
}

void intake_note(const struct intake *intake, const char *format, ...)
{
    char text[MESSAGE_MAX];
    if (intake->note == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    intake->note(text);
}

int intake_fail(const char *file, unsigned line, const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(ERR_INVALID, "%s, line %u: %s", file, line, text);
}

void intake_note_at(const struct intake *intake, const char *file, unsigned line,
                    const char *format, ...)
{
    char text[MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    intake_note(intake, "%.256s, line %u: %s", file, line, text);
}

static int grow(void **list, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return 0;
    size_t wanted = *room == 0 ? 64 : *room * 2;
    void *moved = realloc(*list, wanted * size);
    if (moved == NULL)
        return error_set(ERR_NOMEM, "no memory for %zu keys and services", wanted);
    *list = moved;
    *room = wanted;
    return 0;
}

const char *intake_file(struct intake *intake, const char *name)
{
    for (size_t i = 0; i < intake->file_count; i++)
        if (strcmp(intake->files[i], name) == 0)
            return intake->files[i];
    char **files = realloc(intake->files, (intake->file_count + 1) * sizeof *files);
    char *copy = strdup(name);
    if (files != NULL)
        intake->files = files;
    if (files == NULL || copy == NULL) {
        free(copy);
        error_set(ERR_NOMEM, "no memory for a file's name");
        return NULL;
    }
    return files[intake->file_count++] = copy;
}

size_t intake_find_service(const struct intake *intake, const char *name)
{
    for (size_t i = 0; i < intake->service_count; i++)
        if (strcmp(intake->services[i].name, name) == 0)
            return i;
    return INTAKE_NONE;
}

int intake_service(struct intake *intake, size_t *out, const char *name, size_t length,
                   const char *file, unsigned line)
{
    char text[SERVICE_NAME_MAX + 1];
    if (name_check(NAME_SERVICE, name, length) < 0) {
        char why[MESSAGE_MAX];
        snprintf(why, sizeof why, "%s", error_text());
        return intake_fail(file, line, "%s", why);
    }
    memcpy(text, name, length);
    text[length] = '\0';
    *out = intake_find_service(intake, text);
    if (*out != INTAKE_NONE)
        return 0;
    void *list = intake->services;
    int error = grow(&list, &intake->service_room, intake->service_count, sizeof *intake->services);
    intake->services = list;
    if (error < 0)
        return error;
    *out = intake->service_count++;
    intake->services[*out] = (struct intake_service){0};
    memcpy(intake->services[*out].name, text, length + 1);
    return 0;
}

/* FNV-1a: names are few and short, and nobody gains from making them meet. */
static size_t hash_of(size_t service, const char *name, size_t length)
{
    uint64_t hash = 14695981039346656037u ^ service;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)name[i]) * 1099511628211u;
    return (size_t)(hash ^ hash >> 29);
}

/* The key's slot in the table, or the free one where it would stand. */
static struct intake_slot *slot_of(const struct intake *intake, size_t hash, size_t service,
                                   const char *name, size_t length)
{
    size_t mask = intake->table_room - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) {
        struct intake_slot *slot = &intake->table[at];
        if (slot->key == INTAKE_NONE)
            return slot;
        if (slot->hash != hash)
            continue;
        const struct intake_key *key = &intake->keys[slot->key];
        if (key->service == service && strlen(key->name) == length &&
            memcmp(key->name, name, length) == 0)
            return slot;
    }
}

size_t intake_find(const struct intake *intake, size_t service, const char *name, size_t length)
{
    if (intake->table_room == 0)
        return INTAKE_NONE;
    return slot_of(intake, hash_of(service, name, length), service, name, length)->key;
}

/* All keys of a table differ, so the next free slot is a key's. */
static void move_slot(struct intake_slot *table, size_t mask, struct intake_slot slot)
{
    size_t at = slot.hash & mask;
    while (table[at].key != INTAKE_NONE)
        at = (at + 1) & mask;
    table[at] = slot;
}

static int grow_table(struct intake *intake)
{
    if (intake->key_count * 2 < intake->table_room)
        return 0;
    size_t room = intake->table_room == 0 ? 256 : intake->table_room * 2;
    struct intake_slot *table = malloc(room * sizeof *table);
    if (table == NULL)
        return error_set(ERR_NOMEM, "no memory for %zu keys", room);
    for (size_t i = 0; i < room; i++)
        table[i] = (struct intake_slot){.key = INTAKE_NONE};
    for (size_t i = 0; i < intake->table_room; i++)
        if (intake->table[i].key != INTAKE_NONE)
            move_slot(table, room - 1, intake->table[i]);
    free(intake->table);
    intake->table = table;
    intake->table_room = room;
    return 0;
}

void intake_draft(struct intake *intake)
{
    intake->draft =
        (struct intake_value){.offset = intake->text.size, .first_part = intake->part_count};
}

const char *intake_drafted(const struct intake *intake)
{
    return intake->draft.size > 0 ? (const char *)intake->text.data + intake->draft.offset : "";
}

static struct intake_part *last_part(struct intake *intake)
{
    return intake->draft.part_count > 0 ? &intake->parts[intake->part_count - 1] : NULL;
}

static int add_part(struct intake *intake, size_t key, size_t size)
{
    struct intake_part *last = last_part(intake);
    if (key == INTAKE_NONE && last != NULL && last->key == INTAKE_NONE) {
        last->size += size;
    } else {
        void *list = intake->parts;
        int error = grow(&list, &intake->part_room, intake->part_count, sizeof *intake->parts);
        intake->parts = list;
        if (error < 0)
            return error;
        intake->parts[intake->part_count++] = (struct intake_part){key, intake->draft.size, size};
        intake->draft.part_count++;
    }
    intake->draft.size += size;
    return 0;
}

static int check_size(const struct intake *intake, size_t more)
{
    if (intake->draft.size + more <= VALUE_MAX)
        return 0;
    return error_set(ERR_INVALID, "a value over %u bytes", VALUE_MAX);
}

int intake_text(struct intake *intake, const void *data, size_t size)
{
    if (size == 0)
        return 0;
    int error = check_size(intake, size);
    if (error == 0)
        error = hidden_append(&intake->text, data, size);
    return error < 0 ? error : add_part(intake, INTAKE_NONE, size);
}

int intake_reference(struct intake *intake, size_t key)
{
    struct intake_value from = intake->keys[key].value;
    int error = check_size(intake, from.size);
    /* the bytes are copied within what may move when it grows */
    if (error == 0 && intake->text.capacity - intake->text.size < from.size)
        error = secret_grow(&intake->text, intake->text.size + from.size + intake->text.size / 2);
    if (error == 0 && from.size > 0)
        error = hidden_append(&intake->text, intake->text.data + from.offset, from.size);
    return error < 0 ? error : add_part(intake, key, from.size);
}

void intake_behead(struct intake *intake, size_t size)
{
    struct intake_value *draft = &intake->draft;
    size_t kept = 0;
    struct intake_part *parts = intake->parts + draft->first_part;
    for (size_t i = 0; i < draft->part_count; i++) {
        struct intake_part part = parts[i];
        if (part.offset + part.size <= size && !(part.size == 0 && part.offset == size))
            continue;
        if (part.offset < size) {
            part.size -= size - part.offset;
            part.offset = size; /* of a reference: no longer all of it, so intake_settle ends it */
        }
        part.offset -= size;
        parts[kept++] = part;
    }
    intake->part_count = draft->first_part + kept;
    draft->part_count = kept;
    draft->offset += size;
    draft->size -= size;
}

void intake_undraft(struct intake *intake, size_t size)
{
    struct intake_value *draft = &intake->draft;
    if (draft->size > size)
        explicit_bzero(intake->text.data + draft->offset + size, draft->size - size);
    intake->text.size -= draft->size - size;
    draft->size = size;
    while (draft->part_count > 0 && last_part(intake)->offset >= size) {
        intake->part_count--;
        draft->part_count--;
    }
    if (draft->part_count > 0)
        last_part(intake)->size = size - last_part(intake)->offset;
}

int intake_set(struct intake *intake, size_t service, const char *name, size_t length,
               const char *file, unsigned line, size_t *out)
{
    if (name_check(NAME_KEY, name, length) < 0) {
        char why[MESSAGE_MAX];
        snprintf(why, sizeof why, "%s", error_text());
        return intake_fail(file, line, "%s", why);
    }
    int error = grow_table(intake);
    void *list = intake->keys;
    if (error == 0)
        error = grow(&list, &intake->key_room, intake->key_count, sizeof *intake->keys);
    intake->keys = list;
    if (error < 0)
        return error;
    size_t hash = hash_of(service, name, length);
    struct intake_slot *slot = slot_of(intake, hash, service, name, length);
    const char *known = slot->key == INTAKE_NONE ? text_blocks_copy(&intake->names, name, length)
                                                 : intake->keys[slot->key].name;
    if (known == NULL)
        return error_set(ERR_NOMEM, "no memory for the name of a key");
    if (slot->key == INTAKE_NONE)
        *slot = (struct intake_slot){intake->key_count++, hash};
    struct intake_key *key = &intake->keys[slot->key];
    *key = (struct intake_key){.service = service,
                               .name = known,
                               .file = file,
                               .line = line,
                               .value = intake->draft,
                               .setting = ++intake->settings,
                               .asked_by = INTAKE_NONE};
    if (out != NULL)
        *out = slot->key;
    return 0;
}

const unsigned char *intake_bytes(const struct intake *intake, const struct intake_key *key)
{
    return key->value.size > 0 ? intake->text.data + key->value.offset : (const unsigned char *)"";
}

bool intake_has(const struct intake *intake, const struct intake_key *key)
{
    return !key->dropped && !intake->services[key->service].absent;
}

enum intake_form intake_form(const struct intake *intake, const struct intake_key *key)
{
    const struct intake_part *parts = intake->parts + key->value.first_part;
    bool refers = false;
    if (key->flat)
        return INTAKE_VALUE;
    for (size_t i = 0; i < key->value.part_count; i++)
        refers = refers || parts[i].key != INTAKE_NONE;
    if (!refers)
        return INTAKE_VALUE;
    return key->value.part_count == 1 ? INTAKE_LINK : INTAKE_TEMPLATE;
}

static int compare_settings(const void *a, const void *b, void *keys)
{
    unsigned long x = ((const struct intake_key *)keys)[*(const size_t *)a].setting;
    unsigned long y = ((const struct intake_key *)keys)[*(const size_t *)b].setting;
    return x < y ? -1 : x > y;
}

int intake_order(const struct intake *intake, size_t **out)
{
    size_t *order = calloc(intake->key_count > 0 ? intake->key_count : 1, sizeof *order);
    if (order == NULL)
        return error_set(ERR_NOMEM, "no memory for %zu keys", intake->key_count);
    bool in_order = true; /* but where a key was set again */
    for (size_t i = 0; i < intake->key_count; i++) {
        order[i] = i;
        in_order = in_order && (i == 0 || intake->keys[i - 1].setting < intake->keys[i].setting);
    }
    if (!in_order)
        qsort_r(order, intake->key_count, sizeof *order, compare_settings, intake->keys);
    *out = order;
    return 0;
}

/* Whether a reference gives the bytes that it stands for: its target was set before, and is as it
 * was then. */
static bool part_holds(const struct intake *intake, const struct intake_key *key,
                       const struct intake_part *part)
{
    if (part->key == INTAKE_NONE)
        return true;
    const struct intake_key *target = &intake->keys[part->key];
    return intake_has(intake, target) && target->setting < key->setting &&
           target->value.size == part->size &&
           memcmp(intake_bytes(intake, target), intake_bytes(intake, key) + part->offset,
                  part->size) == 0;
}

/* How many references one after the other it takes; 0 for a value of its own. */
static unsigned settle_key(struct intake *intake, struct intake_key *key, const unsigned *hops)
{
    const struct intake_part *parts = intake->parts + key->value.first_part;
    unsigned most = 0;
    for (size_t i = 0; i < key->value.part_count && !key->flat; i++) {
        key->flat = !part_holds(intake, key, &parts[i]);
        if (parts[i].key != INTAKE_NONE && hops[parts[i].key] + 1 > most)
            most = hops[parts[i].key] + 1;
    }
    if (most > HOPS_MAX)
        key->flat = true;
    return key->flat ? 0 : most;
}

int intake_settle(struct intake *intake)
{
    size_t *order = NULL;
    int error = intake_order(intake, &order);
    unsigned *hops = calloc(intake->key_count > 0 ? intake->key_count : 1, sizeof *hops);
    if (error == 0 && hops == NULL)
        error = error_set(ERR_NOMEM, "no memory for %zu keys", intake->key_count);
    for (size_t i = 0; i < intake->key_count && error == 0; i++) {
        struct intake_key *key = &intake->keys[order[i]];
        hops[order[i]] = settle_key(intake, key, hops);
        if (key->flat && intake_has(intake, key))
            intake_note_at(intake, key->file, key->line,
                           "'%s/%s' is set as a value of its own: a reference would not give what "
                           "is there",
                           intake->services[key->service].name, key->name);
    }
    free(order);
    free(hops);
    return error;
}
