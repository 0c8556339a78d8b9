/* Paths and names: a path that parses is written as it was given, and its parts are names. */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tests/fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct path path, again;
    char text[PATH_TEXT_MAX];
    const char *given = (const char *)data;
    for (int kind = NAME_ENVIRONMENT; kind <= NAME_KEY; kind++)
        if (name_check((enum name_kind)kind, given, size) == 0 &&
            (memchr(data, '/', size) || memchr(data, 0, size)))
            abort();
    if (path_parse(&path, given, size)) {
        if (!error_text()[0])
            abort();
        return 0;
    }
    path_text(&path, text);
    size_t expected = size > 0 && given[size - 1] == '/' ? size - 1 : size;
    if (strlen(text) != expected || memcmp(text, given, expected) != 0)
        abort();
    if (path_make(&again, path.environment, path.service, path.key) ||
        path_depth(&again) != path_depth(&path))
        abort();
    if (name_distance(path.service, path.key, 8) != name_distance(path.key, path.service, 8))
        abort();
    return 0;
}
