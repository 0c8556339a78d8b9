/* share, unshare, lock and unlock: what is said about names and places, not about values. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/report.h"
#include "tools/emsa/table.h"
#include "tools/emsa/words.h"

static int send_operations(struct session *session, json_t *operations, const struct path *shared)
{
    char text[PATH_TEXT_MAX];
    return report_change(session, "io.emsa.Set", json_pack("{s:o}", "operations", operations),
                         path_text(shared, text), NULL, 0);
}

/* Each key with each of the services. */
static int change_shares(struct session *session, const char *kind)
{
    const struct options *options = &session->options;
    json_t *paths, *path;
    struct path shared = {0};
    size_t index;
    if (options->with.count == 0)
        return error_set(ERR_INVALID, "with whom? --with SERVICE, or --with '*': every service of "
                                      "the environment");
    int error = words_paths(&options->arguments, PATH_KEY, word_key, &paths, &shared);
    if (error < 0)
        return error;
    json_t *operations = json_array();
    json_array_foreach(paths, index, path)
    {
        for (size_t i = 0; i < options->with.count; i++)
            json_array_append_new(operations, json_pack("{s:s, s:O, s:s}", "kind", kind, "path",
                                                        path, "with", options->with.list[i]));
    }
    json_decref(paths);
    return send_operations(session, operations, &shared);
}

int run_share(struct session *session)
{
    return change_shares(session, "share");
}

int run_unshare(struct session *session)
{
    return change_shares(session, "unshare");
}

static int change_locks(struct session *session, const char *kind)
{
    json_t *paths, *path;
    struct path shared = {0};
    size_t index;
    int error = words_places(&session->options.arguments, &paths, &shared);
    if (error < 0)
        return error;
    json_t *operations = json_array();
    json_array_foreach(paths, index, path)
        json_array_append_new(operations, json_pack("{s:s, s:O}", "kind", kind, "path", path));
    json_decref(paths);
    return send_operations(session, operations, &shared);
}

static int print_locks(json_t *locks)
{
    static const char *const heading[] = {"PLACE", "REV", "LOCKED", "BY", "REASON"};
    static const enum colour colours[] = {COLOUR_NONE, COLOUR_YELLOW, COLOUR_FAINT, COLOUR_NONE,
                                          COLOUR_NONE};
    struct table *table = table_new("lrlll");
    size_t index;
    json_t *lock;
    if (json_array_size(locks) > 0)
        table_heading(table, heading);
    json_array_foreach(locks, index, lock)
    {
        char rev[SIZE_TEXT_MAX], time[TIME_TEXT_MAX], author[AUTHOR_TEXT_MAX], reason[256];
        output_tame(reason, sizeof reason, output_member(lock, "reason"));
        const char *cells[] = {output_member(lock, "path"),
                               number_text(rev, json_integer_value(json_object_get(lock, "rev"))),
                               time_text(time, json_integer_value(json_object_get(lock, "time"))),
                               output_author(author, lock), reason};
        table_row(table, cells, colours);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

static int list_locks(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = session_ask(session, "io.emsa.Locks", json_object(), NULL, 0, &answer);
    if (error < 0)
        return error;
    if (session->options.json)
        return output_json(json_incref(answer.reply));
    return print_locks(json_object_get(answer.reply, "locks"));
}

int run_lock(struct session *session)
{
    if (session->options.arguments.count == 0)
        return list_locks(session);
    return change_locks(session, "lock");
}

int run_unlock(struct session *session)
{
    return change_locks(session, "unlock");
}
