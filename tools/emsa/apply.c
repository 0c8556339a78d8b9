/*
 * apply: what a file of definitions says, made true.
 *
 * The present state is read, compared with the file, and what differs is one Set that holds only if
 * nothing changed meanwhile in the services that the file names; if something did, all of it is
 * done again with what there is then. So a file without a "rev" is applied whole to one state, and
 * one with a "rev" is never applied over somebody's change.
 *
 * A file of sealed texts alone is compared with nothing: the server that opens them tells which are
 * what is there already, also to who may set and read nothing.
 */
#include "tools/emsa/apply.h"

#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/emsa/change_report.h"
#include "tools/emsa/command.h"
#include "tools/emsa/defined.h"
#include "tools/emsa/difference.h"
#include "tools/emsa/input.h"
#include "tools/emsa/moment.h"
#include "tools/emsa/output.h"

#define FILE_MAX (16u * 1024u * 1024u) /* read and parsed, it stays in locked memory */
#define TRIES_MAX 50u                  /* of a change between reading and committing */

/* The places that the sheet names, each once, as the parameters of what is asked of them. */
static json_t *places_of(const struct sheet *sheet)
{
    json_t *paths = json_array();
    for (size_t i = 0; i < sheet->schema_count; i++) {
        const struct sheet_schema *schema = &sheet->schemas[i];
        bool is_named = false;
        for (size_t n = 0; n < sheet->service_count && !is_named; n++)
            is_named = strcmp(sheet->services[n].name, schema->service) == 0 &&
                       strcmp(sheet->environments[sheet->services[n].environment].name,
                              schema->environment) == 0;
        if (!is_named)
            json_array_append_new(paths,
                                  json_sprintf("%s/%s", schema->environment, schema->service));
    }
    for (size_t i = 0; i < sheet->service_count; i++) {
        char place[PLACE_TEXT_MAX];
        json_array_append_new(paths, json_string(sheet_place(place, sheet, &sheet->services[i])));
    }
    return paths;
}

/* Whether all that it says is sealed, at places that are there. */
static bool is_sealed(const struct sheet *sheet, const struct apply_terms *terms)
{
    bool is_all = sheet->key_count > 0 && sheet->schema_count == 0 && sheet->share_count == 0 &&
                  !terms->has_rev && !terms->prune && !terms->unshare;
    for (size_t i = 0; i < sheet->environment_count && is_all; i++)
        is_all = sheet->environments[i].protection == NULL &&
                 sheet->environments[i].signing == NULL && sheet->environments[i].base == NULL &&
                 sheet->environments[i].life == NULL && sheet->environments[i].service_count > 0;
    for (size_t i = 0; i < sheet->service_count && is_all; i++)
        is_all = sheet->services[i].key_count > 0;
    for (size_t i = 0; i < sheet->key_count && is_all; i++)
        is_all = sheet->keys[i].form == SHEET_SEALED;
    return is_all;
}

static json_t *environments_of(const struct sheet *sheet)
{
    json_t *names = json_array();
    for (size_t i = 0; i < sheet->environment_count; i++)
        json_array_append_new(names, json_string(sheet->environments[i].name));
    return names;
}

static int ask(struct session *session, struct defined *defined, const struct sheet *sheet,
               const struct apply_terms *terms)
{
    json_t *parameters = json_pack("{s:o, s:o, s:b}", "paths", places_of(sheet), "environments",
                                   environments_of(sheet), "absent", 1);
    if (parameters != NULL && terms->has_rev)
        json_object_set_new(parameters, "since", json_integer((json_int_t)terms->rev));
    return defined_ask(defined, session, parameters);
}

static void add_commit(json_t *commit)
{
    char time[TIME_TEXT_MAX], paths[512] = "", author[AUTHOR_TEXT_MAX], reason[256];
    json_t *path;
    size_t index;
    json_array_foreach(json_object_get(commit, "paths"), index, path)
    {
        size_t used = strlen(paths);
        snprintf(paths + used, sizeof paths - used, "%s%s", index > 0 ? ", " : "",
                 json_string_value(path));
    }
    output_author(author, commit);
    output_tame(reason, sizeof reason, output_member(commit, "reason"));
    error_add(ERR_CONFLICT, "revision %" JSON_INTEGER_FORMAT " (%s%s%s%s%s): %s",
              json_integer_value(json_object_get(commit, "rev")),
              time_text(time, json_integer_value(json_object_get(commit, "time"))),
              author[0] != '\0' ? ", " : "", author, reason[0] != '\0' ? ", " : "", reason, paths);
}

/* What was changed since the sheet was written. */
static int judge_changed(const struct sheet *sheet, const struct apply_terms *terms,
                         const struct defined *defined)
{
    size_t index;
    json_t *commit;
    if (json_array_size(defined->changed) == 0)
        return 0;
    error_set(ERR_CONFLICT,
              "what '%s' names was changed after revision %" PRIu64
              ", which it was written at: nothing was done",
              sheet->tree.file, terms->rev);
    json_array_foreach(defined->changed, index, commit) add_commit(commit);
    return error_add(ERR_CONFLICT, "%s",
                     terms->again != NULL
                         ? terms->again
                         : "write it anew (emsa export --format yaml), and change that");
}

