/* What revisions are called. */
#include <inttypes.h>
#include <string.h>

#include "store/error.h"
#include "store/log/state_relation.h"
#include "store/model/rules_internal.h"

static int line_of(struct judge *judge, char mark, const struct wish *wish, uint64_t was)
{
    const int error = plan_line(judge->plan, mark, false, was, "", "", "");
    return error ? error : plan_line_subject(judge->plan, CHANGE_TAG, wish->with);
}

int judge_tag(struct judge *judge, const struct wish *wish)
{
    const bool is_tag = wish->kind == OPERATION_TAG;
    struct operation operation = {.kind = wish->kind, .tagged = wish->rev};
    struct state_tag tag = {0};
    memcpy(tag.name, wish->with, strlen(wish->with) + 1);
    int found = state_tag(judge->index->txn, &tag);
    if (found < 0)
        return found;
    if (is_tag && wish->rev >= judge->index->rev)
        return judge_refuse(judge, ERR_NOT_FOUND,
                            "no revision %" PRIu64 " to be called '%s': the newest is %" PRIu64,
                            wish->rev, wish->with, judge->index->rev - 1);
    if (!is_tag && found)
        return judge_refuse(judge, ERR_NOT_FOUND, "no tag '%s' (emsa tag lists them)", wish->with);
    const uint64_t was = found ? 0 : tag.rev;
    if (is_tag && was == wish->rev)
        return line_of(judge, '=', wish, was);
    found = judge_step(judge, &operation, wish->with, NULL);
    return found ? found : line_of(judge, !is_tag ? '-' : was ? '~' : '+', wish, was);
}
