/* schema set, show, rm, promote and infer. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/list.h"
#include "tools/emsa/output.h"
#include "tools/emsa/report.h"
#include "tools/emsa/schema_yaml.h"
#include "tools/emsa/words.h"

#define TEXT_MAX (16u * 1024u * 1024u)

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a schema");
}

/* All in one commit; the operations are taken over. */
static int send(struct session *session, json_t *operations, const struct path *shared)
{
    char text[PATH_TEXT_MAX];
    return report_change(session, "io.emsa.Set", json_pack("{s:o}", "operations", operations),
                         path_text(shared, text), NULL, 0);
}

/* Of SERVICE alone: in `all`. */
static int service_place(const char *word, struct path *out)
{
    if (strchr(word, '/') != NULL)
        return words_path(word, PATH_SERVICE, word_service, out);
    return path_make(out, "all", word, NULL);
}

static int add_operation(json_t *operations, struct path *shared, const char *kind,
                         const struct path *path, json_t *schema)
{
    char text[PATH_TEXT_MAX];
    if (json_array_size(operations) == 0)
        *shared = *path;
    path_share(shared, path);
    json_t *operation = json_pack("{s:s, s:s, s:O*}", "kind", kind, "path", path_text(path, text),
                                  "schema", schema);
    return json_array_append_new(operations, operation) == 0 ? 0 : no_memory();
}

int run_schema_set(struct session *session)
{
    const struct options *options = &session->options;
    const char *environment = options->environment != NULL ? options->environment : "all";
    json_t *schemas, *schema, *operations;
    struct path path, shared = {0};
    size_t index;
    int error = words_path(environment, PATH_ENVIRONMENT, word_environment, &path);
    if (error == 0)
        error = schema_yaml_files(&schemas, &options->arguments);
    if (error < 0)
        return error;
    operations = json_array();
    json_array_foreach(schemas, index, schema)
    {
        error = path_make(&path, environment, output_member(schema, "service"), NULL);
        if (error == 0)
            error = add_operation(operations, &shared, "schema", &path, schema);
        if (error < 0)
            break;
    }
    json_decref(schemas);
    if (error == 0)
        return send(session, operations, &shared);
    json_decref(operations);
    return error;
}

int run_schema_remove(struct session *session)
{
    const struct texts *words = &session->options.arguments;
    json_t *operations = json_array();
    struct path path, shared = {0};
    for (size_t i = 0; i < words->count; i++) {
        int error = service_place(words->list[i], &path);
        if (error == 0)
            error = add_operation(operations, &shared, "unschema", &path, NULL);
        if (error < 0) {
            json_decref(operations);
            return error;
        }
    }
    return send(session, operations, &shared);
}

/* The reply of Show or Infer. */
static int ask(struct session *session, const char *method, const struct path *path,
               struct answer *answer)
{
    char text[PATH_TEXT_MAX];
    return session_ask(session, method, json_pack("{s:s}", "path", path_text(path, text)), NULL, 0,
                       answer);
}

static int print_schema(json_t *schema)
{
    struct bytes text BYTES_CLEANUP = BYTES_INIT(TEXT_MAX);
    schema_yaml_write(&text, schema, 0);
    return text.error < 0 ? no_memory() : output_bytes(text.data, text.size);
}

int run_schema_show(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct path path;
    char time[TIME_TEXT_MAX], author[AUTHOR_TEXT_MAX];
    int error = service_place(session->options.arguments.list[0], &path);
    if (error == 0)
        error = ask(session, "io.emsa.SchemaShow", &path, &answer);
    if (error < 0)
        return error;
    if (session->options.json)
        return output_json(json_incref(answer.reply));
    output_author(author, answer.reply);
    printf("# %s, revision %lld, %s%s%s\n", output_member(answer.reply, "defined"),
           (long long)json_integer_value(json_object_get(answer.reply, "set")),
           time_text(time, json_integer_value(json_object_get(answer.reply, "time"))),
           author[0] != '\0' ? ", " : "", author);
    return print_schema(json_object_get(answer.reply, "schema"));
}

/* "dev, prod" */
static void print_places(json_t *environments)
{
    size_t index;
    json_t *name;
    json_array_foreach(environments, index, name)
        printf("%s%s", index > 0 ? ", " : "", json_string_value(name));
}

int run_schema_infer(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct path path;
    int error = words_path(session->options.arguments.list[0], PATH_SERVICE, word_service, &path);
    if (error == 0)
        error = ask(session, "io.emsa.SchemaInfer", &path, &answer);
    if (error < 0)
        return error;
    if (session->options.json)
        return output_json(json_incref(answer.reply));
    long long unopened = (long long)json_integer_value(json_object_get(answer.reply, "unopened"));
    printf("# A first draft, from what is in ");
    print_places(json_object_get(answer.reply, "environments"));
    printf(": types are guessed from values, and\n# what is everywhere is required. With "
           "'strict: true' nothing else may be there.\n");
    if (unopened > 0)
        printf("# %lld values are secrets that could not be looked at: of type string here.\n",
               unopened);
    return print_schema(json_object_get(answer.reply, "schema"));
}

static int refuse_common(const struct path *from, const struct path *to)
{
    char text[PATH_TEXT_MAX], other[PATH_TEXT_MAX];
    error_set(ERR_REFUSED, "the schema of '%s' is that of 'all', in force wherever no other is",
              path_text(from, text));
    return error_add(ERR_REFUSED, "if '%s' has one of its own: emsa schema rm %s",
                     path_text(to, other), other);
}

/* What is in force for a service in the first environment, as an operation in the second. */
static int promote_one(struct session *session, json_t *operations, struct path *shared,
                       const struct path *from, const struct path *to)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = ask(session, "io.emsa.SchemaShow", from, &answer);
    if (error == 0 && strncmp(output_member(answer.reply, "defined"), "all/", 4) == 0)
        error = refuse_common(from, to);
    return error < 0 ? error
                     : add_operation(operations, shared, "schema", to,
                                     json_object_get(answer.reply, "schema"));
}

int run_schema_promote(struct session *session)
{
    const struct texts *words = &session->options.arguments;
    json_t *operations = json_array();
    struct path source, target, from, to, shared = {0};
    int error = words_path(words->list[0], PATH_ENVIRONMENT, word_environment, &source);
    if (error == 0)
        error = words_path(words->list[1], PATH_ENVIRONMENT, word_environment, &target);
    if (error == 0 && strcmp(source.environment, target.environment) == 0)
        error = error_set(ERR_INVALID, "from '%s' to itself there is nothing to promote",
                          source.environment);
    for (size_t i = 2; i < words->count && error == 0; i++) {
        error = path_make(&from, source.environment, words->list[i], NULL);
        if (error == 0)
            error = path_make(&to, target.environment, words->list[i], NULL);
        if (error == 0)
            error = promote_one(session, operations, &shared, &from, &to);
    }
    if (error == 0)
        return send(session, operations, &shared);
    json_decref(operations);
    return error;
}
