/*
 * edit: what a service defines, in an editor, and back in one commit.
 *
 * No store and no connection is held while a person thinks. What was shown has a revision, and the
 * commit is refused where somebody changed the service since; whatever goes wrong after the editor
 * ended, the text is kept, and where that is is said. On a terminal a wrong text is opened again,
 * with what is wrong in it on top; saved as it was, it is kept.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsa/apply.h"
#include "tools/emsa/command.h"
#include "tools/emsa/desk.h"
#include "tools/emsa/editor.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/output.h"
#include "tools/emsa/sheet_write.h"
#include "tools/emsa/words.h"

#define MARK "#! " /* a line of ours that says what is wrong */
#define NAME_MAX_OURS (ENVIRONMENT_NAME_MAX + SERVICE_NAME_MAX + 16)
#define WRONG_MAX (64u * 1024u)

struct edit {
    struct session *session;
    struct path service;
    char place[PATH_TEXT_MAX];
    char name[NAME_MAX_OURS]; /* of the file */
    uint64_t rev;             /* of what was shown */
    size_t keys;              /* how many there were */
    struct desk desk;
    struct secret given;       /* as the editor got it */
    struct secret edited;      /* as it came back */
    bool has_clear;            /* a secret may stand in the edited text */
    bool is_again;             /* what was given is what came back, with what is wrong on top */
    int failure;               /* the last one, */
    char said[ERROR_TEXT_MAX]; /* what it said, */
    struct bytes wrong;        /* and a line for each fault of the text */
};

static const char left_alone[] = "saved as it is, this is kept in a file, and nothing is changed";

/* What is there */

static int check_terms(const struct edit *edit, const struct defined *defined)
{
    const struct options *options = &edit->session->options;
    json_t *environment = json_object_get(defined->environments, edit->service.environment);
    if (json_array_size(defined->changed) > 0)
        return error_set(ERR_CONFLICT, "'%s' was changed after revision %" PRIu64 ": emsa log %s",
                         edit->place, options->if_rev, edit->place);
    if (json_is_true(json_object_get(environment, "protected")) && options->reason == NULL &&
        !options->dry_run)
        return error_set(ERR_REFUSED,
                         "'%s' is protected: every change of it needs a reason (-m WHY)",
                         edit->service.environment);
    return 0;
}

static int write_given(struct edit *edit, const struct defined *defined)
{
    char head[PATH_TEXT_MAX + 512];
    struct sheet_style style = {.only_keys = true};
    snprintf(head, sizeof head,
             "# %s at revision %" PRIu64 ". A key that is taken out is removed, a secret stays by "
             "'!secret'.\n"
             "# What may stand here: man 5 emsa-apply. Nothing is changed before the editor "
             "ends.\n",
             edit->place, defined->rev);
    int error = hidden_append_text(&edit->given, head);
    return error < 0 ? error : sheet_write(&edit->given, defined, &style);
}

/* Nothing of the store stays open. */
static int fetch(struct edit *edit)
{
    struct session *session = edit->session;
    struct defined defined = {.answer = ANSWER_INIT};
    json_t *parameters = json_pack("{s:[s], s:b, s:s}", "paths", edit->place, "reveal",
                                   (int)session->options.reveal, "door", "edit");
    if (parameters != NULL && session->options.has_if_rev)
        json_object_set_new(parameters, "since", json_integer((json_int_t)session->options.if_rev));
    int error = defined_ask(&defined, session, parameters);
    if (error == 0)
        error = check_terms(edit, &defined);
    if (error == 0)
        error = write_given(edit, &defined);
    edit->rev = defined.rev;
    edit->keys = defined.key_count;
    defined_release(&defined);
    client_close(session->client);
    session->client = NULL;
    return error;
}

/* What came back */

static bool is_as_given(const struct edit *edit)
{
    return edit->edited.size == edit->given.size &&
           memcmp(edit->edited.data, edit->given.data, edit->given.size) == 0;
}

/* Nothing but comments and blanks. */
static bool is_empty(const struct edit *edit)
{
    bool in_comment = false;
    for (size_t i = 0; i < edit->edited.size; i++) {
        unsigned char c = edit->edited.data[i];
        in_comment = c == '#' || (in_comment && c != '\n');
        if (!in_comment && strchr(" \t\r\n", c) == NULL)
            return false;
    }
    return true;
}

