/*
 * Somebody who holds a few rights, against every way to learn or do more. The caller is user
 * "nobody" of group "nogroup" (65534, which every Debian has); the places that it must not learn of
 * have names and values that are looked for in every reply: whoever holds nothing there is told the
 * same whether they exist or not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tests/unit/tools/rights_world.h"
#include "tools/service/rights.h"
#include "tools/service/verb.h"

/* What each verb takes, said a second time: who changes the server's table means it. Beside it
 * stand the rows of tests/integration/rights, which ask what comes of it. */
static const struct {
    const char *verb;
    enum right right;
    const char *judged;
} taken[] = {
    {"AuditAuditor", RIGHT_ADMIN, NULL},
    {"Compact", RIGHT_ADMIN, "path"},
    {"EnvironmentAdd", RIGHT_ADMIN, "names"},
    {"EnvironmentCopy", RIGHT_ADMIN, "to"},
    {"EnvironmentRemove", RIGHT_ADMIN, "names"},
    {"Purge", RIGHT_ADMIN, "path"},
    {"ServiceRemove", RIGHT_ADMIN, "paths"},
    {"Stop", RIGHT_ADMIN, NULL},
    {"TakeOver", RIGHT_ADMIN, NULL},
    {"UnlockIdentity", RIGHT_ADMIN, NULL},
    {"Upgrade", RIGHT_ADMIN, NULL},
    {"VolumeCreate", RIGHT_ADMIN, NULL},
    {"VolumeGet", RIGHT_ADMIN, NULL},
    {"VolumeList", RIGHT_ADMIN, NULL},
    {"VolumeMount", RIGHT_ADMIN, NULL},
    {"VolumePath", RIGHT_ADMIN, NULL},
    {"VolumeRemove", RIGHT_ADMIN, NULL},
    {"VolumeUnmount", RIGHT_ADMIN, NULL},
    {"Audit", RIGHT_AUDIT, "path"},
    {"Blame", RIGHT_AUDIT, "path"},
    {"CallerChallenge", RIGHT_NONE, NULL},
    {"CallerProve", RIGHT_NONE, NULL},
    {"Exposed", RIGHT_AUDIT, "path"},
    {"Locks", RIGHT_AUDIT, "path"},
    {"Log", RIGHT_AUDIT, "path"},
    {"Tags", RIGHT_AUDIT, NULL},
    {"Verify", RIGHT_AUDIT, NULL},
    {"Copy", RIGHT_EDIT, "to"},
    {"Move", RIGHT_EDIT, "to"},
    {"Promote", RIGHT_EDIT, "to"},
    {"Rollback", RIGHT_EDIT, "path"},
    {"Metrics", RIGHT_LIST, NULL},
    {"Refs", RIGHT_LIST, "path"},
    {"IdentityKeys", RIGHT_LIST, NULL},
    {"SealKey", RIGHT_LIST, "path"},
    {"Status", RIGHT_LIST, NULL},
    {"Set", RIGHT_OF_EACH, NULL},
    {"Check", RIGHT_READ, "path"},
    {"Definitions", RIGHT_READ, "paths"},
    {"Diff", RIGHT_READ, "path"},
    {"Explain", RIGHT_READ, "path"},
    {"Get", RIGHT_READ, "paths"},
    {"Mount", RIGHT_READ, "path"},
    {"SchemaInfer", RIGHT_READ, "path"},
    {"SchemaShow", RIGHT_READ, "path"},
    {"Watch", RIGHT_READ, "paths"},
    {"EnvironmentList", RIGHT_SEE, NULL},
    {"List", RIGHT_SEE, "path"},
    {"ServiceList", RIGHT_SEE, "path"},
    {"Tree", RIGHT_SEE, "path"},
    {"Remove", RIGHT_SET, "paths"},
    {"ServiceAdd", RIGHT_SET, "paths"},
    {"Tag", RIGHT_SET, NULL},
    {"Untag", RIGHT_SET, NULL},
    {"Find", RIGHT_SOME, NULL},
    {"Grants", RIGHT_SOME, NULL},
    {"Show", RIGHT_SOME, NULL},
    {"StoreId", RIGHT_SOME, NULL},
    {"Views", RIGHT_SOME, NULL},
    {"ViewMove", RIGHT_SOME, NULL},
};

