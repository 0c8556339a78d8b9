/* suggest: what the services of an environment repeat, and the commands that define it once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/repeats.h"
#include "tools/emsa/report.h"
#include "tools/emsa/survey.h"
#include "tools/emsa/words.h"

#define SHOWN_MAX                                                                                  \
    256 /* bytes of a value in a command; what is longer is copied from where it is                \
         */

/* What is to be done, in an order in which it can be done one by one. */
struct steps {
    const struct standing **list;
    size_t count;
};

/* What is new in `shared`, then what it becomes a template of, the last first: those refer to what
 * was rewritten before them; then whatever refers to all that. */
static int rank(const struct standing *standing)
{
    if (strcmp(standing->service, SHARED) != 0)
        return 2;
    return standing->kind == ENTRY_PLAIN ? 0 : 1;
}

static int compare(const void *left, const void *right)
{
    const struct standing *a = *(const struct standing *const *)left;
    const struct standing *b = *(const struct standing *const *)right;
    int order = rank(a) - rank(b);
    if (order != 0)
        return order;
    if (rank(a) == 1)
        return a->turn < b->turn ? 1 : -1;
    order = strcmp(a->service, b->service);
    return order != 0 ? order : strcmp(a->key, b->key);
}

static int steps_make(struct steps *steps, const struct standings *set)
{
    steps->count = 0;
    steps->list = calloc(set->count + 1, sizeof(void *));
    if (steps->list == NULL)
        return error_set(ERR_NOMEM, "no memory for what is to be done");
    for (size_t i = 0; i < set->count; i++)
        if (set->list[i].turn > 0)
            steps->list[steps->count++] = &set->list[i];
    qsort(steps->list, steps->count, sizeof(void *), compare);
    return 0;
}

/* In quotes where a shell would see more in it than a word. */
static void quote(struct bytes *out, const char *text, size_t size)
{
    size_t plain = 0;
    while (plain < size && (strchr("%+,-./:=@_", text[plain]) != NULL ||
                            (text[plain] >= '0' && text[plain] <= '9') ||
                            ((text[plain] | 0x20) >= 'a' && (text[plain] | 0x20) <= 'z')))
        plain++;
    if (plain == size && size > 0) {
        bytes_append(out, text, size);
        return;
    }
    bytes_append(out, "'", 1);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\'')
            bytes_append_text(out, "'\\'");
        bytes_append(out, &text[i], 1);
    }
    bytes_append(out, "'", 1);
}

static bool is_shown(const struct standing *standing)
{
    if (standing->size > SHOWN_MAX)
        return false;
    for (size_t i = 0; i < standing->size; i++)
        if (standing->text[i] < ' ' || standing->text[i] > '~')
            return false;
    return true;
}

/* A service's key that has the bytes of a home, and will be a link to it. */
static const struct standing *source_of(const struct steps *steps, const struct standing *home)
{
    for (size_t i = 0; i < steps->count; i++) {
        const struct standing *one = steps->list[i];
        if (one->kind == ENTRY_LINK && strcmp(one->text + strlen(SHARED "/"), home->key) == 0)
            return one;
    }
    return NULL;
}

static void define(struct bytes *out, const struct steps *steps, const char *environment,
                   const struct standing *home)
{
    const struct standing *source = is_shown(home) ? NULL : source_of(steps, home);
    if (source != NULL) {
        bytes_append_format(out, "emsa cp %s/%s/%s %s/%s/%s", environment, source->service,
                            source->key, environment, home->service, home->key);
        return;
    }
    bytes_append_format(out, "emsa set %s/%s %s=", environment, home->service, home->key);
    quote(out, home->text, home->size);
}

static int command_of(struct bytes *out, const struct steps *steps, const char *environment,
                      const struct standing *step)
{
    bytes_reset(out);
    if (step->kind == ENTRY_PLAIN) {
        define(out, steps, environment, step);
    } else if (step->kind == ENTRY_LINK) {
        bytes_append_format(out, "emsa link %s/%s/%s %.*s", environment, step->service, step->key,
                            (int)step->size, step->text);
    } else {
        bytes_append_format(out, "emsa set --template %s/%s/%s ", environment, step->service,
                            step->key);
        quote(out, step->text, step->size);
    }
    bytes_append(out, "", 1);
    return out->error == 0 ? 0 : error_set(ERR_NOMEM, "no memory for the commands");
}

/* Every command as a text of a list (owned). A base's values are read in environments on it too,
 * which need the service `shared` for that. */
static int commands_of(const struct survey *survey, const struct steps *steps,
                       const char *environment, json_t **out)
{
    struct bytes line BYTES_CLEANUP = BYTES_INIT(VALUE_MAX);
    json_t *list = json_array(), *path;
    size_t index;
    int error = 0;
    json_array_foreach(survey->unplaced, index, path)
        json_array_append_new(list, json_sprintf("emsa service add %s", json_string_value(path)));
    for (size_t i = 0; i < steps->count && error == 0; i++) {
        error = command_of(&line, steps, environment, steps->list[i]);
        if (error == 0)
            json_array_append_new(list, json_string((const char *)line.data));
    }
    if (error < 0)
        json_decref(list);
    else
        *out = list;
    return error;
}

