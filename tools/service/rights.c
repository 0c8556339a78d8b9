#include "tools/service/rights.h"

#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/service/audit.h"
#include "tools/service/holdings.h"
#include "tools/service/verb.h"

static const struct {
    unsigned takes; /* of enum grant_right */
    const char *word;
} table[] = {
    [RIGHT_LIST] = {GRANT_LIST, "--list"},
    [RIGHT_READ] = {GRANT_READ, "--read"},
    [RIGHT_SET] = {GRANT_SET, "--set"},
    [RIGHT_EDIT] = {GRANT_SET | GRANT_READ, "--set and --read"},
    [RIGHT_SHARE] = {GRANT_SHARE, "--share"},
    [RIGHT_AUDIT] = {GRANT_AUDIT, "--audit"},
    [RIGHT_ADMIN] = {GRANT_ADMIN, "--admin"},
    [RIGHT_SEE] = {GRANT_LIST, "--list"},
    [RIGHT_SOME] = {GRANT_LIST, "any right, to anything"},
};

int rights_begin(struct dispatcher *service, struct caller *caller)
{
    struct holdings *holdings;
    int error = holdings_load(&holdings, service->store, caller);
    caller->holdings = error < 0 ? NULL : holdings;
    return error;
}

void rights_end(struct caller *caller)
{
    holdings_free(caller->holdings);
    caller->holdings = NULL;
}

bool rights_hold(struct dispatcher *service, const struct caller *caller, enum right right,
                 const struct path *path)
{
    const struct holdings *holdings = caller->holdings;
    if (right == RIGHT_NONE)
        return true;
    if (holdings == NULL) /* outside of a call */
        return holdings_own(service->store, caller);
    if (right == RIGHT_SOME)
        return holdings_any(holdings);
    if (right == RIGHT_SEE)
        return holdings_see(holdings, path);
    return holdings_cover(holdings, table[right].takes, path);
}

/* Who a caller is, in a denial: the user, and the identity that it acts as. */
static void name_caller(char *out, size_t size, const struct caller *caller)
{
    const struct holdings *holdings = caller->holdings;
    caller_text(caller, out, size);
    const size_t used = strlen(out);
    if (holdings == NULL || !holdings->is_proven)
        return;
    if (holdings->identity[0] != '\0')
        snprintf(out + used, size - used, ", 'id:%s',", holdings->identity);
    else if (!caller->is_as_user)
        snprintf(out + used, size - used, ", of an identity that this store does not know,");
}

int rights_judge(struct dispatcher *service, const struct caller *caller, enum right right,
                 const char *method, const struct path *path)
{
    char text[PATH_TEXT_MAX];
    char who[AUTHOR_MAX + PRINCIPAL_MAX + 64];
    if (rights_hold(service, caller, right, path))
        return 0;
    audit_denied(service, caller, method, path_text(path, text));
    name_caller(who, sizeof who, caller);
    error_set(ERR_DENIED, "%s has no right to %s '%s'", who, method, text[0] != '\0' ? text : "/");
    int error =
        error_add(ERR_DENIED, "it takes %s%s, which an administrator gives with 'emsa grant'",
                  table[right].word,
                  right == RIGHT_SOME             ? ""
                  : path_depth(path) == PATH_ROOT ? " to everything"
                                                  : " there");
    return caller->is_as_user
               ? error_add(ERR_DENIED, "a change has the rights of an identity where it is signed "
                                       "by it (--sign FILE)")
               : error;
}
