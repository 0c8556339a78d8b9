#include "tools/service/revision.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "tools/service/parameter.h"

static bool is_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

static int check(struct snapshot *snapshot, uint64_t rev, const char *text)
{
    const unsigned long long newest = snapshot_revision(snapshot);
    if (rev == 0)
        return error_set(ERR_NOT_FOUND, "no revision 0: the first is 1");
    if (rev > newest)
        return error_set(ERR_NOT_FOUND, "no revision %.64s: the newest is %llu", text, newest);
    return 0;
}

int revision_parse(struct snapshot *snapshot, uint64_t *out, const char *text)
{
    struct tag tag;
    uint64_t rev = UINT64_MAX;
    int error = 0;
    if (is_number(text)) {
        errno = 0;
        const unsigned long long number = strtoull(text, NULL, 10);
        rev = errno != 0 ? UINT64_MAX : number;
    } else if (tag_check(text, strlen(text)) < 0) {
        return error_set(ERR_INVALID,
                         "'%.64s' is no revision: write a number, as 'emsa log' shows them, or a "
                         "tag ('emsa tag')",
                         text);
    } else {
        error = history_tag(snapshot, &tag, text);
        if (error == NOT_THERE)
            return error_set(ERR_NOT_FOUND, "no tag '%s': 'emsa tag' lists them", text);
        rev = error == 0 ? tag.rev : 0;
    }
    if (error == 0)
        error = check(snapshot, rev, text);
    if (error == 0)
        *out = rev;
    return error;
}

int revision_parameter(struct snapshot *snapshot, json_t *parameters, const char *name,
                       uint64_t *out, bool *given)
{
    const char *text = NULL;
    int error = parameter_text(parameters, name, &text);
    if (given != NULL)
        *given = text != NULL;
    return error < 0 || text == NULL ? error : revision_parse(snapshot, out, text);
}
