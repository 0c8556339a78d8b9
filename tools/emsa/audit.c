/* audit: who read, who was refused, what began and ended; and whether that record is whole. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/audit_record.h"
#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/passphrase.h"
#include "tools/emsa/session.h"
#include "tools/emsa/table.h"
#include "tools/emsa/when.h"

#define FOLLOW_MILLISECONDS 300

/* A user by name or number. */
static int find_user(json_int_t *out, const char *who)
{
    char *end;
    errno = 0;
    long long number = strtoll(who, &end, 10);
    if (errno == 0 && end != who && *end == '\0' && number >= 0) {
        *out = number;
        return 0;
    }
    const struct passwd *user = getpwnam(strncmp(who, "user:", 5) == 0 ? who + 5 : who);
    if (user == NULL)
        return error_set(ERR_NOT_FOUND, "there is no user '%s' on this system: give a number", who);
    *out = (json_int_t)user->pw_uid;
    return 0;
}

static int wish_who(json_t *parameters, const char *who)
{
    json_int_t uid;
    if (principal_is_identity(who)) {
        json_object_set_new(parameters, "identity", json_string(who + strlen(PRINCIPAL_IDENTITY)));
        return 0;
    }
    int error = find_user(&uid, who);
    if (error == 0)
        json_object_set_new(parameters, "uid", json_integer(uid));
    return error;
}

static int wish(const struct session *session, json_t *parameters)
{
    const struct options *options = &session->options;
    int64_t since;
    int error = 0;
    if (options->path != NULL)
        json_object_set_new(parameters, "path", json_string(options->path));
    if (options->who != NULL)
        error = wish_who(parameters, options->who);
    if (error == 0 && options->since != NULL &&
        (error = when_parse(&since, "since", options->since, false)) == 0)
        json_object_set_new(parameters, "since", json_integer(since));
    return error;
}

/* The next piece, from a position on, which moves. 1: there is more at once. */
static int ask(struct session *session, json_t *lines, json_int_t *from)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    json_t *parameters = json_pack("{s:I}", "from", *from);
    int error = wish(session, parameters);
    if (error < 0) {
        json_decref(parameters);
        return error;
    }
    error = session_ask(session, "io.emsa.Audit", parameters, NULL, 0, &answer);
    if (error < 0)
        return error;
    *from = json_integer_value(json_object_get(answer.reply, "next"));
    if (json_array_extend(lines, json_object_get(answer.reply, "lines")) < 0)
        return error_set(ERR_NOMEM, "no memory for a list");
    return json_is_true(json_object_get(answer.reply, "more"));
}

static const char *number_cell(char out[static SIZE_TEXT_MAX], json_t *line, const char *name)
{
    json_t *value = json_object_get(line, name);
    out[0] = '\0';
    return value != NULL ? number_text(out, json_integer_value(value)) : out;
}

/* "read open", "denied Get", "read export x12": what happened, by which door. */
static const char *deed(char *out, size_t room, json_t *line)
{
    const char *event = output_member(line, "event"), *door = output_member(line, "door");
    const char *method = output_member(line, "method");
    json_t *count = json_object_get(line, "count");
    if (method[0] != '\0' && (strcmp(event, "read") != 0 || strcmp(door, "call") == 0))
        door = method;
    (void)snprintf(out, room, "%s%s%s", event, door[0] != '\0' ? " " : "", door);
    size_t used = strlen(out);
    if (count != NULL)
        (void)snprintf(out + used, room - used, " x%lld", (long long)json_integer_value(count));
    return out;
}

/* "1000", or "1000 id:ci" where that was proven. */
static const char *caller_cell(char *out, size_t room, json_t *line)
{
    char uid[SIZE_TEXT_MAX];
    const char *identity = output_member(line, "as");
    (void)snprintf(out, room, "%s%s%s", number_cell(uid, line, "uid"),
                   identity[0] != '\0' ? " " PRINCIPAL_IDENTITY : "", identity);
    return out;
}

