/* grant, revoke and grants: who may do what. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/identity_file.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/list.h"
#include "tools/emsa/output.h"
#include "tools/emsa/report.h"
#include "tools/emsa/table.h"
#include "tools/service/right_words.h"

/* "/" is everything. */
static int place_of(const char *word, struct path *out)
{
    struct path path = {0};
    int error = strcmp(word, "/") == 0 ? 0 : path_parse(&path, word, strlen(word));
    if (error == 0 && path_depth(&path) == PATH_ROOT && strcmp(word, "/") != 0)
        error = error_set(ERR_INVALID, "a place is missing: '/' is everything");
    if (error == 0)
        *out = path;
    return error;
}

/* An operation for each place and each of whom. */
static int add_operations(const struct options *options, const char *kind, const char *word,
                          json_t *operations, struct path *shared)
{
    struct path path;
    char text[PATH_TEXT_MAX];
    int error = place_of(word, &path);
    if (error < 0)
        return error;
    if (json_array_size(operations) == 0)
        *shared = path;
    path_share(shared, &path);
    for (size_t i = 0; i < options->whom.count; i++) {
        json_t *operation =
            json_pack("{s:s, s:s, s:s, s:o}", "kind", kind, "path", path_text(&path, text), "who",
                      options->whom.list[i], "rights", rights_words(options->rights));
        if (operation != NULL && options->key != NULL)
            json_object_set_new(operation, "key", json_string(options->key));
        if (operation == NULL || json_array_append_new(operations, operation) < 0)
            return error_set(ERR_INVALID, "the name '%.64s' is not UTF-8", options->whom.list[i]);
    }
    return 0;
}

static int change_rights(struct session *session, const char *kind)
{
    const struct options *options = &session->options;
    json_t *operations = json_array();
    struct path shared = {0};
    char text[PATH_TEXT_MAX];
    int error = 0;
    for (size_t i = 0; i < options->arguments.count && error == 0; i++)
        error = add_operations(options, kind, options->arguments.list[i], operations, &shared);
    if (error < 0) {
        json_decref(operations);
        return error;
    }
    return report_change(session, "io.emsa.Set", json_pack("{s:o}", "operations", operations),
                         path_text(&shared, text), NULL, 0);
}

int run_grant(struct session *session)
{
    if (session->options.whom.count == 0)
        return error_set(ERR_INVALID, "to whom? --to user:NAME, --to group:NAME or --to id:NAME");
    if (session->options.key != NULL && session->options.whom.count > 1)
        return error_set(ERR_INVALID, "--key is the public identity of one: --to id:NAME");
    if (session->options.rights == 0)
        return error_set(ERR_INVALID,
                         "which rights? --list, --read, --set, --share, --audit or --admin");
    return change_rights(session, "grant");
}

/* That reading was taken from the very identity with which secrets are opened on this machine, as
 * far as this user can see which that is. */
static void note_own(const struct session *session)
{
    const struct options *options = &session->options;
    const char *path = session->place.identity;
    struct identity_file *file = NULL;
    if (options->host != NULL || options->dry_run || identity_file_load(&file, path) < 0) {
        error_clear();
        return;
    }
    for (size_t i = 0; i < options->whom.count; i++)
        if (principal_is_identity(options->whom.list[i]) &&
            strcmp(options->whom.list[i] + strlen(PRINCIPAL_IDENTITY), identity_file_name(file)) ==
                0)
            output_note("'%s' opens the secrets here ('%s'): those that are set from now on it "
                        "opens only where --read is granted to it still; put another in its place",
                        options->whom.list[i], path);
    identity_file_free(file);
}

int run_revoke(struct session *session)
{
    if (session->options.whom.count == 0)
        return error_set(ERR_INVALID,
                         "from whom? --from user:NAME, --from group:NAME or --from id:NAME");
    const int error = change_rights(session, "revoke");
    if (error == 0 && (session->options.rights == 0 || session->options.rights & GRANT_READ))
        note_own(session);
    return error;
}

static const char *place_text(json_t *grant)
{
    const char *path = output_member(grant, "path");
    return path[0] != '\0' ? path : "/";
}

static const char *words_text(char out[static RIGHT_WORDS_MAX], json_t *grant)
{
    json_t *word;
    size_t index;
    unsigned rights = 0;
    json_array_foreach(json_object_get(grant, "rights"), index, word) rights |=
        rights_of_word(json_string_value(word));
    return rights_text(out, rights);
}

/* What an identity may read its keys decide. */
static const char *enforcer_text(json_t *grant)
{
    const char *word = output_member(grant, "enforced");
    if (strcmp(word, "cryptography") == 0)
        return word;
    return strcmp(word, "server") == 0 ? "this server" : "cryptography (read), this server";
}

static int print_grants(json_t *grants)
{
    static const char *const heading[] = {"PLACE", "WHO",   "MAY", "ENFORCED BY",
                                          "REV",   "SINCE", "BY",  "REASON"};
    static const enum colour colours[] = {COLOUR_NONE,   COLOUR_NONE,  COLOUR_BLUE, COLOUR_NONE,
                                          COLOUR_YELLOW, COLOUR_FAINT, COLOUR_NONE, COLOUR_NONE};
    struct table *table = table_new("llllrlll");
    size_t index;
    json_t *grant;
    if (json_array_size(grants) > 0)
        table_heading(table, heading);
    json_array_foreach(grants, index, grant)
    {
        char rev[SIZE_TEXT_MAX], time[TIME_TEXT_MAX], author[AUTHOR_TEXT_MAX], reason[256],
            words[RIGHT_WORDS_MAX], who[128];
        output_author(author, grant);
        output_first_line(reason, sizeof reason, output_member(grant, "reason"));
        snprintf(who, sizeof who, "%s%s", output_member(grant, "who"),
                 json_is_true(json_object_get(grant, "known")) ? "" : " (unknown here)");
        const char *cells[] = {place_text(grant),
                               who,
                               words_text(words, grant),
                               enforcer_text(grant),
                               number_text(rev, json_integer_value(json_object_get(grant, "rev"))),
                               time_text(time, json_integer_value(json_object_get(grant, "time"))),
                               author,
                               reason};
        table_row(table, cells, colours);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

int run_grants(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct texts *words = &session->options.arguments;
    json_t *parameters = json_object();
    struct path path = {0};
    char text[PATH_TEXT_MAX];
    const char *word = words->count > 0 ? words->list[0] : "/";
    bool is_who = strchr(word, ':') != NULL;
    int error = is_who ? 0 : place_of(word, &path);
    if (error < 0) {
        json_decref(parameters);
        return error;
    }
    json_object_set_new(parameters, is_who ? "who" : "path",
                        json_string(is_who ? word : path_text(&path, text)));
    error = session_ask(session, "io.emsa.Grants", parameters, NULL, 0, &answer);
    if (error < 0)
        return error;
    return session->options.json ? output_json(json_incref(answer.reply))
                                 : print_grants(json_object_get(answer.reply, "grants"));
}
