#include "tools/service/failure.h"

#include <string.h>

struct failure {
    enum error_code code;
    const char *name;
};

static const struct failure failures[] = {
    {ERR_NOMEM, "io.emsa.NoMemory"},  {ERR_IO, "io.emsa.Failed"},
    {ERR_CORRUPT, "io.emsa.Corrupt"}, {ERR_FORMAT, "io.emsa.UnknownFormat"},
    {ERR_FULL, "io.emsa.Full"},       {ERR_NO_KEY, "io.emsa.NoKey"},
    {ERR_INVALID, "io.emsa.Invalid"}, {ERR_NOT_FOUND, "io.emsa.NotFound"},
    {ERR_REFUSED, "io.emsa.Refused"}, {ERR_CONFLICT, "io.emsa.Conflict"},
    {ERR_DENIED, "io.emsa.Denied"},   {ERR_BUSY, "io.emsa.Busy"},
    {ERR_PURGED, "io.emsa.Purged"},
};
#define FAILURES (sizeof failures / sizeof failures[0])

_Static_assert(FAILURES == ERR_COUNT - 1, "each code of store/error.h has its row");

static const struct failure *find_code(int error)
{
    int code = error < 0 ? -error : error;
    for (size_t i = 0; i < FAILURES; i++)
        if ((int)failures[i].code == code)
            return &failures[i];
    return NULL;
}

const char *failure_name(int error)
{
    const struct failure *found = find_code(error);
    return found != NULL ? found->name : "io.emsa.Failed";
}

enum error_code failure_code(const char *name)
{
    for (size_t i = 0; i < FAILURES; i++)
        if (strcmp(failures[i].name, name) == 0)
            return failures[i].code;
    return 0;
}

json_t *failure_reply(int error)
{
    const char *text = error_text();
    size_t length = strcspn(text, "\n");
    json_t *reasons = json_array();
    for (const char *line = text + length; *line == '\n';) {
        size_t size = strcspn(line + 1, "\n");
        json_array_append_new(reasons, json_stringn(line + 1, size));
        line += 1 + size;
    }
    json_t *reply = json_pack("{s:s%, s:o}", "message", text, length, "reasons", reasons);
    if (reply == NULL) /* a path in it is not UTF-8 */
        reply = json_pack("{s:s, s:[]}", "message", error_word(error), "reasons");
    return reply;
}

const char *failure_listed(unsigned n)
{
    return n < FAILURES ? failures[n].name : NULL;
}
