/* views: what is mounted, of what and where, and which revision it shows; wait: until something is.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs/mount.h"
#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/table.h"

#define TRAITS_MAX 160
#define READ_MAX 256
#define CONTAINER_DIGITS 64

static long long number_of(json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

static void add(char out[static TRAITS_MAX], const char *text)
{
    size_t length = strlen(out);
    (void)snprintf(out + length, TRAITS_MAX - length, "%s%s", length > 0 ? " " : "", text);
}

/* "0:0 0444 flat masked" */
static const char *traits(char out[static TRAITS_MAX], json_t *view)
{
    static const char *const flags[] = {"masked", "cache", "history", "idmap"};
    (void)snprintf(out, TRAITS_MAX, "%lld:%lld %04llo", number_of(view, "uid"),
                   number_of(view, "gid"), (unsigned long long)number_of(view, "file_mode"));
    if (strcmp(output_member(view, "layout"), "flat") == 0)
        add(out, "flat");
    if (number_of(view, "pin") != 0) {
        char pin[48];
        (void)snprintf(pin, sizeof pin, "at %lld", number_of(view, "pin"));
        add(out, pin);
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (json_is_true(json_object_get(view, flags[i])))
            add(out, flags[i]);
    return out;
}

/* The first 12 digits of a container's id, as its runtime shows it, where a control group is named
 * by one; else "". */
static void container_of(char out[static 13], long long pid)
{
    char path[64], line[512];
    out[0] = '\0';
    (void)snprintf(path, sizeof path, "/proc/%lld/cgroup", pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && out[0] == '\0' && fgets(line, sizeof line, file) != NULL)
        for (const char *at = line; *at != '\0' && out[0] == '\0';) {
            size_t digits = strspn(at, "0123456789abcdef");
            if (digits == CONTAINER_DIGITS)
                (void)snprintf(out, 13, "%.12s", at);
            at += digits > 0 ? digits : 1;
        }
    if (file != NULL)
        (void)fclose(file);
}

/* " by nginx in 4f1c0a9be2d7", as far as that process is still there. */
static void who(char *out, size_t capacity, long long pid)
{
    char path[64], name[64] = "", tame[64], container[13];
    out[0] = '\0';
    (void)snprintf(path, sizeof path, "/proc/%lld/comm", pid);
    FILE *file = pid > 0 ? fopen(path, "re") : NULL;
    if (file == NULL)
        return;
    if (fgets(name, sizeof name, file) != NULL)
        name[strcspn(name, "\n")] = '\0';
    (void)fclose(file);
    output_tame(tame, sizeof tame, name);
    container_of(container, pid);
    (void)snprintf(out, capacity, " by %s%s%s", tame, container[0] != '\0' ? " in " : "",
                   container);
}

/* Whether it is still the same process is not known: a hint. */
static const char *last_read(char out[static READ_MAX], json_t *view)
{
    char time[TIME_TEXT_MAX], process[128];
    json_t *read = json_object_get(view, "read");
    if (!json_is_object(read))
        return "never read";
    who(process, sizeof process, number_of(read, "pid"));
    (void)snprintf(out, READ_MAX, "read %s rev %lld%s", time_text(time, number_of(read, "time")),
                   number_of(read, "rev"), process);
    return out;
}

/* A path may be what a caller said. */
static const char *place(char out[static PATH_MAX], json_t *view)
{
    const char *directory = output_member(view, "directory");
    output_tame(out, PATH_MAX, directory[0] != '\0' ? directory : "(not in this table)");
    return out;
}

static int print_views(json_t *views)
{
    static const char *const heading[] = {"VIEW",        "PATH",      "TOLD",
                                          "OWNER, MODE", "LAST READ", "WHERE"};
    static const enum colour colours[] = {COLOUR_YELLOW, COLOUR_NONE,  COLOUR_NONE,
                                          COLOUR_NONE,   COLOUR_FAINT, COLOUR_NONE};
    struct table *table = table_new("rlrlll");
    size_t index;
    json_t *view;
    if (json_array_size(views) > 0)
        table_heading(table, heading);
    json_array_foreach(views, index, view)
    {
        char id[SIZE_TEXT_MAX], told[SIZE_TEXT_MAX], shown[TRAITS_MAX], read[READ_MAX];
        char where[PATH_MAX];
        const char *path = output_member(view, "path");
        const char *cells[] = {number_text(id, number_of(view, "id")),
                               path[0] != '\0' ? path : "/",
                               number_text(told, number_of(view, "rev")),
                               traits(shown, view),
                               last_read(read, view),
                               place(where, view)};
        table_row(table, cells, colours);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

int run_views(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct texts *words = &session->options.arguments;
    json_t *parameters = json_pack("{s:s*}", "path", words->count > 0 ? words->list[0] : NULL);
    int error = session_ask(session, "io.emsa.Views", parameters, NULL, 0, &answer);
    if (error < 0)
        return error;
    return session->options.json ? output_json(json_incref(answer.reply))
                                 : print_views(json_object_get(answer.reply, "views"));
}

static int print_move(json_t *reply, bool is_trial)
{
    char from[64] = "the newest revision", to[64] = "the newest revision";
    if (json_is_integer(json_object_get(reply, "from")))
        (void)snprintf(from, sizeof from, "revision %lld", number_of(reply, "from"));
    if (json_is_integer(json_object_get(reply, "to")))
        (void)snprintf(to, sizeof to, "revision %lld", number_of(reply, "to"));
    printf("view %lld, '%s', %s %s (%s %s)\n", number_of(reply, "view"),
           output_member(reply, "path"), is_trial ? "would show" : "shows", to,
           is_trial ? "shows" : "was at", from);
    if (json_is_true(json_object_get(reply, "late")))
        output_note("somebody holds the mount up: programs in it hear of it as soon as that ends");
    return 0;
}

int run_view_move(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct options *options = &session->options;
    const char *name = options->arguments.list[0];
    if (options->to == NULL)
        return error_set(ERR_INVALID, "where to? --to REV, --to TAG, or --to live");
    const bool is_number = name[0] != '\0' && strspn(name, "0123456789") == strlen(name);
    char *whole = is_number ? NULL : realpath(name, NULL);
    json_t *parameters = json_pack("{s:s, s:s, s:b}", "view", whole != NULL ? whole : name, "to",
                                   options->to, "dry_run", (int)options->dry_run);
    free(whole);
    if (parameters == NULL)
        return error_set(ERR_INVALID, "a path is not UTF-8");
    int error = session_ask(session, "io.emsa.ViewMove", parameters, NULL, 0, &answer);
    if (error < 0)
        return error;
    return options->json ? output_json(json_incref(answer.reply))
                         : print_move(answer.reply, options->dry_run);
}

int run_wait(struct session *session)
{
    const struct options *options = &session->options;
    const char *directory = options->arguments.list[0];
    int milliseconds = !options->has_timeout               ? -1
                       : options->timeout > INT_MAX / 1000 ? INT_MAX
                                                           : (int)options->timeout * 1000;
    int outcome = mount_await(directory, milliseconds);
    if (outcome < 0)
        return outcome;
    if (outcome == 1)
        return error_set(ERR_NOT_FOUND,
                         "no mount of emsa's answers at '%s' after %llu seconds: is the daemon "
                         "started, and is it the one that mounts there ('emsa views')?",
                         directory, (unsigned long long)options->timeout);
    return options->json ? output_json(json_pack("{s:s}", "directory", directory)) : 0;
}
