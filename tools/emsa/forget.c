/* purge and compact: values that are destroyed in history. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/report.h"
#include "tools/emsa/when.h"

static long long number_of(json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* What is signed names one revision, whatever a tag names later. */
static int find_revision(struct session *session, json_int_t *out, const char *text)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    if (is_number(text)) {
        errno = 0;
        const long long number = strtoll(text, NULL, 10);
        *out = number;
        return errno == 0 ? 0 : error_set(ERR_NOT_FOUND, "no revision %.64s", text);
    }
    int error = session_ask(session, "io.emsa.Show",
                            json_pack("{s:s, s:i}", "tag", text, "limit", 1), NULL, 0, &answer);
    if (error == 0)
        *out = number_of(json_object_get(answer.reply, "commit"), "rev");
    return error;
}

/* --- purge --- */

static void print_version(json_t *reply, const char *path)
{
    const long long set = number_of(reply, "set"), until = number_of(reply, "until"),
                    by = number_of(reply, "by");
    if (by > 0)
        printf("what revision %lld set at '%s' was destroyed before, by revision %lld "
               "(emsa show %lld)\n",
               set, path, by, by);
    else if (until > 0)
        printf("'%s' was that from revision %lld to %lld\n", path, set, until - 1);
}

static void print_copies(json_t *reply)
{
    size_t index;
    json_t *copy, *copies = json_object_get(reply, "copies");
    const long long hidden = number_of(reply, "hidden");
    if (json_array_size(copies) > 0)
        puts("copies of it are there still:");
    json_array_foreach(copies, index, copy)
        printf("  %s@%lld\n", output_member(copy, "path"), number_of(copy, "rev"));
    if (hidden > 0)
        printf("%lld%s of its copies %s where you may not look\n", hidden,
               json_array_size(copies) > 0 ? " more" : "", hidden == 1 ? "is" : "are");
}

/* Where what was destroyed may be all the same. */
static void print_rest(json_t *reply)
{
    if (json_is_true(json_object_get(reply, "dry_run")))
        return;
    if (!json_is_true(json_object_get(reply, "scrubbed")))
        output_note("it is in the store's file until that is written over, which was not done yet: "
                    "%s; ask again, or commit something",
                    output_member(reply, "unscrubbed"));
    if (json_is_true(json_object_get(reply, "committed")))
        puts("backups and exports that were made before have it still, and so does who read it");
}

static int print_purge(json_t *reply, const char *path)
{
    int error = report_print(reply);
    print_version(reply, path);
    print_copies(reply);
    print_rest(reply);
    return error;
}

int run_purge(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const char *word = session->options.arguments.list[0];
    const char *sign = strchr(word, '@'); /* no name has one */
    char text[PATH_TEXT_MAX];
    struct path path;
    json_int_t rev = 0;
    int error = path_parse(&path, word, sign != NULL ? (size_t)(sign - word) : strlen(word));
    if (error == 0 && path_depth(&path) != PATH_KEY && path_depth(&path) != PATH_SERVICE)
        error = error_set(ERR_INVALID, "what is purged is a value, ENV/SERVICE/KEY@REV, or a "
                                       "schema, ENV/SERVICE@REV");
    if (error == 0 && (sign == NULL || sign[1] == '\0'))
        error =
            error_set(ERR_INVALID,
                      "say of which revision: %.300s@REV, as 'emsa log %.300s' shows them, or a "
                      "tag",
                      path_text(&path, text), text);
    if (error == 0)
        error = find_revision(session, &rev, sign + 1);
    if (error < 0)
        return error;
    path_text(&path, text);
    error = report_ask(session, "io.emsa.Purge", json_pack("{s:s, s:I}", "path", text, "rev", rev),
                       text, NULL, 0, &answer);
    if (error < 0)
        return error;
    return session->options.json ? output_json(json_incref(answer.reply))
                                 : print_purge(answer.reply, text);
}

/* --- compact --- */

/* The newest revision at or before a moment that touched the place; 0: none did. */
static int revision_at(struct session *session, json_int_t *out, const char *path, int64_t moment)
{
    json_int_t before = 0;
    *out = 0;
    do {
        struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
        json_t *parameters =
            json_pack("{s:s, s:I, s:i}", "path", path, "until", (json_int_t)moment, "limit", 1);
        if (before > 0)
            json_object_set_new(parameters, "before", json_integer(before));
        int error = session_ask(session, "io.emsa.Log", parameters, NULL, 0, &answer);
        if (error < 0)
            return error;
        json_t *commits = json_object_get(answer.reply, "commits");
        *out = number_of(json_array_get(commits, 0), "rev");
        before = number_of(answer.reply, "next");
    } while (*out == 0 && before > 0);
    return 0;
}

/* --keep 90d, or a day: what was in effect since then stays; REV or a tag: since that. */
static int find_until(struct session *session, json_int_t *out, const char *path)
{
    const char *keep = session->options.keep;
    int64_t moment;
    if (keep == NULL)
        return error_set(ERR_INVALID,
                         "say what is kept: --keep 90d (all that was in effect since), or --keep "
                         "REV|TAG");
    if (!is_number(keep) && when_parse(&moment, "keep", keep, false) == 0)
        return revision_at(session, out, path, moment);
    error_clear();
    return find_revision(session, out, keep);
}

/* No commit is as old as that. The place is there all the same, or that is told. */
static int tell_nothing(struct session *session, const char *path)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const int error =
        session_ask(session, "io.emsa.List", json_pack("{s:s}", "path", path), NULL, 0, &answer);
    if (error < 0)
        return error;
    if (session->options.json)
        return output_json(json_pack("{s:O, s:b, s:[]}", "rev",
                                     json_object_get(answer.reply, "rev"), "committed", 0,
                                     "lines"));
    puts("nothing is older than that");
    return 0;
}

int run_compact(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct options *options = &session->options;
    const char *word = options->arguments.count > 0 ? options->arguments.list[0] : "";
    char text[PATH_TEXT_MAX];
    struct path path;
    json_int_t rev = 0;
    int error = path_parse(&path, word, strlen(word));
    if (error == 0 && path_depth(&path) == PATH_KEY)
        error = error_set(ERR_INVALID,
                          "what is compacted is everything, an environment or a "
                          "service; of a key: emsa purge %.300s@REV",
                          word);
    if (error == 0)
        error = find_until(session, &rev, path_text(&path, text));
    if (error < 0)
        return error;
    if (rev == 0)
        return tell_nothing(session, text);
    char reason[sizeof "compact --keep " + 64];
    if (options->reason == NULL) { /* it says itself what for: a job of every night needs no more */
        (void)snprintf(reason, sizeof reason, "compact --keep %.64s", options->keep);
        session->options.reason = reason;
    }
    error = report_ask(session, "io.emsa.Compact",
                       json_pack("{s:s, s:I}", "path", text, "rev", rev), text, NULL, 0, &answer);
    if (error < 0)
        return error;
    if (options->json)
        return output_json(json_incref(answer.reply));
    error = report_print(answer.reply);
    print_rest(answer.reply);
    return error;
}