/* The text is one service's: what else it names would be changed unasked. */
static void check_places(const struct edit *edit, const struct sheet *sheet, struct faults *faults)
{
    const struct yaml_node *root = sheet->tree.documents[0];
    bool is_there = false;
    for (size_t i = 0; i < sheet->service_count; i++) {
        const struct sheet_service *service = &sheet->services[i];
        char place[PLACE_TEXT_MAX];
        if (strcmp(sheet_place(place, sheet, service), edit->place) != 0) {
            faults_add(faults, &sheet->tree, service->at,
                       "this is the text of '%s': 'emsa apply' takes others too", edit->place);
            continue;
        }
        is_there = true;
        if (!service->has_keys && edit->keys > 0)
            faults_add(faults, &sheet->tree, service->at,
                       "its 'keys' are gone: write 'keys: {}' to remove all of them");
    }
    for (size_t i = 0; i < sheet->environment_count; i++)
        if (strcmp(sheet->environments[i].name, edit->service.environment) != 0)
            faults_add(faults, &sheet->tree, sheet->environments[i].at,
                       "this is the text of '%s': 'emsa apply' takes others too", edit->place);
    for (size_t i = 0; i < sheet->schema_count; i++)
        if (strcmp(sheet->schemas[i].service, edit->service.service) != 0 ||
            strcmp(sheet->schemas[i].environment, edit->service.environment) != 0)
            faults_add(faults, &sheet->tree, sheet->schemas[i].at,
                       "this is the text of '%s': 'emsa schema set' takes schemas", edit->place);
    if (!is_there)
        faults_add(faults, &sheet->tree, root,
                   "'%s' is not in the text any more: 'emsa service rm' removes a service",
                   edit->place);
}

static int commit(struct edit *edit, struct sheet *sheet, struct faults *faults)
{
    char again[2 * PATH_TEXT_MAX];
    snprintf(again, sizeof again,
             "take what is there now (emsa export %s --format yaml) and its 'rev' into the text, "
             "and apply that (emsa apply)",
             edit->place);
    struct apply_terms terms = {
        .prune = true, .unshare = true, .has_rev = true, .rev = edit->rev, .again = again};
    int error = sheet_read(sheet, faults, edit->name, "", (const char *)edit->edited.data,
                           edit->edited.size);
    if (error == -ERR_INVALID) {
        faults_add_failure(faults);
        error = 0;
    } else if (error == 0 && faults->count == 0) {
        check_places(edit, sheet, faults);
    }
    if (error == 0 && faults->count > 0)
        error = error_set(ERR_INVALID, "the text has %zu fault%s: nothing is changed",
                          faults->count, plural_text(faults->count));
    if (error < 0)
        return error;
    edit->has_clear = sheet->has_clear || edit->session->options.reveal;
    return apply_sheet(edit->session, sheet, faults, &terms);
}

/* After a failure */

/* This thread's text, to be said again when something else has failed meanwhile. */
static void remember(struct edit *edit, int error)
{
    edit->failure = error;
    snprintf(edit->said, sizeof edit->said, "%s", error_text());
}

