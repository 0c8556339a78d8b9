/*
 * Who may only set at a place learns no value of it, by any way that there is; who may only read
 * changes nothing; who may only list sees names. A test per way, in the order of the manual.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/grant.h"
#include "store/secret.h"
#include "tests/unit/tools/rights_world.h"
#include "tools/service/guard.h"

#define COMMON "common-value" /* of all/web, which nobody here may read */

#define MAY_NOT(absent, method, parameters)                                                        \
    {                                                                                              \
        method, parameters, NULL, "Denied", absent                                                 \
    }
#define ONE(operation) "{'operations': [" operation "], 'dry_run': true}"

/* Nobody may set in prod/web and all/web, and do everything in dev/scratch. */
static bool begin(struct world *world)
{
    fill(world);
    world_set(world,
              "[{'kind': 'plain', 'path': 'all/web/COMMON', 'value': '" COMMON "'},"
              " {'kind': 'template', 'path': 'prod/web/URL', 'value': 'x${PORT}y'},"
              " {'kind': 'plain', 'path': 'dev/web/DEVKEY', 'value': 'of-dev-a-secret'}]",
              NULL);
    if (!is_here())
        return false;
    grant(world, "prod/web", "user:nobody", "'set'");
    grant(world, "all/web", "user:nobody", "'set'");
    grant(world, "dev/scratch", "user:nobody", "'admin'");
    return true;
}

static void by_templates_and_links(void **state)
{
    if (!begin(*state))
        return;
    ASK_OF(
        *state,
        MAY_NOT(LISTED, "Set",
                ONE("{'kind': 'template', 'path': 'prod/web/T', 'value': '${PORT}'}")),
        MAY_NOT(LISTED, "Set",
                ONE("{'kind': 'template', 'path': 'all/web/T', 'value': '${COMMON}'}")),
        MAY_NOT(LISTED, "Set", ONE("{'kind': 'link', 'path': 'prod/web/L', 'value': 'web/PORT'}")),
        /* From where one may set them: what is referred to must be shared. */
        {"Set", ONE("{'kind': 'template', 'path': 'dev/scratch/T', 'value': '${web/DEVKEY}'}"),
         NULL, "Refused", "of-dev"},
        {"Set", ONE("{'kind': 'link', 'path': 'dev/scratch/L', 'value': 'web/DEVKEY'}"), NULL,
         "Refused", "of-dev"},
        /* In one commit with what would allow it. */
        MAY_NOT("of-dev", "Set",
                ONE("{'kind': 'share', 'path': 'dev/web/DEVKEY', 'with': 'scratch'},"
                    " {'kind': 'link', 'path': 'dev/scratch/L', 'value': 'web/DEVKEY'}")),
        MAY_NOT(LISTED, "Set",
                ONE("{'kind': 'grant', 'path': 'prod/web', 'who': 'user:nobody',"
                    " 'rights': ['read']}")),
        MAY_NOT(LISTED, "Set",
                "{'operations': [{'kind': 'link', 'path': 'dev/scratch/L', 'value':"
                " 'web/DEVKEY'}], 'override': ['share'], 'reason': 'r', 'dry_run': true}"));
}

static void by_copies(void **state)
{
    if (!begin(*state))
        return;
    ASK_OF(*state, MAY_NOT(LISTED, "Copy", "{'from': 'prod/web/PORT', 'to': 'dev/scratch/P'}"),
           MAY_NOT(LISTED, "Copy", "{'from': 'prod/web', 'to': 'dev/scratch2', 'dry_run': true}"),
           MAY_NOT(LISTED, "Copy", "{'from': 'dev/scratch/MINE', 'to': 'prod/web/PORT'}"),
           MAY_NOT(LISTED, "Move", "{'from': 'prod/web/PORT', 'to': 'prod/web/P'}"),
           MAY_NOT(LISTED, "Move", "{'from': 'prod/web', 'to': 'prod/web2', 'dry_run': true}"),
           MAY_NOT(LISTED, "Set",
                   ONE("{'kind': 'copy', 'path': 'dev/scratch/C', 'from': 'prod/web/PORT'}")),
           MAY_NOT(LISTED, "Set",
                   ONE("{'kind': 'copy', 'path': 'prod/web/C', 'from': 'prod/web/PORT'}")),
           MAY_NOT(LISTED, "Set",
                   ONE("{'kind': 'move', 'path': 'prod/web/C', 'from': 'prod/web/PORT'}")),
           MAY_NOT(LISTED, "EnvironmentCopy", "{'from': 'prod', 'to': 'mine', 'dry_run': true}"),
           MAY_NOT(LISTED, "EnvironmentAdd", "{'names': ['mine'], 'base': 'prod'}"));
}