/* The reply of a change that has nothing to do. */
static json_t *reply_of_none(const struct session *session, const struct defined *defined)
{
    return json_pack("{s:I, s:b, s:b, s:b, s:b, s:i, s:i, s:i, s:i, s:[]}", "rev",
                     (json_int_t)defined->rev, "committed", 0, "repeated", 0, "dry_run",
                     (int)session->options.dry_run, "late", 0, "made", 0, "changed", 0, "removed",
                     0, "same", 0, "lines");
}

/* What must not have changed since it was read. */
static json_t *watched(const struct sheet *sheet)
{
    json_t *places = places_of(sheet);
    if (json_array_size(places) > 0)
        return places;
    json_decref(places);
    return environments_of(sheet);
}

static int send(struct session *session, const struct sheet *sheet, const struct defined *defined,
                const struct difference *difference, struct answer *answer)
{
    json_t *parameters = json_pack("{s:O}", "operations", difference->operations);
    if (parameters != NULL && defined->answer.reply != NULL) {
        json_object_set_new(parameters, "if_rev", json_integer((json_int_t)defined->rev));
        json_object_set_new(parameters, "if_paths", watched(sheet));
    }
    bool has_if_rev = session->options.has_if_rev;
    if (parameters == NULL)
        return error_set(ERR_NOMEM, "no memory for a change");
    session->options.has_if_rev = false; /* it was judged: what is asked here is narrower */
    int error = session_terms(session, parameters, "");
    session->options.has_if_rev = has_if_rev;
    if (error < 0) {
        json_decref(parameters);
        return error;
    }
    return session_ask(session, "io.emsa.Set", parameters, difference->pieces,
                       difference->piece_count, answer);
}

static int commit(struct session *session, const struct sheet *sheet, const struct defined *defined,
                  const struct difference *difference)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = 0;
    if (json_array_size(difference->operations) == 0)
        answer.reply = reply_of_none(session, defined);
    else
        error = send(session, sheet, defined, difference, &answer);
    return error < 0 ? error : change_report(session, answer.reply, sheet, difference);
}

static int try(struct session *session, const struct sheet *sheet, struct faults *faults,
               const struct apply_terms *terms)
{
    struct defined defined = {.answer = ANSWER_INIT};
    struct difference difference = {0};
    struct difference_terms how = {
        .prune = terms->prune, .unshare = terms->unshare, .now = moment_now()};
    how.is_unseen = is_sealed(sheet, terms);
    int error = how.is_unseen ? 0 : ask(session, &defined, sheet, terms);
    if (error == 0)
        error = judge_changed(sheet, terms, &defined);
    if (error < 0) /* what a later try would find too */
        error = error == -ERR_CONFLICT ? 1 : error;
    if (error == 0)
        error = difference_make(&difference, faults, sheet, &defined, &how);
    if (error == 0 && (faults->count > 0 || faults->error < 0))
        error = error_set(ERR_REFUSED, "'%s' cannot be made true: nothing is changed",
                          sheet->tree.file);
    if (error == 0)
        error = commit(session, sheet, &defined, &difference);
    difference_release(&difference);
    defined_release(&defined);
    return error;
}

int apply_sheet(struct session *session, const struct sheet *sheet, struct faults *faults,
                const struct apply_terms *terms)
{
    int error = -ERR_CONFLICT;
    if (sheet->environment_count == 0 && sheet->schema_count == 0)
        return error_set(ERR_INVALID,
                         "'%s' names no environment and no schema: there is nothing to apply",
                         sheet->tree.file);
    for (unsigned i = 0; i < TRIES_MAX && error == -ERR_CONFLICT; i++)
        error = try(session, sheet, faults, terms);
    return error == 1 ? -ERR_CONFLICT : error;
}

/* A file with secrets in clear is nobody else's. */
static void look_at_mode(const char *file)
{
    struct stat found;
    if (stat(file, &found) == 0 && S_ISREG(found.st_mode) && (found.st_mode & 077) != 0)
        output_note("'%s' holds a secret in clear, and its mode lets others at it", file);
}

/* Reads the file and makes it true; faults are what is wrong in either. */
static int apply(struct session *session, struct sheet *sheet, struct faults *faults,
                 const char *file)
{
    const struct options *options = &session->options;
    bool is_stdin = strcmp(file, "-") == 0;
    struct secret text SECRET_CLEANUP = {0};
    char *copy = strdup(file);
    int error = copy == NULL ? error_set(ERR_NOMEM, "no memory for a path")
                             : read_whole(&text, file, FILE_MAX);
    if (error == 0)
        error = sheet_read(sheet, faults, is_stdin ? "stdin" : file, is_stdin ? "" : dirname(copy),
                           (const char *)text.data, text.size);
    free(copy);
    secret_release(&text);
    if (error == -ERR_INVALID && sheet->tree.file != NULL) {
        faults_add_failure(faults);
        error = 0;
    }
    if (error == 0)
        error = faults_tell(faults);
    if (error < 0)
        return error;
    if (sheet->has_clear && !is_stdin)
        look_at_mode(file);
    struct apply_terms terms = {.prune = options->prune,
                                .has_rev = options->has_if_rev || sheet->has_rev,
                                .rev = options->has_if_rev ? options->if_rev : sheet->rev};
    return apply_sheet(session, sheet, faults, &terms);
}

int run_apply(struct session *session)
{
    struct faults faults FAULTS_CLEANUP = {0};
    struct sheet sheet = {0};
    int error = apply(session, &sheet, &faults, session->options.arguments.list[0]);
    if (error == -ERR_REFUSED && faults.count > 0)
        error = faults_tell_as(&faults, ERR_REFUSED);
    sheet_release(&sheet);
    return error;
}