static void every_verb_has_a_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < verb_count; i++) {
        size_t at = 0;
        while (at < sizeof taken / sizeof taken[0] && strcmp(taken[at].verb, verbs[i].name) != 0)
            at++;
        if (at == sizeof taken / sizeof taken[0])
            fail_msg("nobody has said who may call '%s'", verbs[i].name);
        assert_int_equal(verbs[i].right, taken[at].right);
        assert_string_equal(verbs[i].judged != NULL ? verbs[i].judged : "-",
                            taken[at].judged != NULL ? taken[at].judged : "-");
    }
    assert_int_equal(verb_count, sizeof taken / sizeof taken[0]);
}

/* Whatever they are, and wherever: denied to somebody without any right, but what shows that one
 * has some. */
static void every_verb_is_denied_to_strangers(void **state)
{
    static const char *const parameters[] = {
        "{}", "{'path': 'prod/web', 'paths': ['prod/web'], 'names': ['prod'], 'from': 'prod/web',"
              " 'to': 'dev/web', 'name': 'a', 'pattern': '*', 'options': {'path': 'prod/web'}}"};
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    grant(world, "", "user:root", "'admin'");
    for (size_t i = 0; i < 2 * verb_count; i++)
        if (verbs[i / 2].right != RIGHT_NONE)
            ASK({verbs[i / 2].name, parameters[i % 2], NULL, "Denied", LISTED});
}

static void whoever_holds_nothing(void **state)
{
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    grant(world, "", "user:root", "'admin'");
    ASK({"List", "{}", NULL, "Denied", "prod"}, {"List", "{'path': 'prod'}", NULL, "Denied", "web"},
        {"Find", "{'pattern': '*'}", NULL, "Denied", "prod"},
        {"Get", "{'paths': ['prod/web/PORT']}", NULL, "Denied", LISTED},
        {"Grants", "{}", NULL, "Denied", "root"}, {"Show", "{'rev': 1}", NULL, "Denied", NULL},
        {"Status", "{}", NULL, "Denied", NULL},
        {"Set", "{'operations': [{'kind': 'plain', 'path': 'prod/web/PORT', 'value': 'x'}]}", NULL,
         "Denied", NULL},
        {"Set", "{'operations': []}", NULL, "Denied", NULL});
}