static void by_the_past(void **state)
{
    if (!begin(*state))
        return;
    ASK_OF(
        *state, MAY_NOT(LISTED, "Rollback", "{'path': 'prod/web', 'to': '2', 'dry_run': true}"),
        MAY_NOT(LISTED, "Rollback", "{'path': 'prod/web/PORT', 'to': '2', 'with_secrets': true}"),
        MAY_NOT(LISTED, "Promote", "{'from': 'prod/web', 'to': 'dev/scratch'}"),
        MAY_NOT(LISTED, "Promote",
                "{'from': 'dev/scratch', 'to': 'prod/web', 'dry_run': true, 'keys': ['MINE']}"),
        MAY_NOT(LISTED, "Log", "{'path': 'prod/web'}"),
        MAY_NOT(LISTED, "Blame", "{'path': 'prod/web/PORT'}"),
        {"Show", "{'rev': 2}", NULL, NULL, LISTED}, MAY_NOT(LISTED, "Show", "{'rev': 3}"),
        MAY_NOT(LISTED, "Diff", "{'path': 'prod/web', 'at': '2'}"),
        MAY_NOT(LISTED, "Diff", "{'path': 'dev/scratch', 'other': 'prod/web'}"),
        MAY_NOT(LISTED, "Diff", "{'path': 'prod/web', 'other': 'dev/scratch'}"),
        MAY_NOT(LISTED, "Watch", "{'paths': ['dev/scratch', 'prod/web'], 'from': 1}"));
    /* Who, when and why is no value. */
    grant(*state, "prod/web", "user:nobody", "'audit'");
    ASK_OF(*state, {"Show", "{'rev': 2}", NULL, NULL, LISTED},
           {"Show", "{'rev': 2}", NULL, NULL, HIDDEN},
           {"Log", "{'path': 'prod/web'}", NULL, NULL, LISTED},
           {"Blame", "{'path': 'prod/web'}", NULL, NULL, LISTED},
           MAY_NOT(LISTED, "Diff", "{'path': 'prod/web', 'at': '2'}"));
}

static void by_reading(void **state)
{
    if (!begin(*state))
        return;
    ASK_OF(*state, MAY_NOT(LISTED, "Get", "{'paths': ['prod/web/PORT']}"),
           MAY_NOT(HIDDEN, "Get", "{'paths': ['prod/web'], 'reveal': true}"),
           MAY_NOT(LISTED, "Get", "{'paths': ['dev/scratch', 'prod/web'], 'skip_secrets': true}"),
           MAY_NOT(LISTED, "Definitions", "{'paths': ['prod/web'], 'reveal': true}"),
           MAY_NOT(LISTED, "Definitions", "{'paths': ['prod/web'], 'since': 1, 'absent': true}"),
           MAY_NOT(COMMON, "Definitions", "{'paths': ['all/web']}"),
           MAY_NOT(LISTED, "Definitions", "{'paths': ['']}"),
           MAY_NOT(LISTED, "Explain", "{'path': 'prod/web/URL'}"),
           {"Find", "{'pattern': '*', 'value': '" LISTED "'}", NULL, NULL, "PORT"},
           {"Find", "{'pattern': 'prod/web/*', 'value': '" LISTED "'}", NULL, NULL, "PORT"},
           {"Find", "{'pattern': '*', 'value': '" COMMON "'}", NULL, NULL, "all/web"},
           {"Refs", "{'path': 'prod/web/PORT'}", NULL, NULL, "x${"},
           {"List", "{'path': 'prod/web'}", NULL, NULL, LISTED}, {"Tree", "{}", NULL, NULL, LISTED},
           MAY_NOT(LISTED, "Mount", "{'path': 'prod/web'}"),
           MAY_NOT(LISTED, "Mount", "{'path': 'prod/web', 'masked': true}"),
           MAY_NOT(LISTED, "VolumeCreate", "{'name': 'v', 'options': {'path': 'prod/web'}}"),
           MAY_NOT(LISTED, "VolumePath", "{'name': 'v'}"));
}

