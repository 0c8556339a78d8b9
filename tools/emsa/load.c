/*
 * import --tree: a whole tree from JSON lines. The file is read twice: once to judge all of it, so
 * that a wrong line stops it before anything is changed, and once to commit it, in batches that are
 * each one revision.
 *
 * An import that was killed is resumed by giving it again: what stands already is found to be as it
 * was and makes no commit, so the first new commit is the first one that was not made. A request id
 * made from a batch's content would skip that comparison, but it would also leave away a batch
 * whose keys were changed since.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/emsa/bundle.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/import.h"
#include "tools/emsa/lines.h"
#include "tools/emsa/list.h"
#include "tools/emsa/output.h"
#include "tools/emsa/recognise.h"
#include "tools/emsa/treeline.h"

#define BATCH_KEYS 20000u
#define BATCH_BYTES (2u * 1024u * 1024u) /* locked memory: an ordinary user may lock 8 MiB */
#define SUSPECTS_SHOWN 20u

struct load {
    struct session *session;
    const char *file;
    struct lines lines;
    struct secret values, scratch;
    json_t *environments; /* an object: names as members */
    json_t *operations;   /* of the batch */
    struct bundle bundle;
    struct piece *pieces; /* data is an offset into values until the batch is sent */
    size_t count;
    size_t suspects;
    unsigned long long total, done, commits, made, changed, same, rev;
};

static int at_line(struct load *load, int error)
{
    char why[512];
    if (error != -ERR_INVALID && error != -ERR_NOT_FOUND)
        return error;
    snprintf(why, sizeof why, "%s", error_text());
    return error_set((enum error_code) - error, "%s, line %u: %s", load->file, load->lines.number,
                     why);
}

static int find_environments(struct load *load)
{
    json_t *whole;
    size_t index;
    json_t *item;
    int error = list_gather(load->session, "io.emsa.List", "", &whole);
    if (error < 0)
        return error;
    load->environments = json_object();
    json_array_foreach(json_object_get(whole, "items"), index, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        if (name != NULL)
            json_object_set_new(load->environments, name, json_true());
    }
    json_decref(whole);
    return 0;
}

/* The next line that is not empty, parsed. 1: the end. */
static int next(struct load *load, struct treeline *line)
{
    const char *text;
    size_t size;
    int error;
    do {
        error = lines_next(&load->lines, &text, &size);
        if (error != 0)
            return at_line(load, error);
    } while (size == 0 || (size == 1 && text[0] == '\r'));
    return at_line(load, treeline_parse(line, &load->values, &load->scratch, text, size));
}

static const char *suspicion(const struct load *load, const struct treeline *line)
{
    if (line->mark != MARK_NONE)
        return NULL;
    const char *why = recognise_name(line->path.key);
    if (why == NULL && line->size > 0)
        why = recognise_value(load->values.data + line->offset, line->size);
    return why;
}

static void note_suspect(struct load *load, const struct treeline *line, const char *why)
{
    char text[PATH_TEXT_MAX];
    if (load->suspects++ == 0)
        error_set(ERR_REFUSED,
                  "some keys of '%s' look like secrets: write \"secret\": true or false into their "
                  "lines, or say "
                  "--guess-secrets",
                  load->file);
    if (load->suspects <= SUSPECTS_SHOWN)
        error_add(ERR_REFUSED, "%s (line %u): %s", path_text(&line->path, text), load->lines.number,
                  why);
}

static int judge_line(struct load *load, const struct treeline *line)
{
    const char *why = suspicion(load, line);
    if (json_object_get(load->environments, line->path.environment) == NULL)
        return at_line(load, error_set(ERR_NOT_FOUND,
                                       "no environment '%s': make it with 'emsa env add %s'",
                                       line->path.environment, line->path.environment));
    if (why != NULL && !load->session->options.guess_secrets)
        note_suspect(load, line, why);
    return 0;
}

/* The first reading. */
static int judge(struct load *load)
{
    struct treeline line;
    int error;
    while ((error = next(load, &line)) == 0) {
        error = judge_line(load, &line);
        if (error < 0)
            return error;
        load->total++;
        load->values.size = 0;
    }
    if (error < 0)
        return error;
    if (load->suspects > SUSPECTS_SHOWN)
        error_add(ERR_REFUSED, "and %zu more", load->suspects - SUSPECTS_SHOWN);
    return load->suspects > 0 ? -ERR_REFUSED : 0;
}

static void show_progress(const struct load *load)
{
    if (load->session->options.verbose)
        fprintf(stderr, "revision %llu: %llu of %llu keys\n", load->rev, load->done, load->total);
    else if (isatty(STDERR_FILENO) == 1)
        fprintf(stderr, "\r%llu of %llu keys, revision %llu%s", load->done, load->total, load->rev,
                load->done == load->total ? "\n" : "");
}

