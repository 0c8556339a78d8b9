#include "tests/unit/tools/rights_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void fill(struct world *world)
{
    world_set(world,
              "[{'kind': 'environment', 'path': 'prod'}, {'kind': 'environment', 'path': 'dev'},"
              " {'kind': 'secret', 'path': 'prod/web/PASSWORD', 'size': 14},"
              " {'kind': 'plain', 'path': 'prod/web/PORT', 'value': '" LISTED "'},"
              " {'kind': 'plain', 'path': 'prod/vault/" FOREIGN "', 'value': '" FOREIGN_VALUE "'},"
              " {'kind': 'secret', 'path': 'prod/vault/SHARED', 'size': 16},"
              " {'kind': 'share', 'path': 'prod/vault/SHARED', 'with': 'web'},"
              " {'kind': 'plain', 'path': 'dev/web/PORT', 'value': 'of-dev'},"
              " {'kind': 'plain', 'path': 'dev/scratch/MINE', 'value': 'mine'}]",
              HIDDEN "sixteen-bytes-16");
}

void grant(struct world *world, const char *path, const char *who, const char *rights)
{
    char text[256];
    snprintf(text, sizeof text, "[{'kind': 'grant', 'path': '%s', 'who': '%s', 'rights': [%s]}]",
             path, who, rights);
    world_set(world, text, NULL);
}

static void is_told_nothing(const struct row *row, const struct call *call, const char *text)
{
    const char *const never[] = {FOREIGN, FOREIGN_VALUE, row->absent};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (never[i] != NULL && strstr(row->parameters, never[i]) == NULL &&
            strstr(text, never[i]) != NULL)
            fail_msg("%s %s tells of '%s': %s", row->method, row->parameters, never[i], text);
    for (size_t i = 0; i < call->part_count; i++) {
        const struct value_part *part = &call->parts[i];
        const void *data = part->is_secret ? part->secret.data : part->plain.data;
        const size_t size = part->is_secret ? part->secret.size : part->plain.size;
        for (size_t n = 0; n < sizeof never / sizeof never[0]; n++)
            if (never[n] != NULL && size > 0 && memmem(data, size, never[n], strlen(never[n])))
                fail_msg("%s %s gives '%s'", row->method, row->parameters, never[n]);
    }
}

json_t *ask(struct world *world, const struct row *row)
{
    struct call call;
    char error[64];
    world_ask(world, &call, NOBODY, row->method, world_json("%s", row->parameters), row->stream);
    char *text = json_dumps(call.reply, 0);
    snprintf(error, sizeof error, "io.emsa.%s", row->error != NULL ? row->error : "");
    if (row->error == NULL ? call.error != NULL
                           : call.error == NULL || strcmp(call.error, error) != 0)
        fail_msg("%s %s: %s: %s", row->method, row->parameters,
                 call.error != NULL ? call.error : "done", text);
    is_told_nothing(row, &call, text);
    free(text);
    json_t *reply = json_incref(call.reply);
    call_release(&call);
    return reply;
}

void ask_all(struct world *world, const struct row rows[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        json_decref(ask(world, &rows[i]));
}
bool is_here(void)
{
    const struct passwd *user = getpwuid(NOBODY);
    return geteuid() == 0 && user != NULL && strcmp(user->pw_name, "nobody") == 0;
}