static void by_schemas_and_checks(void **state)
{
    static const char schema[] =
        "[{'kind': 'schema', 'path': 'prod/web', 'schema': {'service': 'web', 'keys':"
        " {'URL': {'type': 'string', 'pattern': 'x[a-z-]*y'}, 'PORT': {'type': 'string'}}}}]";
    struct world *world = *state;
    if (!begin(world))
        return;
    world_set(world, schema, NULL);
    ASK_OF(*state, MAY_NOT(LISTED, "Check", "{'path': 'prod/web'}"),
           MAY_NOT(LISTED, "Check",
                   "{'path': 'prod/web', 'against': [{'service': 'web', 'keys': {'PORT': {'type':"
                   " 'int'}}}]}"),
           MAY_NOT(LISTED, "Check", "{'parity': ['prod', 'dev']}"),
           MAY_NOT(LISTED, "SchemaShow", "{'path': 'prod/web'}"),
           MAY_NOT(LISTED, "SchemaInfer", "{'path': 'prod/web'}"),
           MAY_NOT(LISTED, "Set",
                   ONE("{'kind': 'schema', 'path': 'prod/web', 'schema': {'service': 'web', 'keys':"
                       " {'PORT': {'type': 'enum', 'values': ['" LISTED "']}}}}")),
           MAY_NOT(LISTED, "Set", ONE("{'kind': 'unschema', 'path': 'prod/web'}")),
           MAY_NOT(LISTED, "Set",
                   ONE("{'kind': 'schema', 'path': 'all/web', 'schema': {'service': 'web'}}")));
    /* What makes a text of others wrong is refused, and the text is not quoted. */
    world_set(world, "[{'kind': 'template', 'path': 'prod/web/URL', 'value': 'x${PORT}-quoted-y'}]",
              NULL);
    ASK_OF(*state,
           {"Set", ONE("{'kind': 'plain', 'path': 'prod/web/PORT', 'value': '12'}"), NULL,
            "Refused", "quoted"},
           {"Set", ONE("{'kind': 'remove', 'path': 'prod/web/PORT'}"), NULL, "Refused", "quoted"});
}

/* The reply to a Set, without what a revision brings. */
static char *told(struct world *world, const char *operation, const char *terms, const char *guess)
{
    char parameters[512];
    struct call call;
    snprintf(parameters, sizeof parameters, "{'operations': [{%s, 'size': %zu}]%s}", operation,
             strlen(guess), terms);
    world_ask(world, &call, NOBODY, "Set", world_json("%s", parameters), guess);
    json_object_del(call.reply, "rev");
    json_t *line = json_array_get(json_object_get(call.reply, "lines"), 0);
    json_object_del(line, "was_rev");
    json_object_del(line, "expires");
    char *text = json_dumps(call.reply, JSON_SORT_KEYS);
    call_release(&call);
    return text;
}

static void is_no_oracle(struct world *world, const char *operation, const char *terms,
                         const char *right, const char *wrong)
{
    assert_int_equal(strlen(right), strlen(wrong));
    char *yes = told(world, operation, terms, right);
    char *no = told(world, operation, terms, wrong);
    if (strcmp(yes, no) != 0)
        fail_msg("%s: '%s' for what it is, '%s' for what it is not", operation, yes, no);
    free(yes);
    free(no);
}