static int say_again(const struct edit *edit)
{
    enum error_code code = (enum error_code) - edit->failure;
    const char *line = edit->said;
    error_clear();
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        if (line == edit->said)
            error_set(code, "%.*s", (int)length, line);
        else
            error_add(code, "%.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
    return edit->failure;
}

/* The end of it: what was wrong, and where the text is. */
static int give_up(struct edit *edit)
{
    char path[DESK_PATH_MAX];
    enum error_code code = (enum error_code) - edit->failure;
    if (edit->wrong.error == 0 && edit->wrong.size > 0)
        fprintf(stderr, "%.*s", (int)edit->wrong.size, (const char *)edit->wrong.data);
    int kept = desk_keep(path, edit->name, &edit->edited,
                         edit->has_clear || edit->session->options.reveal);
    say_again(edit);
    if (kept < 0)
        return error_add(code, "the text is lost: it may hold a secret, and there is no place in "
                               "memory to keep it");
    return error_add(code, "your text is kept in '%s'", path);
}

static void append_marked(struct bytes *out, const void *data, size_t size)
{
    const unsigned char *text = data;
    for (size_t at = 0; at < size;) {
        const unsigned char *stop = memchr(text + at, '\n', size - at);
        size_t length = stop != NULL ? (size_t)(stop - (text + at)) : size - at;
        bytes_append_text(out, MARK);
        bytes_append(out, text + at, length);
        bytes_append_text(out, "\n");
        at += length + 1;
    }
}

/* How much of the edited text is what we said was wrong before. */
static size_t marked(const struct edit *edit)
{
    const size_t mark = strlen(MARK);
    const unsigned char *text = edit->edited.data;
    size_t begin = 0;
    while (edit->edited.size - begin > mark && memcmp(text + begin, MARK, mark) == 0) {
        const unsigned char *end = memchr(text + begin, '\n', edit->edited.size - begin);
        begin = end != NULL ? (size_t)(end - text) + 1 : edit->edited.size;
    }
    return begin;
}

/* The edited text with what is wrong on top. 1, or a failure. */
static int give_again(struct edit *edit)
{
    struct bytes head BYTES_CLEANUP = BYTES_INIT(WRONG_MAX);
    size_t begin = marked(edit);
    append_marked(&head, edit->wrong.data, edit->wrong.error == 0 ? edit->wrong.size : 0);
    append_marked(&head, edit->said, strlen(edit->said));
    append_marked(&head, left_alone, strlen(left_alone));
    secret_release(&edit->given);
    int error = hidden_append(&edit->given, head.data, head.error == 0 ? head.size : 0);
    if (error == 0)
        error = hidden_append(&edit->given, edit->edited.data + begin, edit->edited.size - begin);
    edit->is_again = true;
    if (error == 0)
        error = desk_write(&edit->desk, &edit->given);
    return error < 0 ? error : 1;
}

static int nothing_done(const struct edit *edit)
{
    if (edit->session->options.json)
        return output_json(
            json_pack("{s:I, s:b, s:[]}", "rev", (json_int_t)edit->rev, "committed", 0, "lines"));
    printf("nothing was changed: the text is %s\n", is_empty(edit) ? "empty" : "as it was");
    return 0;
}

/* A text that a person wrote: made true, given back or kept. 1: it was given back. */
static int take(struct edit *edit)
{
    struct faults faults FAULTS_CLEANUP = {0};
    struct sheet sheet = {0};
    int error = commit(edit, &sheet, &faults);
    sheet_release(&sheet);
    if (error >= 0)
        return 0;
    remember(edit, error);
    bytes_reset(&edit->wrong);
    faults_write(&faults, &edit->wrong, "");
    bool is_wrong = error == -ERR_INVALID || error == -ERR_REFUSED || error == -ERR_NOT_FOUND;
    if (is_wrong && isatty(STDIN_FILENO) == 1 && give_again(edit) == 1)
        return 1;
    return give_up(edit);
}

/* The editor, once, and what came of it. 1: once more. */
static int round_trip(struct edit *edit)
{
    int failed = editor_run(edit->desk.file);
    if (failed < 0)
        remember(edit, failed);
    secret_release(&edit->edited);
    edit->has_clear = true; /* as long as nothing else is known */
    int error = desk_read(&edit->desk, &edit->edited);
    if (error < 0)
        return failed < 0 ? say_again(edit) : error;
    bool as_given = is_as_given(edit);
    if (failed < 0)
        return as_given && !edit->is_again ? say_again(edit) : give_up(edit);
    if (as_given && edit->is_again)
        return give_up(edit);
    return as_given || is_empty(edit) ? nothing_done(edit) : take(edit);
}

static int edit(struct edit *edit)
{
    int error = fetch(edit);
    if (error == 0)
        error = desk_open(&edit->desk, edit->name);
    if (error == 0)
        error = desk_write(&edit->desk, &edit->given);
    if (error < 0)
        return error;
    do
        error = round_trip(edit);
    while (error == 1);
    return error;
}

int run_edit(struct session *session)
{
    struct edit state = {.session = session, .wrong = BYTES_INIT(WRONG_MAX)};
    int error =
        words_path(session->options.arguments.list[0], PATH_SERVICE, word_service, &state.service);
    if (error < 0)
        return error;
    path_text(&state.service, state.place);
    snprintf(state.name, sizeof state.name, "%s-%s.yaml", state.service.environment,
             state.service.service);
    error = edit(&state);
    desk_close(&state.desk);
    secret_release(&state.given);
    secret_release(&state.edited);
    bytes_release(&state.wrong);
    return error;
}