static unsigned long long member(json_t *object, const char *name)
{
    return (unsigned long long)json_integer_value(json_object_get(object, name));
}

static void add_up(struct load *load, json_t *reply)
{
    struct options *options = &load->session->options;
    load->rev = member(reply, "rev");
    load->made += member(reply, "made");
    load->changed += member(reply, "changed");
    load->same += member(reply, "same");
    load->commits += json_is_true(json_object_get(reply, "committed"));
    load->done += load->count;
    if (options->has_if_rev &&
        !options->dry_run) /* our own commit is no conflict with the next one */
        options->if_rev = load->rev;
}

static int send_batch(struct load *load)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    if (load->count == 0)
        return 0;
    const unsigned char *from = load->values.data;
    for (size_t i = 0; i < load->count; i++) {
        load->pieces[i].data = from;
        from += load->pieces[i].size;
    }
    json_t *parameters = json_pack("{s:O, s:b}", "operations", load->operations, "quiet", 1);
    int error = parameters == NULL ? error_set(ERR_NOMEM, "no memory for a batch")
                                   : session_terms(load->session, parameters, "");
    if (error < 0) {
        json_decref(parameters);
        return error;
    }
    error =
        session_ask(load->session, "io.emsa.Set", parameters, load->pieces, load->count, &answer);
    if (error < 0)
        return error;
    add_up(load, answer.reply);
    show_progress(load);
    json_array_clear(load->operations);
    bundle_begin(&load->bundle, load->operations);
    secret_clear(&load->values);
    load->count = 0;
    return 0;
}

static int add_line(struct load *load, const struct treeline *line)
{
    bool secret = line->mark == MARK_SECRET || suspicion(load, line) != NULL;
    load->pieces[load->count++].size = line->size;
    int error = bundle_add(&load->bundle, secret ? "secret" : "plain", &line->path, line->size);
    if (error < 0)
        return error;
    if (load->count < BATCH_KEYS && load->values.size < BATCH_BYTES)
        return 0;
    return send_batch(load);
}

/* The second reading. */
static int commit(struct load *load)
{
    struct treeline line;
    int error = lines_rewind(&load->lines);
    load->operations = json_array();
    bundle_begin(&load->bundle, load->operations);
    load->pieces = calloc(BATCH_KEYS, sizeof *load->pieces);
    if (error == 0 && load->pieces == NULL)
        error = error_set(ERR_NOMEM, "no memory for a batch");
    while (error == 0) {
        error = next(load, &line);
        if (error == 0)
            error = add_line(load, &line);
    }
    return error < 0 ? error : send_batch(load);
}

static int tell(const struct load *load)
{
    if (load->session->options.json)
        return output_json(
            json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "rev", (json_int_t)load->rev, "keys",
                      (json_int_t)load->done, "commits", (json_int_t)load->commits, "made",
                      (json_int_t)load->made, "changed", (json_int_t)load->changed, "same",
                      (json_int_t)load->same, "dry_run", (int)load->session->options.dry_run));
    printf("%llu keys: %llu new, %llu changed, %llu as they were\n", load->done, load->made,
           load->changed, load->same);
    if (load->session->options.dry_run)
        printf("dry run: nothing was changed, the store is at revision %llu\n", load->rev);
    else
        printf("revision %llu (%llu commits)\n", load->rev, load->commits);
    return 0;
}

/* Stopped in the middle: what stands, and how to go on. */
static int stopped(const struct load *load, int error)
{
    if (load->commits > 0)
        error_add((enum error_code) - error,
                  "%llu of %llu keys stand, up to revision %llu: give the same file again to go on",
                  load->done, load->total, load->rev);
    return error;
}

int load_tree(struct session *session, const char *file)
{
    struct load load = {.session = session, .file = file, .lines = {.fd = -1}};
    struct stat status;
    int fd DESCRIPTOR_CLEANUP = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_system(errno, "cannot open '%s'", file);
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
        return error_set(ERR_INVALID, "'%s' is read twice, and so must be a file", file);
    load.lines.fd = fd;
    int error = find_environments(&load);
    if (error == 0)
        error = judge(&load);
    if (error == 0 && load.total == 0)
        error = error_set(ERR_INVALID, "nothing to import: '%s' has no line", file);
    if (error == 0) {
        load.values.size = 0;
        error = commit(&load);
        error = error < 0 ? stopped(&load, error) : tell(&load);
    }
    lines_release(&load.lines);
    secret_release(&load.values);
    secret_release(&load.scratch);
    json_decref(load.environments);
    json_decref(load.operations);
    free(load.pieces);
    return error;
}