/* Everything that reads, by who may only set there. */
static void setting_reads_nothing(void **state)
{
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    grant(world, "prod/web", "user:nobody", "'set'");
    grant(world, "dev/scratch", "group:nogroup", "'read', 'set'");
    ASK({"Get", "{'paths': ['prod/web/PORT']}", NULL, "Denied", LISTED},
        {"Get", "{'paths': ['prod/web'], 'reveal': true}", NULL, "Denied", HIDDEN},
        {"Definitions", "{'paths': ['prod/web'], 'reveal': true}", NULL, "Denied", HIDDEN},
        {"Definitions", "{'paths': ['dev/scratch'], 'environments': ['prod']}", NULL, NULL, LISTED},
        {"Explain", "{'path': 'prod/web/PORT'}", NULL, "Denied", LISTED},
        {"Diff", "{'path': 'prod/web', 'other': 'dev/scratch'}", NULL, "Denied", LISTED},
        {"Diff", "{'path': 'dev/scratch', 'other': 'prod/web'}", NULL, "Denied", LISTED},
        {"Check", "{'path': 'prod/web'}", NULL, "Denied", LISTED},
        {"SchemaInfer", "{'path': 'prod/web'}", NULL, "Denied", LISTED},
        {"Watch", "{'paths': ['prod/web']}", NULL, "Denied", NULL},
        {"Log", "{'path': 'prod/web'}", NULL, "Denied", NULL},
        {"Blame", "{'path': 'prod/web'}", NULL, "Denied", NULL},
        {"Show", "{'rev': 2}", NULL, "Denied", LISTED},
        {"Show", "{'rev': 2, 'limit': 1}", NULL, "Denied", LISTED},
        {"Copy", "{'from': 'prod/web', 'to': 'dev/scratch'}", NULL, "Denied", LISTED},
        {"Copy", "{'from': 'prod/web/PORT', 'to': 'prod/web/COPY'}", NULL, "Denied", LISTED},
        {"Move", "{'from': 'prod/web/PORT', 'to': 'prod/scratch/PORT'}", NULL, "Denied", NULL},
        {"Rollback", "{'path': 'prod/web', 'to': '1', 'dry_run': true}", NULL, "Denied", LISTED},
        {"Promote", "{'from': 'prod/web', 'to': 'dev/web'}", NULL, "Denied", NULL},
        {"Promote", "{'from': 'dev/scratch', 'to': 'prod/web'}", NULL, "Denied", NULL},
        {"Refs", "{'path': 'prod/web/PORT'}", NULL, NULL, LISTED},
        {"SchemaShow", "{'path': 'prod/web'}", NULL, "Denied", NULL});
    /* What shows something of what is there. */
    ASK({"Set", "{'operations': [{'kind': 'template', 'path': 'prod/web/T', 'value': 'x${PORT}'}]}",
         NULL, "Denied", NULL},
        {"Set",
         "{'operations': [{'kind': 'template', 'path': 'prod/web', 'keys': ['T'], 'sizes': [7]}]}",
         "${PORT}", "Denied", NULL},
        {"Set", "{'operations': [{'kind': 'link', 'path': 'prod/web/L', 'value': 'web/PORT'}]}",
         NULL, "Denied", NULL},
        {"Set",
         "{'operations': [{'kind': 'copy', 'path': 'dev/scratch/C', 'from': 'prod/web/PORT'}]}",
         NULL, "Denied", NULL},
        {"Set", "{'operations': [{'kind': 'move', 'path': 'prod/web/C', 'from': 'prod/web/PORT'}]}",
         NULL, "Denied", NULL},
        {"Set",
         "{'operations': [{'kind': 'schema', 'path': 'prod/web', 'schema': {'service': 'web'}}],"
         " 'dry_run': true}",
         NULL, "Denied", NULL},
        {"Set", "{'operations': [{'kind': 'share', 'path': 'prod/web/PORT', 'with': 'scratch'}]}",
         NULL, "Denied", NULL},
        {"Set", "{'operations': [{'kind': 'unlock', 'path': 'prod/web'}]}", NULL, "Denied", NULL},
        {"Set",
         "{'operations': [{'kind': 'grant', 'path': 'prod/web', 'who': 'user:nobody',"
         " 'rights': ['read']}]}",
         NULL, "Denied", NULL},
        {"ServiceRemove", "{'paths': ['prod/web'], 'all': true}", NULL, "Denied", NULL},
        {"Find", "{'pattern': '*', 'value': '" LISTED "'}", NULL, NULL, "prod/web"},
        {"Find", "{'pattern': '*'}", NULL, NULL, "vault"});
}

/* What is set is told of in the same way whether it was so before or not. */
static void setting_is_no_guessing(void **state)
{
    static const char *const dry[] = {"false", "true"};
    static const char *const kinds[] = {"plain", "secret"};
    static const char *const keys[] = {"PORT", "PASSWORD"};
    static const char *const right[] = {LISTED, HIDDEN};
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    grant(world, "prod/web", "user:nobody", "'set'");
    for (size_t i = 0; i < 4; i++) {
        char parameters[256], *texts[2];
        const size_t kind = i / 2;
        for (size_t guess = 0; guess < 2; guess++) {
            const char *value = guess ? "not-the-value!" : right[kind];
            snprintf(parameters, sizeof parameters,
                     "{'operations': [{'kind': '%s', 'path': 'prod/web/%s', 'size': %zu}],"
                     " 'dry_run': %s}",
                     kinds[kind], keys[kind], strlen(value), dry[i % 2 == 0]);
            json_t *reply = ask(world, &(struct row){"Set", parameters, value, NULL, NULL});
            assert_string_equal(world_member(reply, "changed"), "1");
            json_object_del(reply, "rev");
            json_object_del(json_array_get(json_object_get(reply, "lines"), 0), "was_rev");
            texts[guess] = json_dumps(reply, JSON_SORT_KEYS);
            json_decref(reply);
        }
        assert_string_equal(texts[0], texts[1]);
        free(texts[0]);
        free(texts[1]);
    }
    /* And nothing that may be listed tells it either: the revision moves both times. */
    const struct row same = {
        "Set", "{'operations': [{'kind': 'plain', 'path': 'prod/web/PORT', 'value': 'twice'}]}",
        NULL, NULL, NULL};
    json_decref(ask(world, &same));
    json_t *before = world_reply(world, "List", world_json("{'path': 'prod/web/PORT'}"));
    json_decref(ask(world, &same));
    json_t *after = world_reply(world, "List", world_json("{'path': 'prod/web/PORT'}"));
    char was[32];
    snprintf(was, sizeof was, "%s", world_member(before, "items.0.rev"));
    assert_string_not_equal(world_member(after, "items.0.rev"), was);
    json_decref(before);
    json_decref(after);
}

