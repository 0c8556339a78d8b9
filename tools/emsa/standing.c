#include "tools/emsa/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/template.h"

#define DEPTH_MAX 8 /* of the store too */

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for what an environment defines");
}

int standings_init(struct standings *set)
{
    *set = (struct standings){.index = json_object(), .taken = json_object()};
    return set->index != NULL && set->taken != NULL ? 0 : no_memory();
}

void standings_release(struct standings *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->list[i].names);
        free(set->list[i].owned);
    }
    free(set->list);
    json_decref(set->index);
    json_decref(set->taken);
    *set = (struct standings){0};
}

static const char *place_of(char out[static REFERENCE_TEXT_MAX], const char *service,
                            const char *key)
{
    snprintf(out, REFERENCE_TEXT_MAX, "%s/%s", service, key);
    return out;
}

static int room_for_one(struct standings *set)
{
    if (set->count < set->capacity)
        return 0;
    size_t capacity = set->capacity == 0 ? 64 : set->capacity * 2;
    struct standing *list = realloc(set->list, capacity * sizeof *list);
    if (list == NULL)
        return no_memory();
    set->list = list;
    set->capacity = capacity;
    return 0;
}

int standings_add(struct standings *set, struct standing **out, const char *service,
                  const char *key, const char *value, size_t size)
{
    char place[REFERENCE_TEXT_MAX];
    size_t behind = strlen(service) + 1;
    int error = room_for_one(set);
    char *names = error < 0 ? NULL : malloc(behind + strlen(key) + 1);
    if (names == NULL)
        return error < 0 ? error : no_memory();
    memcpy(names, service, behind);
    memcpy(names + behind, key, strlen(key) + 1);
    struct standing *standing = &set->list[set->count];
    *standing = (struct standing){.service = names,
                                  .key = names + behind,
                                  .names = names,
                                  .kind = ENTRY_PLAIN,
                                  .text = value,
                                  .size = size,
                                  .was = value,
                                  .was_size = size,
                                  .is_own = true};
    set->count++; /* from here on its names are the set's */
    if (json_object_set_new(set->index, place_of(place, service, key),
                            json_integer((json_int_t)set->count - 1)) < 0)
        return no_memory();
    *out = standing;
    return strcmp(service, SHARED) == 0 ? standings_take(set, key) : 0;
}

size_t standings_find(const struct standings *set, const char *service, const char *key)
{
    char place[REFERENCE_TEXT_MAX];
    json_t *at = json_object_get(set->index, place_of(place, service, key));
    return at != NULL ? (size_t)json_integer_value(at) : STANDING_NONE;
}

int standings_take(struct standings *set, const char *key)
{
    return json_object_set_new(set->taken, key, json_true()) == 0 ? 0 : no_memory();
}

/* wanted, or the first of wanted_2, wanted_3, ... that is free. */
static void free_name(const struct standings *set, char out[static KEY_NAME_MAX + 1],
                      const char *wanted)
{
    snprintf(out, KEY_NAME_MAX + 1, "%s", wanted);
    for (unsigned n = 2; json_object_get(set->taken, out) != NULL; n++) {
        char number[16];
        int length = snprintf(number, sizeof number, "_%u", n);
        snprintf(out, KEY_NAME_MAX + 1, "%.*s%s", KEY_NAME_MAX - length, wanted, number);
    }
}

int standings_make(struct standings *set, size_t *out, const char *wanted, const char *value,
                   size_t size)
{
    char name[KEY_NAME_MAX + 1];
    struct standing *standing;
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return no_memory();
    memcpy(copy, value, size);
    free_name(set, name, wanted);
    int error = standings_add(set, &standing, SHARED, name, copy, size);
    if (error < 0) { /* what was added in part is released with the set, and has no text then */
        free(copy);
        return error;
    }
    standing->owned = copy;
    standing->was = NULL;
    standing->is_home = true;
    standing->turn = ++set->turns;
    *out = set->count - 1;
    return 0;
}