static void add_row(struct table *table, json_t *line)
{
    static const enum colour colours[] = {COLOUR_FAINT, COLOUR_NONE,   COLOUR_NONE, COLOUR_NONE,
                                          COLOUR_NONE,  COLOUR_YELLOW, COLOUR_BLUE};
    char who[SIZE_TEXT_MAX + PRINCIPAL_MAX], rev[SIZE_TEXT_MAX], pid[SIZE_TEXT_MAX];
    char what[128], program[128];
    const char *container = output_member(line, "container");
    output_first_line(program, sizeof program, output_member(line, "program"));
    const char *cells[] = {output_member(line, "time"),
                           deed(what, sizeof what, line),
                           caller_cell(who, sizeof who, line),
                           number_cell(pid, line, "pid"),
                           output_member(line, "path"),
                           number_cell(rev, line, "rev"),
                           container[0] != '\0' ? container : program};
    table_row(table, cells, colours);
}

static int print(json_t *lines, bool has_heading)
{
    static const char *const heading[] = {"TIME", "EVENT", "UID", "PID", "PATH", "REV", "BY"};
    struct table *table = table_new("llrrlrl");
    size_t index;
    json_t *line;
    if (has_heading && json_array_size(lines) > 0)
        table_heading(table, heading);
    json_array_foreach(lines, index, line) add_row(table, line);
    int error = table_print(table);
    table_free(table);
    return error;
}

/* Of many the newest, where a number was given. */
static void keep_last(json_t *lines, uint64_t number)
{
    while (number > 0 && json_array_size(lines) > number)
        json_array_remove(lines, 0);
}

int run_audit(struct session *session)
{
    json_t *lines = json_array();
    json_int_t from = 0;
    int more;
    do {
        more = ask(session, lines, &from);
        keep_last(lines, session->options.number);
    } while (more > 0);
    int error = more;
    if (error == 0 && session->options.json)
        error = output_json(json_pack("{s:O, s:I}", "lines", lines, "next", from));
    else if (error == 0)
        error = print(lines, true);
    json_decref(lines);
    return error;
}

static int print_each(struct session *session, json_t *lines)
{
    size_t index;
    json_t *line;
    int error = 0;
    if (!session->options.json)
        return print(lines, false);
    json_array_foreach(lines, index, line) if (error == 0) error = output_json(json_incref(line));
    return error;
}

/* From what there is on; with -n until so many lines were told. */
int run_audit_follow(struct session *session)
{
    json_int_t from = (json_int_t)(session->options.has_from ? session->options.from : 0);
    uint64_t told = 0, wanted = session->options.number;
    bool is_first = !session->options.has_from;
    int error = 0;
    while (error == 0 && (wanted == 0 || told < wanted)) {
        json_t *lines = json_array();
        int more = ask(session, lines, &from);
        error = more < 0 ? more : 0;
        if (error == 0 && !is_first) {
            while (wanted > 0 && told + json_array_size(lines) > wanted)
                json_array_remove(lines, json_array_size(lines) - 1);
            told += json_array_size(lines);
            error = print_each(session, lines);
        }
        if (error == 0)
            error = output_flush();
        json_decref(lines);
        is_first = is_first && more > 0;
        if (error == 0 && more == 0 && (wanted == 0 || told < wanted))
            (void)poll(NULL, 0, FOLLOW_MILLISECONDS);
    }
    return error;
}

int run_audit_auditor(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const char *identity = session->options.arguments.list[0];
    int error = session_ask(session, "io.emsa.AuditAuditor",
                            json_pack("{s:s}", "identity", identity), NULL, 0, &answer);
    if (error == 0 && !session->options.json)
        printf("from here on the audit record is checked by '%s'\n", identity);
    return error;
}

/* N:CHAIN */
static int parse_head(struct audit_head *out, const char *text)
{
    char *colon;
    errno = 0;
    out->number = strtoull(text, &colon, 10);
    if (errno != 0 || out->number == 0 || *colon != ':' ||
        strlen(colon + 1) != sizeof out->chain - 1)
        return error_set(ERR_INVALID,
                         "'%s' of --head is none: give what 'emsa audit verify' printed", text);
    memcpy(out->chain, colon + 1, sizeof out->chain);
    return 0;
}

struct faults {
    bool is_json;
    json_t *list;
};

static void tell_fault(void *arg, const char *text)
{
    const struct faults *faults = arg;
    if (faults->is_json)
        json_array_append_new(faults->list, json_string(text));
    else
        printf("%s\n", text);
}

