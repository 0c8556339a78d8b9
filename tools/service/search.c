/*
 * Keys by a pattern, and by the value that they have; what a part of the pattern excludes is not
 * walked through. One reply looks at a bounded number of keys and says where the next one goes on.
 */
#include <string.h>

#include "store/error.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/pattern.h"
#include "tools/service/verb.h"
#include "tools/service/walk.h"

#define FOUND_MAX 10000u
#define LOOKED_MAX 200000u

struct search {
    struct request *request;
    struct snapshot *snapshot;
    struct pattern pattern;
    const char *value; /* or NULL */
    size_t value_size;
    json_t *items;
};

/* Whether a plain entry's value is the one that is looked for. 1, 0 or a failure. */
static int has_value(struct search *search, const struct entry *entry)
{
    struct secret scratch SECRET_CLEANUP = {0};
    const unsigned char *data;
    size_t size;
    if (search->value == NULL)
        return 1;
    if (entry->kind != ENTRY_PLAIN ||
        (!entry_is_composed(entry) && entry->stored_size != search->value_size))
        return 0;
    int error = snapshot_value(search->snapshot, &data, &size, entry, &scratch);
    if (error != 0)
        return error < 0 ? error : 0;
    return size == search->value_size && memcmp(data, search->value, size) == 0;
}

static int look_at(struct search *search, struct walk *walk)
{
    json_t *item;
    int found =
        pattern_takes(search->pattern.key, walk->at.key) ? has_value(search, &walk->entry) : 0;
    if (found <= 0)
        return found;
    int error = item_of_walk(walk, &item);
    return error < 0 ? error
           : json_array_append_new(search->items, item) < 0
               ? error_set(ERR_NOMEM, "no memory for a list")
               : 0;
}

/* A place whose name the pattern excludes, or that the caller may not list, is passed by. */
static bool enters(struct search *search, const struct walk *walk)
{
    if (path_depth(&walk->at) == PATH_ENVIRONMENT)
        return pattern_takes(search->pattern.environment, walk->at.environment);
    return pattern_takes(search->pattern.service, walk->at.service) &&
           rights_hold(search->request->service, &search->request->call->caller,
                       search->value != NULL ? RIGHT_READ : RIGHT_LIST, &walk->at);
}

/* Until the end, or until enough was found or looked at: then *more. */
static int run(struct search *search, struct walk *walk, bool *more)
{
    for (uint64_t looked = 0;; looked++) {
        if (looked == LOOKED_MAX || json_array_size(search->items) == FOUND_MAX) {
            *more = true;
            return 0;
        }
        int found = walk_step(walk);
        if (found != 0)
            return found < 0 ? found : 0;
        if (path_depth(&walk->at) == PATH_KEY)
            found = look_at(search, walk);
        else if (!enters(search, walk))
            walk_pass(walk);
        if (found < 0)
            return found;
    }
}

static int search_all(struct search *search, const struct path *after)
{
    struct walk walk;
    bool more = false;
    char text[PATH_TEXT_MAX];
    int error = walk_start(&walk, search->snapshot, &(struct path){0}, PATH_KEY, after);
    search->items = json_array();
    bool is_place = path_depth(after) == PATH_ENVIRONMENT || path_depth(after) == PATH_SERVICE;
    if (error == 0 && is_place && !enters(search, &walk))
        walk_pass(&walk);
    if (error == 0)
        error = run(search, &walk, &more);
    if (error < 0) {
        json_decref(search->items);
        return error;
    }
    search->request->call->reply = json_pack(
        "{s:I, s:o, s:b, s:s}", "rev", (json_int_t)snapshot_revision(search->snapshot), "items",
        search->items, "more", (int)more, "after", more ? path_text(&walk.at, text) : "");
    return 0;
}

int verb_find(struct request *request)
{
    struct search search = {.request = request};
    json_t *parameters = request->call->parameters;
    const char *pattern = NULL;
    struct path after = {0};
    int error = parameter_text(parameters, "pattern", &pattern);
    if (error == 0)
        error = pattern_parse(&search.pattern, pattern);
    if (error == 0)
        error = parameter_text(parameters, "value", &search.value);
    if (error == 0)
        error = parameter_path(parameters, "after", &after);
    if (error == 0)
        error = request_snapshot(request, &search.snapshot);
    if (error < 0)
        return error;
    search.value_size = search.value != NULL ? strlen(search.value) : 0;
    return search_all(&search, &after);
}
