#include "tools/service/pattern.h"

#include <fnmatch.h>
#include <string.h>

#include "store/error.h"

/* Cut at its slashes, from behind: a key's name comes last. */
int pattern_parse(struct pattern *out, const char *text)
{
    const char **const parts[] = {&out->key, &out->service, &out->environment};
    size_t count = 0;
    if (text == NULL || text[0] == '\0' || strlen(text) >= sizeof out->text)
        return error_set(ERR_INVALID, "the pattern is empty, or longer than any path");
    out->environment = out->service = out->key = NULL;
    memcpy(out->text, text, strlen(text) + 1);
    for (char *slash = out->text; slash != NULL;) {
        slash = strrchr(out->text, '/');
        if (count == sizeof parts / sizeof parts[0])
            return error_set(ERR_INVALID,
                             "'%s' has more parts than a path: KEY, SERVICE/KEY or "
                             "ENVIRONMENT/SERVICE/KEY",
                             text);
        *parts[count++] = slash != NULL ? slash + 1 : out->text;
        if (slash != NULL)
            *slash = '\0';
    }
    return 0;
}

bool pattern_takes(const char *part, const char *name)
{
    return part == NULL || fnmatch(part, name, 0) == 0;
}

bool pattern_means(const struct pattern *pattern, const struct path *path)
{
    return path->key[0] != '\0' && pattern_takes(pattern->key, path->key) &&
           pattern_takes(pattern->service, path->service) &&
           pattern_takes(pattern->environment, path->environment);
}