static void listing_reads_nothing(void **state)
{
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    grant(world, "prod/web", "user:nobody", "'list'");
    json_t *reply = ask(world, &(struct row){"Tree", "{}", NULL, NULL, LISTED});
    assert_string_equal(world_members(json_object_get(reply, "items"), "path"),
                        "prod prod/web prod/web/PASSWORD prod/web/PORT");
    json_decref(reply);
    reply = ask(world, &(struct row){"EnvironmentList", "{}", NULL, NULL, "dev"});
    assert_string_equal(world_members(json_object_get(reply, "items"), "path"), "prod");
    json_decref(reply);
    reply = ask(world, &(struct row){"Find", "{'pattern': '*/*/*'}", NULL, NULL, "dev"});
    assert_string_equal(world_members(json_object_get(reply, "items"), "path"),
                        "prod/web/PASSWORD prod/web/PORT");
    json_decref(reply);
    ASK({"ServiceList", "{'path': 'prod'}", NULL, NULL, "vault"},
        {"List", "{'path': 'prod/vault'}", NULL, "Denied", NULL},
        {"List", "{'path': 'prod/no-such'}", NULL, "Denied", NULL},
        {"List", "{'path': 'prod/web/NOT_THERE'}", NULL, "NotFound", NULL},
        {"Get", "{'paths': ['prod/web/PORT']}", NULL, "Denied", LISTED},
        {"Find", "{'pattern': '*', 'value': '" LISTED "'}", NULL, NULL, "prod/web"},
        {"Set", "{'operations': [{'kind': 'plain', 'path': 'prod/web/X', 'value': 'x'}]}", NULL,
         "Denied", NULL},
        {"Set", "{'operations': [{'kind': 'remove', 'path': 'prod/web/PORT'}]}", NULL, "Denied",
         NULL});
}

/* With all of one service: what stands in another one's way is not told by name. */
static void reasons_tell_no_names(void **state)
{
    struct world *world = *state;
    fill(world);
    world_set(world,
              "[{'kind': 'share', 'path': 'prod/web/PORT', 'with': 'vault'},"
              " {'kind': 'link', 'path': 'prod/vault/" FOREIGN "2', 'value': 'web/PORT'}]",
              NULL);
    if (!is_here())
        return;
    grant(world, "prod/web", "user:nobody", "'admin'");
    static const struct row rows[] = {
        {"Set", "{'operations': [{'kind': 'link', 'path': 'prod/web/L', 'value': 'vault/NONE'}]}",
         NULL, "Refused", "is not there"},
        {"Set",
         "{'operations': [{'kind': 'link', 'path': 'prod/web/L', 'value': 'vault/" FOREIGN "'}]}",
         NULL, "Refused", "not shared"},
        {"Set", "{'operations': [{'kind': 'link', 'path': 'prod/web/L', 'value': 'never/NONE'}]}",
         NULL, "Refused", NULL},
    };
    char first[512], other[512];
    json_t *reply = ask(world, &rows[0]);
    snprintf(first, sizeof first, "%s", world_member(reply, "message"));
    json_decref(reply);
    reply = ask(world, &rows[1]);
    snprintf(other, sizeof other, "%s", world_member(reply, "message"));
    json_decref(reply);
    assert_string_equal(first, other);
    assert_non_null(strstr(first, "that you may not list"));
    json_decref(ask(world, &rows[2]));
    /* Who refers to it is not named; what is shared may be used. */
    ASK({"Set", "{'operations': [{'kind': 'remove', 'path': 'prod/web/PORT'}]}", NULL, "Refused",
         "vault"},
        {"Refs", "{'path': 'prod/web/PORT'}", NULL, NULL, "vault/"},
        {"Set", "{'operations': [{'kind': 'link', 'path': 'prod/web/S', 'value': 'vault/SHARED'}]}",
         NULL, NULL, NULL},
        {"Explain", "{'path': 'prod/web/S'}", NULL, NULL, "sixteen"},
        {"Explain", "{'path': 'prod/web/PORT'}", NULL, NULL, "of-dev"},
        {"Set",
         "{'operations': [{'kind': 'plain', 'path': 'prod/web/X', 'value': 'sixteen-bytes-16'}]}",
         NULL, "Refused", "SHARED"},
        {"Set", "{'operations': [{'kind': 'service', 'path': 'prod/vaulr'}]}", NULL, "Denied",
         NULL},
        {"Set",
         "{'operations': [{'kind': 'plain', 'path': 'prod/web/X', 'value': 'x'}], 'if_rev': 1,"
         " 'if_path': 'prod/vault'}",
         NULL, "Denied", NULL},
        {"Set",
         "{'operations': [{'kind': 'plain', 'path': 'prod/web/X', 'value': 'x'}], 'if_rev': 1,"
         " 'if_paths': ['prod/web', 'prod/vault']}",
         NULL, "Denied", NULL},
        {"Set",
         "{'operations': [{'kind': 'plain', 'path': 'prod/web/X', 'value': 'x'}],"
         " 'override': ['lock'], 'reason': 'r'}",
         NULL, "Denied", NULL});
}

