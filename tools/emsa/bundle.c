#include "tools/emsa/bundle.h"

#include <string.h>

#include "store/error.h"

void bundle_begin(struct bundle *bundle, json_t *operations)
{
    *bundle = (struct bundle){.operations = operations};
}

static bool goes_on(const struct bundle *bundle, const char *kind, const struct path *path)
{
    return bundle->keys != NULL && strcmp(bundle->kind, kind) == 0 &&
           strcmp(bundle->service.service, path->service) == 0 &&
           strcmp(bundle->service.environment, path->environment) == 0;
}

static int begin_operation(struct bundle *bundle, const char *kind, const struct path *path)
{
    char text[PATH_TEXT_MAX];
    struct path service = *path;
    json_t *keys = json_array(), *sizes = json_array();
    service.key[0] = '\0';
    json_t *operation = json_pack("{s:s, s:s, s:o, s:o}", "kind", kind, "path",
                                  path_text(&service, text), "keys", keys, "sizes", sizes);
    if (operation == NULL || json_array_append_new(bundle->operations, operation) < 0)
        return -1;
    bundle->keys = keys;
    bundle->sizes = sizes;
    bundle->kind = kind;
    bundle->service = service;
    return 0;
}

int bundle_add(struct bundle *bundle, const char *kind, const struct path *path, size_t size)
{
    int failed = goes_on(bundle, kind, path) ? 0 : begin_operation(bundle, kind, path);
    if (failed == 0)
        failed = json_array_append_new(bundle->keys, json_string_nocheck(path->key));
    if (failed == 0)
        failed = json_array_append_new(bundle->sizes, json_integer((json_int_t)size));
    return failed == 0 ? 0 : error_set(ERR_NOMEM, "no memory for the operations of an import");
}