static void by_guessing(void **state)
{
    static const char port[] = "'kind': 'plain', 'path': 'prod/web/PORT'";
    static const char as_secret[] = "'kind': 'secret', 'path': 'prod/web/PORT'";
    static const char password[] = "'kind': 'secret', 'path': 'prod/web/PASSWORD'";
    static const char common[] = "'kind': 'plain', 'path': 'all/web/COMMON'";
    static const char *const terms[] = {
        ", 'dry_run': true",
        ", 'dry_run': true, 'quiet': true",
        ", 'dry_run': true, 'grouped': true",
        ", 'dry_run': true, 'allow_new': true",
        ", 'dry_run': true, 'if_rev': 1",
    };
    struct world *world = *state;
    if (!begin(world))
        return;
    for (int is_locked = 0; is_locked < 2; is_locked++) {
        for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++) {
            is_no_oracle(world, port, terms[i], LISTED, "listed-guess");
            is_no_oracle(world, as_secret, terms[i], LISTED, "listed-guess");
            is_no_oracle(world, password, terms[i], HIDDEN, "not-the-value!");
            is_no_oracle(world, common, terms[i], COMMON, "common-guess");
        }
        world_set(world,
                  "[{'kind': 'lock', 'path': 'prod/web/PORT'},"
                  " {'kind': 'lock', 'path': 'prod/web/PASSWORD'},"
                  " {'kind': 'lock', 'path': 'prod/web/COMMON'}]",
                  NULL);
    }
    world_set(world, "[{'kind': 'unlock', 'path': 'prod/web/COMMON'}]", NULL);
    is_no_oracle(world, "'kind': 'plain', 'path': 'prod/web/COMMON'", ", 'dry_run': true", COMMON,
                 "common-guess");
    is_no_oracle(world, "'kind': 'plain', 'path': 'prod/web/COMMON', 'ttl': 60",
                 ", 'dry_run': true", COMMON, "common-guess");
}

/* The leak guard says yes or no, and not of what; and not for ever. */
static void by_the_leak_guard(void **state)
{
    static const char set[] = ONE("{'kind': 'plain', 'path': 'prod/web/X', 'value':"
                                  " 'sixteen-bytes-16'}");
    struct world *world = *state;
    if (!begin(world))
        return;
    /* To let it pass tells as much of a value as to set it: nothing. */
    is_no_oracle(world, "'kind': 'plain', 'path': 'prod/web/X'",
                 ", 'allow_equal': true, 'reason': 'r', 'dry_run': true", "sixteen-bytes-16",
                 "sixteen-bytes-17");
    for (unsigned i = 0; i < GUARD_HITS; i++)
        ASK_OF(world, {"Set", set, NULL, "Refused", "SHARED"});
    ASK_OF(world, {"Set", set, NULL, "Denied", "SHARED"},
           {"Set", ONE("{'kind': 'plain', 'path': 'prod/web/X', 'value': 'of-no-secret-at'}"), NULL,
            "Denied", "SHARED"});
}

/* What is set is told in the same words, whatever it was and whatever is beneath. */
static void by_what_a_change_tells(void **state)
{
    struct world *world = *state;
    if (!begin(world))
        return;
    world_set(world, "[{'kind': 'plain', 'path': 'prod/web/COMMON', 'value': 'own-of-prod'}]",
              NULL);
    ASK_OF(world, {"Remove", "{'paths': ['prod/web/COMMON'], 'dry_run': true}", NULL, NULL, COMMON},
           {"Remove", "{'paths': ['prod/web/COMMON'], 'dry_run': true}", NULL, NULL, "own-of-prod"},
           {"Set", ONE("{'kind': 'lock', 'path': 'prod/web'}"), NULL, NULL, LISTED},
           {"ServiceAdd", "{'paths': ['prod/web'], 'dry_run': true}", NULL, NULL, LISTED},
           {"Set", ONE("{'kind': 'plain', 'path': 'prod/web/COMMON', 'value': 'x'}"), NULL, NULL,
            "own-of-prod"},
           {"Set", ONE("{'kind': 'secret', 'path': 'prod/web/PASSWORD', 'size': 1}"), "x", NULL,
            HIDDEN},
           {"Set", ONE("{'kind': 'plain', 'path': 'prod/web', 'keys': ['A'], 'sizes': [1]}"), "x",
            NULL, LISTED});
}