/* A circle is told of by names of services and keys alone. */
static void circles_tell_no_names(void **state)
{
    static const struct row circle = {
        "Set", "{'operations': [{'kind': 'link', 'path': 'prod/web/A', 'value': 'vault/BACK'}]}",
        NULL, "Refused", "INNER"};
    struct world *world = *state;
    fill(world);
    world_set(world,
              "[{'kind': 'plain', 'path': 'prod/web/A', 'value': '1'},"
              " {'kind': 'share', 'path': 'prod/web/A', 'with': 'vault'},"
              " {'kind': 'link', 'path': 'prod/vault/INNER', 'value': 'web/A'},"
              " {'kind': 'link', 'path': 'prod/vault/BACK', 'value': 'vault/INNER'},"
              " {'kind': 'share', 'path': 'prod/vault/BACK', 'with': 'web'}]",
              NULL);
    if (!is_here())
        return;
    grant(world, "prod/web", "user:nobody", "'admin'");
    json_t *reply = ask(world, &circle);
    assert_non_null(strstr(world_member(reply, "message"), "that you may not list"));
    json_decref(reply);
    grant(world, "prod/vault", "user:nobody", "'list'");
    reply = ask(world, &(struct row){circle.method, circle.parameters, NULL, "Refused", NULL});
    assert_non_null(strstr(world_member(reply, "message"), "vault/INNER"));
    json_decref(reply);
}

/* Valid until the next call. */
static const char *at_if_rev(const char *operations, const char *terms, uint64_t rev)
{
    static char text[512];
    snprintf(text, sizeof text, "{'operations': [%s], 'if_rev': %" PRIu64 "%s}", operations, rev,
             terms);
    return text;
}

