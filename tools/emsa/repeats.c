#include "tools/emsa/repeats.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store/error.h"
#include "tools/emsa/endpoint.h"
#include "tools/emsa/wanted.h"

#define SMALL_MAX 5        /* bytes */
#define SMALL_NUMBER_MAX 8 /* of what begins with a digit: 8080, 30s, 0.25 */
#define PARTED_MAX 4096    /* a text that is longer is a document, and left as it is */

struct use { /* of a value, or of a part of one */
    const char *bytes;
    size_t size;
    const char *key; /* within which alone it means something; "" where it does everywhere */
    size_t at;       /* the standing that has it */
    const char *service;
    struct endpoint part;
    size_t home; /* what it will refer to */
};

struct uses {
    struct use *list;
    size_t count, capacity;
};

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for what is repeated");
}

static struct use *add_use(struct uses *uses)
{
    if (uses->count == uses->capacity) {
        size_t capacity = uses->capacity == 0 ? 64 : uses->capacity * 2;
        struct use *list = realloc(uses->list, capacity * sizeof *list);
        if (list == NULL)
            return NULL;
        uses->list = list;
        uses->capacity = capacity;
    }
    struct use *use = &uses->list[uses->count++];
    *use = (struct use){.key = "", .home = STANDING_NONE};
    return use;
}

bool repeats_is_small(const char *value, size_t size)
{
    static const char *const words[] = {"enabled", "disabled", "default"};
    if (size <= SMALL_MAX || (isdigit((unsigned char)value[0]) && size <= SMALL_NUMBER_MAX))
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (size == strlen(words[i]) && strncasecmp(value, words[i], size) == 0)
            return true;
    return false;
}

static bool is_shared(const struct standing *standing)
{
    return strcmp(standing->service, SHARED) == 0;
}

/* What is as a whole what others may refer to. */
static bool is_home(const struct standings *set, const struct use *use)
{
    const struct standing *standing = &set->list[use->at];
    return standing->is_home && standing->kind == ENTRY_PLAIN && use->size == standing->size;
}

static int compare_bytes(const struct use *a, const struct use *b)
{
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    int order = a->size == 0 ? 0 : memcmp(a->bytes, b->bytes, a->size);
    return order != 0 ? order : strcmp(a->key, b->key);
}

static int compare(const void *left, const void *right)
{
    const struct use *a = left, *b = right;
    int order = compare_bytes(a, b);
    if (order == 0)
        order = strcmp(a->service, b->service);
    if (order == 0 && a->at != b->at)
        order = a->at < b->at ? -1 : 1;
    return order != 0 ? order
                      : (a->part.offset > b->part.offset) - (a->part.offset < b->part.offset);
}

static int compare_places(const void *left, const void *right)
{
    const struct use *a = left, *b = right;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return (a->part.offset > b->part.offset) - (a->part.offset < b->part.offset);
}

/* By several: `shared` is one as any other. Sorted by services. */
static bool is_repeated(const struct use *group, size_t count)
{
    return strcmp(group[0].service, group[count - 1].service) != 0;
}

/* The name that most of a group would give to it. */
static int name_group(const struct standings *set, const struct use *group, size_t count,
                      char out[static KEY_NAME_MAX + 1])
{
    struct wanted wanted = {0};
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++) {
        const struct use *use = &group[i];
        const struct standing *standing = &set->list[use->at];
        if (use->size == standing->size)
            error = wanted_add(&wanted, standing->key);
        else
            error = wanted_add_part(&wanted, standing->key, use->bytes, use->size);
    }
    if (error == 0)
        wanted_most(&wanted, out);
    wanted_release(&wanted);
    return error;
}

/* Gives a group its home: what stands in `shared`, best under the same name; else a new one. */
static int house_group(struct standings *set, struct use *group, size_t count)
{
    char name[KEY_NAME_MAX + 1];
    size_t home = STANDING_NONE;
    int error = name_group(set, group, count, name);
    if (error < 0)
        return error;
    for (size_t i = 0; i < count; i++)
        if (is_home(set, &group[i]) &&
            (home == STANDING_NONE || strcmp(set->list[group[i].at].key, name) == 0))
            home = group[i].at;
    if (home == STANDING_NONE)
        error = standings_make(set, &home, name, group[0].bytes, group[0].size);
    for (size_t i = 0; i < count && error == 0; i++)
        group[i].home = home;
    return error;
}

typedef bool (*group_test)(const struct standings *set, const struct use *group, size_t count);

static int house_all(struct standings *set, struct uses *uses, group_test fits)
{
    if (uses->count > 0)
        qsort(uses->list, uses->count, sizeof *uses->list, compare);
    for (size_t first = 0, next; first < uses->count; first = next) {
        struct use *group = &uses->list[first];
        for (next = first + 1; next < uses->count && compare_bytes(group, &uses->list[next]) == 0;)
            next++;
        if (!is_repeated(group, next - first) || !fits(set, group, next - first))
            continue;
        int error = house_group(set, group, next - first);
        if (error < 0)
            return error;
    }
    return 0;
}

/* Whole values */

static int gather_values(const struct standings *set, struct uses *uses)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct standing *standing = &set->list[i];
        if (standing->kind != ENTRY_PLAIN || standing->size == 0 ||
            (is_shared(standing) ? !standing->is_home : standing->is_fixed))
            continue;
        struct use *use = add_use(uses);
        if (use == NULL)
            return no_memory();
        use->bytes = standing->text;
        use->size = standing->size;
        use->service = standing->service;
        use->at = i;
        if (repeats_is_small(use->bytes, use->size))
            use->key = standing->key;
    }
    return 0;
}

static bool always(const struct standings *set, const struct use *group, size_t count)
{
    (void)set;
    (void)group;
    (void)count;
    return true;
}