static void reading_sets_nothing(void **state)
{
    static const char *const kinds[] = {
        "'kind': 'plain', 'path': 'prod/web/PORT', 'value': '1'",
        "'kind': 'secret', 'path': 'prod/web/PORT', 'value': '1'",
        "'kind': 'template', 'path': 'prod/web/PORT', 'value': '1'",
        "'kind': 'link', 'path': 'prod/web/PORT', 'value': 'web/URL'",
        "'kind': 'remove', 'path': 'prod/web/PORT'",
        "'kind': 'copy', 'path': 'prod/web/P', 'from': 'prod/web/PORT'",
        "'kind': 'move', 'path': 'dev/scratch/P', 'from': 'prod/web/PORT'",
        "'kind': 'service', 'path': 'prod/web'",
        "'kind': 'environment', 'path': 'prod'",
        "'kind': 'share', 'path': 'prod/web/PORT', 'with': 'scratch'",
        "'kind': 'unshare', 'path': 'prod/web/PORT', 'with': 'scratch'",
        "'kind': 'lock', 'path': 'prod/web/PORT'",
        "'kind': 'unlock', 'path': 'prod/web/PORT'",
        "'kind': 'schema', 'path': 'prod/web', 'schema': {'service': 'web'}",
        "'kind': 'unschema', 'path': 'prod/web'",
        "'kind': 'grant', 'path': 'prod/web', 'who': 'user:nobody', 'rights': ['set']",
        "'kind': 'revoke', 'path': 'prod/web', 'who': 'user:nobody'",
        "'kind': 'plain', 'path': 'prod/web', 'keys': ['A'], 'sizes': [1]",
        "'kind': 'no-such', 'path': 'prod/web/PORT'",
    };
    static const char *const rights[] = {"'read'", "'list'"};
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    grant(world, "dev/scratch", "user:nobody", "'set', 'read'");
    for (size_t i = 0; i < 2 * sizeof kinds / sizeof kinds[0]; i++) {
        char parameters[256];
        if (i % (sizeof kinds / sizeof kinds[0]) == 0)
            grant(world, "prod/web", "user:nobody", rights[i == 0]);
        snprintf(parameters, sizeof parameters, "{'operations': [{%s}]%s}",
                 kinds[i % (sizeof kinds / sizeof kinds[0])], i % 2 ? ", 'dry_run': true" : "");
        ASK_OF(world, {"Set", parameters, "x", "Denied", HIDDEN});
    }
    ASK_OF(world, MAY_NOT(HIDDEN, "Remove", "{'paths': ['prod/web/PORT']}"),
           MAY_NOT(HIDDEN, "ServiceRemove", "{'paths': ['prod/web'], 'all': true}"),
           MAY_NOT(HIDDEN, "ServiceAdd", "{'paths': ['prod/web']}"),
           MAY_NOT(HIDDEN, "Rollback", "{'path': 'prod/web', 'to': '1', 'dry_run': true}"),
           MAY_NOT(HIDDEN, "Promote", "{'from': 'dev/scratch', 'to': 'prod/web'}"),
           MAY_NOT(HIDDEN, "Copy", "{'from': 'dev/scratch/MINE', 'to': 'prod/web/MINE'}"),
           MAY_NOT(HIDDEN, "Move", "{'from': 'prod/web/PORT', 'to': 'prod/web/P'}"),
           MAY_NOT(HIDDEN, "Tag", "{'name': 't'}"), MAY_NOT(HIDDEN, "Untag", "{'name': 't'}"));
}