/* Who could have changed what is there and is not found by this. */
static void print_verdict(const struct audit_verdict *verdict, bool has_identity)
{
    uint64_t lines = verdict->first == 0 ? 0 : verdict->last - verdict->first + 1;
    printf("%" PRIu64 " line%s, up to line %" PRIu64 " of %s, revision %" PRIu64 "; %" PRIu64
           " fault%s\n",
           lines, plural_text(lines), verdict->last, verdict->last_time, verdict->rev,
           verdict->faults, plural_text(verdict->faults));
    if (verdict->lost > 0)
        printf("%" PRIu64 " event%s found no place: only counted\n", verdict->lost,
               plural_text(verdict->lost));
    if (has_identity)
        printf("%" PRIu64 " line%s checked by their keys: nobody without the auditor's identity "
               "changed them, who took over this machine later either\n",
               verdict->checked, plural_text(verdict->checked));
    if (has_identity && verdict->checked < lines && verdict->faults == 0)
        printf("%" PRIu64 " by the chain alone, sealed to another auditor; who checks the newest: "
               "%s\n",
               lines - verdict->checked, verdict->auditor);
    if (!has_identity)
        printf("checked by the chain alone: against damage, and against who has no key of the "
               "record; the rest takes the auditor's identity (--identity FILE): %s\n",
               verdict->auditor);
    printf("head: %" PRIu64 ":%s\n", verdict->last, verdict->chain);
}

static int print_json(const struct audit_verdict *verdict, bool has_identity, json_t *faults)
{
    return output_json(
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:b, s:b, s:O}", "first",
                  (json_int_t)verdict->first, "last", (json_int_t)verdict->last, "checked",
                  (json_int_t)verdict->checked, "faults", (json_int_t)verdict->faults, "lost",
                  (json_int_t)verdict->lost, "rev", (json_int_t)verdict->rev, "time",
                  verdict->last_time, "head", verdict->chain, "auditor", verdict->auditor, "whole",
                  (int)verdict->is_whole, "by_key", (int)has_identity, "lines", faults));
}

/* The identity that checks: the one that is named, else the store's own, where it is the auditor's
 * and opens with what is at hand. */
static int load_identity(struct identity **out, const struct session *session)
{
    const struct options *options = &session->options;
    const struct passphrase_ways ways = {.key_path = options->key_file,
                                         .passphrase_path = options->passphrase_file,
                                         .ask = options->identity != NULL};
    const char *path = options->identity != NULL ? options->identity : session->place.identity;
    const bool is_wanted =
        options->identity != NULL || options->key_file != NULL || options->passphrase_file != NULL;
    *out = NULL;
    const int error = passphrase_load(out, path, &ways);
    if (error == 0 || is_wanted)
        return error;
    error_clear();
    return 0;
}

/* By the files alone, whether or not a server runs: it is not asked to speak for itself. */
int run_audit_verify(struct session *session)
{
    struct audit_head head = {0};
    struct audit_verdict verdict;
    struct identity *identity;
    const char *text = session->options.head;
    struct faults faults = {.is_json = session->options.json};
    int error = text == NULL ? 0 : parse_head(&head, text);
    if (error == 0)
        error = load_identity(&identity, session);
    if (error < 0)
        return error;
    faults.list = json_array();
    const char *store = session->place.store;
    const struct audit_head *pinned = text == NULL ? NULL : &head;
    error = audit_record_check(store, identity, pinned, &verdict, tell_fault, &faults);
    if (error == -ERR_NO_KEY && session->options.identity == NULL) {
        identity_free(identity);
        identity = NULL;
        json_array_clear(faults.list);
        error = audit_record_check(store, NULL, pinned, &verdict, tell_fault, &faults);
    }
    if (error == 0 && session->options.json)
        error = print_json(&verdict, identity != NULL, faults.list);
    else if (error == 0)
        print_verdict(&verdict, identity != NULL);
    identity_free(identity);
    json_decref(faults.list);
    if (error == 0 && verdict.faults > 0)
        return error_set(ERR_CORRUPT, "the audit record is not what was written");
    return error;
}