static json_t *operation_of(const struct standing *step, const char *environment,
                            struct piece *pieces, size_t *count)
{
    char text[PATH_TEXT_MAX];
    snprintf(text, sizeof text, "%s/%s/%s", environment, step->service, step->key);
    if (step->kind == ENTRY_LINK)
        return json_pack("{s:s, s:s, s:s%}", "path", text, "kind", "link", "value", step->text,
                         step->size);
    pieces[(*count)++] = (struct piece){step->text, step->size};
    return json_pack("{s:s, s:s, s:I}", "path", text, "kind",
                     step->kind == ENTRY_PLAIN ? "plain" : "template", "size",
                     (json_int_t)step->size);
}

/* One commit, only if nothing changed since the survey. */
static int apply(struct session *session, const struct survey *survey, const struct steps *steps,
                 const char *environment, struct answer *answer)
{
    struct piece *pieces = calloc(steps->count + 1, sizeof *pieces);
    json_t *operations = json_array(), *path;
    size_t count = 0, index;
    if (pieces == NULL)
        return error_set(ERR_NOMEM, "no memory for %zu values", steps->count);
    json_array_foreach(survey->unplaced, index, path)
        json_array_append_new(operations, json_pack("{s:O, s:s}", "path", path, "kind", "service"));
    for (size_t i = 0; i < steps->count; i++)
        json_array_append_new(operations,
                              operation_of(steps->list[i], environment, pieces, &count));
    if (!session->options.has_if_rev) {
        session->options.has_if_rev = true;
        session->options.if_rev = (uint64_t)survey->rev;
    }
    int error = report_ask(session, "io.emsa.Set", json_pack("{s:o}", "operations", operations),
                           survey->children > 0 ? "" : environment, pieces, count, answer);
    free(pieces);
    return error;
}

static json_t *object_of(const struct survey *survey, json_t *lines, struct answer *applied)
{
    size_t before, after;
    standings_count(&survey->set, &before, &after);
    json_t *object = json_pack("{s:I, s:{s:I, s:I}, s:O}", "rev", survey->rev, "values", "before",
                               (json_int_t)before, "after", (json_int_t)after, "commands", lines);
    if (applied->reply != NULL)
        json_object_set(object, "applied", applied->reply);
    return object;
}

static int print(const struct session *session, const struct survey *survey, json_t *lines,
                 struct answer *applied)
{
    size_t before, after, index;
    json_t *command;
    int error = 0;
    standings_count(&survey->set, &before, &after);
    if (applied->reply != NULL)
        error = report_print(applied->reply);
    else
        json_array_foreach(lines, index, command) puts(json_string_value(command));
    if (error < 0)
        return error;
    if (json_array_size(lines) == 0)
        puts("# nothing is repeated that could be defined once");
    else
        printf("%svalues written out: %zu before, %zu after\n", applied->reply != NULL ? "" : "# ",
               before, after);
    if (json_array_size(lines) > 0 && applied->reply == NULL)
        printf("# 'emsa suggest %s --apply' does all of it in one commit\n",
               session->options.arguments.list[0]);
    return 0;
}

static int suggest(struct session *session, const char *environment, struct survey *survey,
                   struct steps *steps)
{
    struct answer applied ANSWER_CLEANUP = ANSWER_INIT;
    json_t *lines = NULL;
    int error = survey_make(survey, session, environment);
    if (error == 0)
        error = repeats_plan(&survey->set);
    if (error == 0)
        error = standings_check(&survey->set);
    if (error == 0)
        error = steps_make(steps, &survey->set);
    if (error == 0 && steps->count == 0)
        json_array_clear(survey->unplaced);
    if (error == 0)
        error = commands_of(survey, steps, environment, &lines);
    if (error == 0 && session->options.apply && steps->count > 0)
        error = apply(session, survey, steps, environment, &applied);
    if (error == 0)
        error = session->options.json ? output_json(object_of(survey, lines, &applied))
                                      : print(session, survey, lines, &applied);
    json_decref(lines);
    return error;
}

int run_suggest(struct session *session)
{
    struct survey survey;
    struct steps steps = {0};
    struct path path;
    int error =
        words_path(session->options.arguments.list[0], PATH_ENVIRONMENT, word_environment, &path);
    if (error == 0 && strcmp(path.environment, "all") == 0)
        error = error_set(ERR_INVALID, "nothing is read in 'all': name an environment, whose "
                                       "services read it there");
    if (error < 0)
        return error;
    error = suggest(session, path.environment, &survey, &steps);
    free(steps.list);
    survey_release(&survey);
    return error;
}