/* if_rev is asked of what the change touches, and so by whoever may make it. */
static void if_rev_of_what_is_touched(void **state)
{
    static const char set[] = "{'kind': 'plain', 'path': 'prod/web/PORT', 'value': '2'}";
    static const char both[] = "{'kind': 'plain', 'path': 'prod/web/PORT', 'value': '3'},"
                               " {'kind': 'plain', 'path': 'dev/scratch/MINE', 'value': '3'}";
    static const char copy[] = "{'kind': 'copy', 'path': 'dev/scratch/C', 'from': 'prod/web/PORT'}";
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    grant(world, "prod/web", "user:nobody", "'set', 'read'");
    grant(world, "dev/scratch", "user:nobody", "'set', 'read'");
    uint64_t before =
        world_set(world, "[{'kind': 'plain', 'path': 'prod/vault/OTHER', 'value': '1'}]", NULL);
    /* Others' changes elsewhere are no conflict, and are not told of. */
    ASK({"Set", at_if_rev(set, "", before - 1), NULL, NULL, NULL});
    ASK({"Set", at_if_rev(set, "", before), NULL, "Conflict", NULL});
    ASK({"Set", at_if_rev(set, ", 'if_path': ''", before), NULL, "Denied", NULL});
    ASK({"Set", at_if_rev(set, ", 'if_path': null, 'if_paths': null", before), NULL, "Conflict",
         NULL});
    ASK({"Set", at_if_rev(both, "", before), NULL, "Conflict", NULL});
    ASK({"Set", at_if_rev(copy, "", before), NULL, "Conflict", NULL});
    ASK({"Set", at_if_rev(copy, "", before + 1), NULL, NULL, NULL});
    ASK({"Set", at_if_rev(set, ", 'if_paths': ['dev/scratch/MINE']", before), NULL, NULL, NULL});
    ASK({"Set", at_if_rev(set, ", 'if_paths': ['dev/scratch/MINE', 'prod/vault/OTHER']", before),
         NULL, "Denied", NULL});
    /* The verbs with places of their own. */
    ASK({"Remove", "{'paths': ['dev/scratch/C'], 'if_rev': 1}", NULL, "Conflict", NULL},
        {"Remove", "{'paths': ['dev/scratch/NO'], 'if_rev': 1}", NULL, "NotFound", NULL},
        {"Copy", "{'from': 'prod/web/PORT', 'to': 'dev/scratch/D', 'if_rev': 1}", NULL, "Conflict",
         NULL},
        {"Move", "{'from': 'dev/scratch/C', 'to': 'dev/scratch/D', 'if_rev': 1}", NULL, "Conflict",
         NULL},
        {"Rollback", "{'path': 'dev/scratch', 'to': '2', 'if_rev': 1}", NULL, "Conflict", NULL});
}

static void administering_one_service(void **state)
{
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    grant(world, "prod/web", "group:nogroup", "'admin'");
    ASK({"Get", "{'paths': ['prod/web'], 'reveal': true}", NULL, NULL, NULL},
        {"Set",
         "{'operations': [{'kind': 'grant', 'path': 'prod/web', 'who': 'user:other',"
         " 'rights': ['list']}]}",
         NULL, NULL, NULL},
        {"Set",
         "{'operations': [{'kind': 'grant', 'path': 'prod', 'who': 'user:nobody',"
         " 'rights': ['list']}]}",
         NULL, "Denied", NULL},
        {"Set",
         "{'operations': [{'kind': 'grant', 'path': '', 'who': 'user:nobody', 'rights': "
         "['admin']}]}",
         NULL, "Denied", NULL},
        {"EnvironmentAdd", "{'names': ['mine'], 'base': 'prod'}", NULL, "Denied", NULL},
        {"EnvironmentCopy", "{'from': 'prod', 'to': 'mine'}", NULL, "Denied", NULL},
        {"EnvironmentRemove", "{'names': ['prod'], 'all': true}", NULL, "Denied", NULL},
        {"Mount", "{}", NULL, "Denied", NULL}, {"Stop", "{}", NULL, "Denied", NULL},
        {"Verify", "{}", NULL, "Denied", NULL}, {"Tag", "{'name': 't'}", NULL, "Denied", NULL},
        {"Tags", "{}", NULL, "Denied", NULL}, {"Log", "{}", NULL, "Denied", NULL},
        {"Log", "{'path': 'prod/web'}", NULL, NULL, NULL},
        {"Show", "{'rev': 2}", NULL, NULL, "of-dev"},
        {"Show", "{'rev': 2, 'limit': 1}", NULL, NULL, "of-dev"},
        {"Show", "{'rev': 1}", NULL, "Denied", NULL});
    json_t *reply = ask(world, &(struct row){"Grants", "{}", NULL, NULL, NULL});
    assert_string_equal(world_members(json_object_get(reply, "grants"), "who"),
                        "group:nogroup user:other");
    json_decref(reply);
}

