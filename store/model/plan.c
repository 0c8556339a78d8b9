#include "store/model/plan.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/log/erasure.h"

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory to plan a change");
}

static int steps_reserve(struct plan *plan, size_t capacity)
{
    struct planned *steps = reallocarray(plan->steps, capacity, sizeof *steps);
    if (!steps)
        return no_memory();
    plan->steps = steps;
    plan->capacity = capacity;
    return 0;
}

static int lines_reserve(struct plan *plan, size_t capacity)
{
    struct change_line *lines = reallocarray(plan->lines, capacity, sizeof *lines);
    if (!lines)
        return no_memory();
    plan->lines = lines;
    plan->line_capacity = capacity;
    return 0;
}

int plan_reserve(struct plan *plan, size_t count)
{
    int error = 0;
    if (count > plan->capacity)
        error = steps_reserve(plan, count);
    if (!error && count > plan->line_capacity)
        error = lines_reserve(plan, count);
    return error;
}

int plan_add(struct plan *plan, const struct operation *operation, const struct wish *wish)
{
    if (plan->count >= COMMIT_OPERATIONS_MAX)
        return error_set(ERR_INVALID, "the change comes to more than %u operations; split it",
                         COMMIT_OPERATIONS_MAX);
    if (plan->count == plan->capacity) {
        const int error = steps_reserve(plan, plan->capacity ? plan->capacity * 2 : 8);
        if (error)
            return error;
    }
    plan->steps[plan->count++] = (struct planned){.operation = *operation, .wish = wish};
    return 0;
}

int plan_line(struct plan *plan, char mark, bool secret, uint64_t was_rev, const char *environment,
              const char *service, const char *key)
{
    if (plan->line_count == plan->line_capacity) {
        const int error = lines_reserve(plan, plan->line_capacity ? plan->line_capacity * 2 : 8);
        if (error)
            return error;
    }
    struct change_line *line = &plan->lines[plan->line_count];
    const struct change_line *before = plan->line_count ? line - 1 : NULL;
    *line = (struct change_line){
        .environment =
            text_blocks_again(&plan->texts, before ? before->environment : NULL, environment),
        .service = text_blocks_again(&plan->texts, before ? before->service : NULL, service),
        .key = text_blocks_copy(&plan->texts, key, strlen(key)),
        .with = "",
        .was_rev = was_rev,
        .mark = mark,
        .secret = secret};
    if (!line->environment || !line->service || !line->key)
        return no_memory();
    plan->line_count++;
    return 0;
}

void plan_line_expires(struct plan *plan, int64_t expires)
{
    plan->lines[plan->line_count - 1].expires = expires;
}

int plan_line_subject(struct plan *plan, enum change_subject subject, const char *with)
{
    struct change_line *line = &plan->lines[plan->line_count - 1];
    line->subject = subject;
    line->with = text_blocks_copy(&plan->texts, with, strlen(with));
    return line->with ? 0 : no_memory();
}

int plan_line_rights(struct plan *plan, const char *principal, unsigned rights)
{
    plan->lines[plan->line_count - 1].rights = rights;
    return plan_line_subject(plan, CHANGE_GRANT, principal);
}

int plan_line_erased(struct plan *plan, const struct erased *erased)
{
    plan->lines[plan->line_count - 1].values = erased->values;
    plan->lines[plan->line_count - 1].bytes = erased->bytes;
    return plan_line_subject(plan, CHANGE_COMPACT, "");
}

void plan_release(struct plan *plan)
{
    free(plan->steps);
    free(plan->lines);
    text_blocks_release(&plan->texts);
    *plan = (struct plan){0};
}
