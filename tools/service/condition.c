#include "tools/service/condition.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/service/parameter.h"

struct places {
    struct path *list; /* owned */
    size_t count, room;
};

static int add(struct places *places, json_t *text)
{
    struct path path = {0};
    int error = path_of(text, &path);
    if (error < 0)
        return error;
    /* Operations on one service stand beside each other. */
    if (places->count > 0 && memcmp(&places->list[places->count - 1], &path, sizeof path) == 0)
        return 0;
    if (places->count == places->room) {
        size_t room = places->room == 0 ? 8 : 2 * places->room;
        void *grown = realloc(places->list, room * sizeof *places->list);
        if (grown == NULL)
            return error_set(ERR_NOMEM, "no memory for %zu places", room);
        places->list = grown;
        places->room = room;
    }
    places->list[places->count++] = path;
    return 0;
}

/* Where a text, each of a list of them, or each object of a list is: at its path, and where it
 * takes something from. */
static int add_each(struct places *places, json_t *named)
{
    size_t index;
    json_t *item;
    if (json_is_string(named))
        return add(places, named);
    json_array_foreach(named, index, item)
    {
        json_t *from = json_is_object(item) ? json_object_get(item, "from") : NULL;
        int error = add(places, json_is_object(item) ? json_object_get(item, "path") : item);
        if (error == 0 && from != NULL && !json_is_null(from))
            error = add(places, from);
        if (error < 0)
            return error;
    }
    return 0;
}

/* What the change touches. None of it: the whole store, as a tag does. */
static int add_touched(struct places *places, const struct request *request)
{
    json_t *parameters = request->call->parameters;
    const struct verb *verb = request->verb;
    const char *named = verb->right == RIGHT_OF_EACH ? "operations" : verb->judged;
    int error = named == NULL ? 0 : add_each(places, json_object_get(parameters, named));
    if (error == 0)
        error = add_each(places, json_object_get(parameters, "from"));
    return error;
}

static bool is_given(const struct request *request, const char *name)
{
    json_t *value = json_object_get(request->call->parameters, name);
    return value != NULL && !json_is_null(value);
}

static int gather(struct places *places, struct request *request)
{
    json_t *list;
    if (is_given(request, "if_paths")) {
        int error = parameter_list(request->call->parameters, "if_paths", &list);
        return error < 0 ? error : add_each(places, list);
    }
    return is_given(request, "if_path") ? 0 : add_touched(places, request);
}

static int judge(struct request *request, const struct path *path)
{
    return rights_judge(request->service, &request->call->caller, RIGHT_LIST, "IfRev", path);
}

int condition_read(struct request *request, struct change_terms *terms, struct path **places)
{
    struct places found = {0};
    *places = NULL;
    if (!terms->has_if_rev)
        return 0;
    int error = gather(&found, request);
    if (error == 0 && found.count == 0)
        error = judge(request, &terms->if_path);
    for (size_t i = 0; i < found.count && error == 0; i++)
        error = judge(request, &found.list[i]);
    if (error < 0) {
        free(found.list);
        return error;
    }
    terms->if_paths = *places = found.list;
    terms->if_path_count = found.count;
    return 0;
}