/* What each takes, of all in 'prod'. */
static const struct {
    const char *method, *parameters;
    unsigned takes;
} matrix[] = {
    {"Set", ONE("{'kind': 'plain', 'path': 'prod/web/PORT', 'value': '1'}"), GRANT_SET},
    {"Set", ONE("{'kind': 'secret', 'path': 'prod/web/PORT', 'size': 1}"), GRANT_SET},
    {"Set", ONE("{'kind': 'plain', 'path': 'prod/web', 'keys': ['A'], 'sizes': [1]}"), GRANT_SET},
    {"Set", ONE("{'kind': 'template', 'path': 'prod/web/PORT', 'value': '1'}"),
     GRANT_SET | GRANT_READ},
    {"Set", ONE("{'kind': 'template', 'path': 'prod/web', 'keys': ['A'], 'sizes': [1]}"),
     GRANT_SET | GRANT_READ},
    {"Set", ONE("{'kind': 'link', 'path': 'prod/web/L', 'value': 'web/PORT'}"),
     GRANT_SET | GRANT_READ},
    {"Set", ONE("{'kind': 'remove', 'path': 'prod/web/PORT'}"), GRANT_SET},
    {"Set", ONE("{'kind': 'copy', 'path': 'prod/web/C', 'from': 'prod/web/PORT'}"),
     GRANT_SET | GRANT_READ},
    {"Set", ONE("{'kind': 'move', 'path': 'prod/web/C', 'from': 'prod/web/PORT'}"),
     GRANT_SET | GRANT_READ},
    {"Set", ONE("{'kind': 'service', 'path': 'prod/web'}"), GRANT_SET},
    {"Set", ONE("{'kind': 'environment', 'path': 'prod'}"), GRANT_ADMIN},
    {"Set", ONE("{'kind': 'share', 'path': 'prod/web/PORT', 'with': 'vault'}"), GRANT_SHARE},
    {"Set", ONE("{'kind': 'unshare', 'path': 'prod/vault/SHARED', 'with': 'web'}"), GRANT_SHARE},
    {"Set", ONE("{'kind': 'lock', 'path': 'prod/web'}"), GRANT_SET},
    {"Set", ONE("{'kind': 'unlock', 'path': 'prod/web'}"), GRANT_ADMIN},
    {"Set", ONE("{'kind': 'schema', 'path': 'prod/web', 'schema': {'service': 'web'}}"),
     GRANT_SET | GRANT_READ},
    {"Set", ONE("{'kind': 'unschema', 'path': 'prod/web'}"), GRANT_SET | GRANT_READ},
    {"Set", ONE("{'kind': 'grant', 'path': 'prod/web', 'who': 'user:other', 'rights': ['list']}"),
     GRANT_ADMIN},
    {"Set", ONE("{'kind': 'revoke', 'path': 'prod/web', 'who': 'user:other'}"), GRANT_ADMIN},
    {"ServiceAdd", "{'paths': ['prod/web'], 'dry_run': true}", GRANT_SET},
    {"ServiceRemove", "{'paths': ['prod/web'], 'all': true, 'dry_run': true}", GRANT_ADMIN},
    {"EnvironmentRemove", "{'names': ['prod'], 'all': true, 'dry_run': true}", GRANT_ADMIN},
    {"Remove", "{'paths': ['prod/web/PORT'], 'dry_run': true}", GRANT_SET},
    {"Copy", "{'from': 'prod/web/PORT', 'to': 'prod/web/C', 'dry_run': true}",
     GRANT_SET | GRANT_READ},
    {"Move", "{'from': 'prod/web/PORT', 'to': 'prod/web/C', 'dry_run': true}",
     GRANT_SET | GRANT_READ},
    {"Move", "{'from': 'prod/web', 'to': 'prod/web2', 'dry_run': true, 'allow_new': true}",
     GRANT_ADMIN},
    {"Rollback", "{'path': 'prod/web', 'to': '2', 'dry_run': true}", GRANT_SET | GRANT_READ},
    {"Get", "{'paths': ['prod/web'], 'reveal': true}", GRANT_READ},
    {"Definitions", "{'paths': ['prod/web']}", GRANT_READ},
    {"Explain", "{'path': 'prod/web/PORT'}", GRANT_READ},
    {"Check", "{'path': 'prod/web'}", GRANT_READ},
    {"Diff", "{'path': 'prod/web', 'at': '2'}", GRANT_READ},
    {"SchemaInfer", "{'path': 'prod/web'}", GRANT_READ},
    {"SchemaShow", "{'path': 'prod/web'}", GRANT_READ},
    {"Watch", "{'paths': ['prod/web'], 'from': 1}", GRANT_READ},
    {"Mount", "{'path': 'prod/web'}", GRANT_READ},
    {"Log", "{'path': 'prod/web'}", GRANT_AUDIT},
    {"Blame", "{'path': 'prod/web'}", GRANT_AUDIT},
    {"Locks", "{'path': 'prod'}", GRANT_AUDIT},
    {"Show", "{'rev': 3}", GRANT_AUDIT},
    {"Refs", "{'path': 'prod/web/PORT'}", 0},
    {"List", "{'path': 'prod/web'}", 0},
    {"Views", "{'path': 'prod/web'}", 0},
    {"Grants", "{'path': 'prod/web'}", 0},
    {"Find", "{'pattern': '*'}", 0},
};