void standings_rewrite(struct standings *set, size_t at, enum entry_kind kind, char *text,
                       size_t size)
{
    struct standing *standing = &set->list[at];
    free(standing->owned);
    standing->owned = text;
    standing->text = text;
    standing->size = size;
    standing->kind = kind;
    standing->turn = ++set->turns;
}

int standings_link(struct standings *set, size_t at, size_t home)
{
    char *text = malloc(REFERENCE_TEXT_MAX);
    if (text == NULL)
        return no_memory();
    place_of(text, SHARED, set->list[home].key);
    standings_rewrite(set, at, ENTRY_LINK, text, strlen(text));
    return 0;
}

static int read_one(const struct standings *set, size_t at, unsigned depth, struct bytes *out);

static int follow(const struct standings *set, const struct standing *from,
                  const struct reference *reference, unsigned depth, struct bytes *out)
{
    const char *service = reference->service[0] != '\0' ? reference->service : from->service;
    size_t target = standings_find(set, service, reference->key);
    if (target == STANDING_NONE || depth == DEPTH_MAX)
        return error_set(ERR_REFUSED, "'%s/%s' would refer to '%s/%s', which is not to be read",
                         from->service, from->key, service, reference->key);
    return read_one(set, target, depth + 1, out);
}

static int read_template(const struct standings *set, const struct standing *standing,
                         unsigned depth, struct bytes *out)
{
    struct template template = {.text = standing->text, .size = standing->size};
    struct template_piece piece;
    int found;
    while ((found = template_next(&template, &piece)) == 0) {
        if (piece.kind == TEMPLATE_TEXT)
            bytes_append(out, piece.text, piece.size);
        else if ((found = follow(set, standing, &piece.reference, depth, out)) < 0)
            return found;
    }
    return found < 0 ? found : 0;
}

static int read_one(const struct standings *set, size_t at, unsigned depth, struct bytes *out)
{
    const struct standing *standing = &set->list[at];
    struct reference reference;
    if (standing->turn == 0) { /* the store put it together */
        bytes_append(out, standing->was, standing->was_size);
        return 0;
    }
    if (standing->kind == ENTRY_TEMPLATE)
        return read_template(set, standing, depth, out);
    if (standing->kind == ENTRY_LINK) {
        int error = link_parse(&reference, standing->text, standing->size);
        return error < 0 ? error : follow(set, standing, &reference, depth, out);
    }
    bytes_append(out, standing->text, standing->size);
    return 0;
}

int standings_read(const struct standings *set, size_t at, struct bytes *out)
{
    int error = read_one(set, at, 0, out);
    if (error < 0)
        return error;
    return out->error == 0 ? 0 : no_memory();
}

int standings_check(const struct standings *set)
{
    struct bytes read BYTES_CLEANUP = BYTES_INIT(VALUE_MAX);
    for (size_t i = 0; i < set->count; i++) {
        const struct standing *standing = &set->list[i];
        if (standing->turn == 0 || standing->was == NULL)
            continue;
        bytes_reset(&read);
        int error = standings_read(set, i, &read);
        if (error < 0)
            return error;
        if (read.size != standing->was_size ||
            (read.size > 0 && memcmp(read.data, standing->was, read.size) != 0))
            return error_set(ERR_REFUSED, "'%s/%s' would not read as it does: nothing was changed",
                             standing->service, standing->key);
    }
    return 0;
}

void standings_count(const struct standings *set, size_t *before, size_t *after)
{
    *before = *after = 0;
    for (size_t i = 0; i < set->count; i++) {
        const struct standing *standing = &set->list[i];
        if (!standing->is_own)
            continue;
        *after += standing->kind == ENTRY_PLAIN;
        *before += standing->was != NULL && (standing->turn > 0 || standing->kind == ENTRY_PLAIN);
    }
}
