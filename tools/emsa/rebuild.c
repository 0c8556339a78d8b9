/* verify --rebuild: everything derived from the log, made anew. */
#include <inttypes.h>
#include <stdio.h>

#include "store/error.h"
#include "store/rebuild.h"
#include "tools/common/exit_status.h"
#include "tools/emsa/command.h"
#include "tools/emsa/local.h"
#include "tools/emsa/output.h"

static void note_fault(void *arg, const char *text)
{
    json_array_append_new(arg, json_string(text));
}

static void head_text(char out[static 2 * HASH_SIZE + 1], const uint8_t head[static HASH_SIZE])
{
    for (unsigned i = 0; i < HASH_SIZE; i++)
        (void)snprintf(out + (size_t)2 * i, 3, "%02x", head[i]);
}

/* --- for machines --- */

static json_t *table_json(const struct rebuild_table *table)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:b}", "database", table->name, "records",
                     (json_int_t)table->records, "missing", (json_int_t)table->missing, "changed",
                     (json_int_t)table->changed, "extra", (json_int_t)table->extra, "unreadable",
                     (int)table->is_unreadable);
}

static int print_json(const struct rebuild_report *report, json_t *lines, bool is_done)
{
    char head[2 * HASH_SIZE + 1];
    json_t *tables = json_array();
    for (unsigned i = 0; i < report->table_count; i++)
        json_array_append_new(tables, table_json(&report->tables[i]));
    head_text(head, report->head);
    return output_json(json_pack(
        "{s:b, s:{s:I, s:I, s:I}, s:I, s:I, s:o, s:I, s:I, s:s, s:I, s:O}", "rebuilt", (int)is_done,
        "replayed", "commits", (json_int_t)report->commits, "operations",
        (json_int_t)report->operations, "values", (json_int_t)report->values, "wrong",
        (json_int_t)report->wrong, "without_fingerprint", (json_int_t)report->without, "databases",
        tables, "bytes", (json_int_t)report->used_bytes, "rev", (json_int_t)report->revision,
        "head", head, "faults", (json_int_t)report->faults, "lines", lines));
}

/* --- for people --- */

static void print_table(const struct rebuild_table *table)
{
    if (table->missing + table->changed + table->extra == 0 && !table->is_unreadable)
        return;
    printf("  %s: %" PRIu64 " missing, %" PRIu64 " changed, %" PRIu64 " too many%s\n", table->name,
           table->missing, table->changed, table->extra,
           table->is_unreadable ? "; not all of it could be read" : "");
}

static void print_text(const struct rebuild_report *report, const struct local_problems *problems)
{
    char head[2 * HASH_SIZE + 1];
    head_text(head, report->head);
    printf("%" PRIu64 " commits, %" PRIu64 " operations, %" PRIu64 " values replayed; %" PRIu64
           " derived records were wrong%s\n",
           report->commits, report->operations, report->values, report->wrong,
           report->wrong > 0 ? ":" : "");
    for (unsigned i = 0; i < report->table_count; i++)
        print_table(&report->tables[i]);
    printf("the store is rebuilt, %" PRIu64 " bytes; the head is revision %" PRIu64 ", %s: %s%s\n",
           report->used_bytes, report->revision, head, problems->pin[0] ? "not pinned: " : "pinned",
           problems->pin);
}

/* What the guard does not know it lets pass. */
static void warn_of_guard(const struct rebuild_report *report,
                          const struct local_problems *problems)
{
    if (report->without == 0)
        return;
    output_note("the leak guard has no fingerprint of %" PRIu64 " secrets%s%s: until it has, it "
                "finds no value that is equal to one of them. 'emsa verify --rebuild' again with "
                "an identity that opens them (EMSA_IDENTITY=FILE) makes these",
                report->without, problems->identity[0] ? ": " : "", problems->identity);
}

static int fail(struct session *session, const struct rebuild_report *report, json_t *lines,
                int error)
{
    size_t index;
    json_t *line;
    if (session->options.json && report->faults > 0)
        print_json(report, lines, false);
    else
        json_array_foreach(lines, index, line) printf("%s\n", json_string_value(line));
    if (report->faults > 0)
        return error_add(ERR_CORRUPT, "bring back a backup ('emsa verify --accept-head' once it is "
                                      "there), or take out what still reads ('emsa export')");
    return error;
}

static int check_use(const struct session *session)
{
    if (session->options.accept_head)
        return error_set(ERR_INVALID, "--rebuild holds the log against the pin, and --accept-head "
                                      "puts the pin aside: first the one, then the other");
    if (session->options.host != NULL)
        return error_set(ERR_REFUSED, "'emsa verify --rebuild' is of the machine that it runs on: "
                                      "log in there, and run it");
    return 0;
}

int run_rebuild(struct session *session)
{
    struct rebuild_report report = {0};
    struct local_problems problems;
    int error = check_use(session);
    if (error < 0)
        return error;
    json_t *lines = json_array();
    error = local_rebuild(&report, &problems, &session->place, note_fault, lines);
    if (error < 0)
        error = fail(session, &report, lines, error);
    else if (session->options.json)
        error = print_json(&report, lines, true);
    else
        print_text(&report, &problems);
    if (error == 0)
        warn_of_guard(&report, &problems);
    if (error == 0 && problems.audit[0] != '\0')
        output_note("the audit record has no line of it: %s", problems.audit);
    json_decref(lines);
    return error;
}