static void grant_exactly(struct world *world, unsigned rights)
{
    static const char *const words[] = {"'list'",  "'read'",  "'set'",
                                        "'share'", "'audit'", "'admin'"};
    char text[128] = "";
    for (size_t i = 0; i < 6; i++)
        if (rights & 1u << i)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s",
                     text[0] != '\0' ? ", " : "", words[i]);
    if (rights > 1)
        world_set(world, "[{'kind': 'revoke', 'path': 'prod', 'who': 'user:nobody'}]", NULL);
    grant(world, "prod", "user:nobody", text);
}

/* Every one of them with each set of rights: denied where one is missing, and only there. */
static void exactly_what_is_taken(void **state)
{
    struct world *world = *state;
    fill(world);
    world_set(world, "[{'kind': 'plain', 'path': 'prod/web/OF_REVISION_3', 'value': '1'}]", NULL);
    if (!is_here())
        return;
    for (unsigned rights = 1; rights <= GRANT_ALL; rights++) {
        grant_exactly(world, rights);
        for (size_t i = 0; i < sizeof matrix / sizeof matrix[0]; i++) {
            struct call call;
            bool may = (rights & GRANT_ADMIN) || (matrix[i].takes & ~rights) == 0;
            world_ask(world, &call, NOBODY, matrix[i].method,
                      world_json("%s", matrix[i].parameters), "x");
            if (may == (call.error != NULL && strcmp(call.error, "io.emsa.Denied") == 0))
                fail_msg("%s %s with rights %u: %s", matrix[i].method, matrix[i].parameters, rights,
                         call.error != NULL ? call.error : "done");
            call_release(&call);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_templates_and_links, world_begin, world_end),
        cmocka_unit_test_setup_teardown(by_copies, world_begin, world_end),
        cmocka_unit_test_setup_teardown(by_the_past, world_begin, world_end),
        cmocka_unit_test_setup_teardown(by_reading, world_begin, world_end),
        cmocka_unit_test_setup_teardown(by_schemas_and_checks, world_begin, world_end),
        cmocka_unit_test_setup_teardown(by_guessing, world_begin, world_end),
        cmocka_unit_test_setup_teardown(by_the_leak_guard, world_begin, world_end),
        cmocka_unit_test_setup_teardown(by_what_a_change_tells, world_begin, world_end),
        cmocka_unit_test_setup_teardown(reading_sets_nothing, world_begin, world_end),
        cmocka_unit_test_setup_teardown(exactly_what_is_taken, world_begin, world_end),
    };
    if (secret_setup(8u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