static int link_values(struct standings *set, const struct uses *uses)
{
    for (size_t i = 0; i < uses->count; i++) {
        const struct use *use = &uses->list[i];
        if (use->home == STANDING_NONE || is_shared(&set->list[use->at]))
            continue;
        int error = standings_link(set, use->at, use->home);
        if (error < 0)
            return error;
    }
    return 0;
}

/* Parts */

static bool is_line(const struct standing *standing)
{
    if (standing->kind != ENTRY_PLAIN || standing->size > PARTED_MAX)
        return false;
    for (size_t i = 0; i < standing->size; i++)
        if (standing->text[i] < ' ' || standing->text[i] > '~')
            return false;
    return true;
}

/* A word that stands alone is a host's name where its key or its dots say so. */
static bool names_host(const struct standing *standing)
{
    return strcasestr(standing->key, "host") != NULL ||
           memchr(standing->text, '.', standing->size) != NULL;
}

static int gather_parts_of(const struct standings *set, size_t at, bool with_port,
                           struct uses *uses)
{
    const struct standing *standing = &set->list[at];
    struct endpoint part;
    size_t next = 0;
    while (endpoint_next(&part, &next, standing->text, standing->size)) {
        bool has_port = endpoint_has_port(&part);
        if ((with_port && !has_port) || (part.is_whole && !has_port && !names_host(standing)))
            continue;
        struct use *use = add_use(uses);
        if (use == NULL)
            return no_memory();
        use->part = part;
        use->bytes = standing->text + part.offset;
        use->size = with_port ? part.size : part.host_size;
        use->service = standing->service;
        use->at = at;
        if (standing->is_fixed && !is_home(set, use))
            uses->count--;
    }
    return 0;
}

static int gather_parts(const struct standings *set, bool with_port, struct uses *uses)
{
    for (size_t i = 0; i < set->count; i++) {
        int error = is_line(&set->list[i]) ? gather_parts_of(set, i, with_port, uses) : 0;
        if (error < 0)
            return error;
    }
    return 0;
}

/* A URL, or a port behind it, says that it is a host at all; and somebody is to be rewritten. */
static bool is_endpoint_of_some(const struct standings *set, const struct use *group, size_t count)
{
    bool is_sure = false;
    for (size_t i = 0; i < count; i++)
        is_sure = is_sure || !group[i].part.is_whole || endpoint_has_port(&group[i].part);
    (void)set;
    return is_sure;
}

static void append_text(struct bytes *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '$')
            bytes_append(out, "$", 1);
        bytes_append(out, &text[i], 1);
    }
}

/* The text of all uses of one standing, with references where the uses were. */
static int template_text(const struct standings *set, const struct use *uses, size_t count,
                         struct bytes *out)
{
    const struct standing *standing = &set->list[uses[0].at];
    size_t done = 0;
    for (size_t i = 0; i < count; i++) {
        const struct use *use = &uses[i];
        if (use->home == STANDING_NONE)
            continue;
        append_text(out, standing->text + done, use->part.offset - done);
        bytes_append_format(out, "${%s%s}", is_shared(standing) ? "" : SHARED "/",
                            set->list[use->home].key);
        done = use->part.offset + use->size;
    }
    append_text(out, standing->text + done, standing->size - done);
    return out->error == 0 ? 0 : no_memory();
}

static int rewrite_one(struct standings *set, const struct use *uses, size_t count)
{
    const struct standing *standing = &set->list[uses[0].at];
    bool has_home = false;
    for (size_t i = 0; i < count; i++)
        has_home = has_home || uses[i].home != STANDING_NONE;
    if (!has_home)
        return 0;
    if (uses[0].size == standing->size) /* what is in `shared` is a home, or another one */
        return is_shared(standing) ? 0 : standings_link(set, uses[0].at, uses[0].home);
    struct bytes text BYTES_CLEANUP = BYTES_INIT(VALUE_MAX);
    int error = template_text(set, uses, count, &text);
    char *copy = error == 0 ? malloc(text.size + 1) : NULL;
    if (copy == NULL)
        return error < 0 ? error : no_memory();
    memcpy(copy, text.data, text.size);
    standings_rewrite(set, uses[0].at, ENTRY_TEMPLATE, copy, text.size);
    return 0;
}

static int rewrite_parts(struct standings *set, struct uses *uses)
{
    if (uses->count > 0)
        qsort(uses->list, uses->count, sizeof *uses->list, compare_places);
    for (size_t first = 0, next; first < uses->count; first = next) {
        for (next = first + 1; next < uses->count && uses->list[next].at == uses->list[first].at;)
            next++;
        int error = rewrite_one(set, &uses->list[first], next - first);
        if (error < 0)
            return error;
    }
    return 0;
}

/* In this order: the whole before its parts, a host with its port before it alone. */
enum pass { WHOLE, HOST_AND_PORT, HOST, PASSES };

static int run_pass(struct standings *set, enum pass pass)
{
    struct uses uses = {0};
    int error =
        pass == WHOLE ? gather_values(set, &uses) : gather_parts(set, pass == HOST_AND_PORT, &uses);
    if (error == 0)
        error = house_all(set, &uses, pass == WHOLE ? always : is_endpoint_of_some);
    if (error == 0)
        error = pass == WHOLE ? link_values(set, &uses) : rewrite_parts(set, &uses);
    free(uses.list);
    return error;
}

/* Each pass that did something begins again: what it made in `shared` may have parts of its own. */
int repeats_plan(struct standings *set)
{
    for (enum pass pass = WHOLE; pass < PASSES;) {
        unsigned before = set->turns;
        int error = run_pass(set, pass);
        if (error < 0)
            return error;
        pass = set->turns != before ? WHOLE : pass + 1;
    }
    return 0;
}
