#include "store/model/plan.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory to plan a change");
}

int plan_add(struct plan *plan, const struct operation *operation, const struct wish *wish)
{
    if (plan->count >= COMMIT_OPERATIONS_MAX)
        return error_set(ERR_INVALID, "the change comes to more than %u operations; split it",
                         COMMIT_OPERATIONS_MAX);
    if (plan->count == plan->capacity) {
        const size_t capacity = plan->capacity ? plan->capacity * 2 : 8;
        struct planned *steps = realloc(plan->steps, capacity * sizeof *steps);
        if (!steps)
            return no_memory();
        plan->steps = steps;
        plan->capacity = capacity;
    }
    plan->steps[plan->count++] = (struct planned){.operation = *operation, .wish = wish};
    return 0;
}

int plan_line(struct plan *plan, char mark, bool secret, uint64_t was_rev, const char *environment,
              const char *service, const char *key)
{
    if (plan->line_count == plan->line_capacity) {
        const size_t capacity = plan->line_capacity ? plan->line_capacity * 2 : 8;
        struct change_line *lines = realloc(plan->lines, capacity * sizeof *lines);
        if (!lines)
            return no_memory();
        plan->lines = lines;
        plan->line_capacity = capacity;
    }
    struct change_line *line = &plan->lines[plan->line_count++];
    line->mark = mark;
    line->secret = secret;
    line->was_rev = was_rev;
    line->expires = 0;
    line->subject = CHANGE_PLACE;
    line->with[0] = '\0';
    line->rights = 0;
    /* The names were checked when they were gathered. */
    memcpy(line->path.environment, environment, strlen(environment) + 1);
    memcpy(line->path.service, service, strlen(service) + 1);
    memcpy(line->path.key, key, strlen(key) + 1);
    return 0;
}

void plan_line_expires(struct plan *plan, int64_t expires)
{
    plan->lines[plan->line_count - 1].expires = expires;
}

void plan_line_subject(struct plan *plan, enum change_subject subject, const char *with)
{
    struct change_line *line = &plan->lines[plan->line_count - 1];
    line->subject = subject;
    memcpy(line->with, with, strlen(with) + 1);
}

void plan_line_rights(struct plan *plan, const char *principal, unsigned rights)
{
    plan_line_subject(plan, CHANGE_GRANT, principal);
    plan->lines[plan->line_count - 1].rights = rights;
}

void plan_release(struct plan *plan)
{
    free(plan->steps);
    free(plan->lines);
    *plan = (struct plan){0};
}