/* What a value is put together from is told as far as it may be read where it stands. */
static void explaining_reads_no_texts(void **state)
{
    struct world *world = *state;
    fill(world);
    world_set(world,
              "[{'kind': 'plain', 'path': 'prod/vault/INNER', 'value': 'inner'},"
              " {'kind': 'template', 'path': 'prod/vault/T', 'value': 'x${INNER}y'},"
              " {'kind': 'share', 'path': 'prod/vault/T', 'with': 'web'},"
              " {'kind': 'link', 'path': 'prod/web/L', 'value': 'vault/T'},"
              " {'kind': 'plain', 'path': 'all/web/PORT', 'value': 'beneath-it'}]",
              NULL);
    if (!is_here())
        return;
    grant(world, "prod/web", "user:nobody", "'read'");
    ASK({"Explain", "{'path': 'prod/web/L'}", NULL, NULL, "INNER"},
        {"Explain", "{'path': 'prod/web/PORT'}", NULL, NULL, "beneath-it"});
    grant(world, "prod/vault", "user:nobody", "'list'");
    grant(world, "all/web", "user:nobody", "'list'");
    ASK({"Explain", "{'path': 'prod/web/L'}", NULL, NULL, "x${INNER"},
        {"Explain", "{'path': 'prod/web/PORT'}", NULL, NULL, "beneath-it"});
}

/* A schema for all environments is in force where its author may read nothing. */
static void schemas_ask_nothing(void **state)
{
    struct world *world = *state;
    fill(world);
    world_set(world,
              "[{'kind': 'plain', 'path': 'all/web/SUFFIX', 'value': '1'},"
              " {'kind': 'template', 'path': 'prod/web/BOTH', 'value': "
              "'${PASSWORD}${SUFFIX}'}]",
              NULL);
    if (!is_here())
        return;
    static const struct row schema = {
        "Set",
        "{'operations': [{'kind': 'schema', 'path': 'all/web', 'schema': {'service': 'web', 'keys':"
        " {'BOTH': {'type': 'string', 'pattern': 'hunter2.*'}}}}], 'dry_run': true}",
        NULL, "Denied", NULL};
    struct row allowed = schema;
    allowed.error = NULL;
    grant(world, "all/web", "user:nobody", "'read', 'set'");
    grant(world, "prod/web", "user:nobody", "'list', 'set'");
    grant(world, "dev/web", "user:nobody", "'read'");
    ASK(schema);
    grant(world, "prod/web", "user:nobody", "'read'");
    ASK(allowed);
}

/* What was granted is taken back, and gone at once. */
static void taken_back(void **state)
{
    struct world *world = *state;
    fill(world);
    if (!is_here())
        return;
    static const struct row get = {"Get", "{'paths': ['prod/web/PORT']}", NULL, NULL, NULL};
    static const struct row no = {"Get", "{'paths': ['prod/web/PORT']}", NULL, "Denied", LISTED};
    grant(world, "prod", "user:nobody", "'read'");
    ASK(get);
    world_set(world, "[{'kind': 'revoke', 'path': 'prod', 'who': 'user:nobody'}]", NULL);
    ASK(no);
    world_fails(world, "Set",
                world_json("{'operations': [{'kind': 'revoke', 'path': 'prod', 'who': "
                           "'user:nobody'}]}"),
                "NotFound", "was not granted that at 'prod'");
    grant(world, "", "user:nobody", "'read'");
    ASK(get);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_has_a_right),
        cmocka_unit_test_setup_teardown(every_verb_is_denied_to_strangers, world_begin, world_end),
        cmocka_unit_test_setup_teardown(whoever_holds_nothing, world_begin, world_end),
        cmocka_unit_test_setup_teardown(setting_reads_nothing, world_begin, world_end),
        cmocka_unit_test_setup_teardown(setting_is_no_guessing, world_begin, world_end),
        cmocka_unit_test_setup_teardown(listing_reads_nothing, world_begin, world_end),
        cmocka_unit_test_setup_teardown(reasons_tell_no_names, world_begin, world_end),
        cmocka_unit_test_setup_teardown(circles_tell_no_names, world_begin, world_end),
        cmocka_unit_test_setup_teardown(if_rev_of_what_is_touched, world_begin, world_end),
        cmocka_unit_test_setup_teardown(administering_one_service, world_begin, world_end),
        cmocka_unit_test_setup_teardown(explaining_reads_no_texts, world_begin, world_end),
        cmocka_unit_test_setup_teardown(schemas_ask_nothing, world_begin, world_end),
        cmocka_unit_test_setup_teardown(taken_back, world_begin, world_end),
    };
    if (secret_setup(8u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
