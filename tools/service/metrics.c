#include "tools/service/metrics.h"

#include <stdbool.h>

#define NANOSECONDS 1e9

enum unit { PLAIN, SECONDS };

struct metric {
    const char *name;
    const char *type;
    const char *group; /* the object of the status that it is in, or NULL */
    const char *member;
    enum unit unit; /* SECONDS: the member is nanoseconds */
    const char *help;
};

static const struct metric metrics[] = {
    {"emsa_revision", "gauge", NULL, "rev", PLAIN, "Newest revision of the store."},
    {"emsa_published_revision", "gauge", NULL, "published", PLAIN,
     "Revision that every view's kernel was told of."},
    {"emsa_environments", "gauge", NULL, "environments", PLAIN, "Environments in the store."},
    {"emsa_services", "gauge", NULL, "services", PLAIN, "Services in all environments."},
    {"emsa_entries", "gauge", NULL, "entries", PLAIN, "Keys in all services."},
    {"emsa_store_size_bytes", "gauge", NULL, "file_bytes", PLAIN,
     "Size of the store's file, allocated ahead."},
    {"emsa_store_used_bytes", "gauge", NULL, "used_bytes", PLAIN, "Part of it that is in use."},
    {"emsa_damaged_records_total", "counter", NULL, "alarms", PLAIN,
     "Damaged records met since the store was opened."},
    {"emsa_unlocked", "gauge", NULL, "unlocked", PLAIN, "Whether secrets can be opened."},
    {"emsa_next_expiry_timestamp_seconds", "gauge", NULL, "next_expiry", SECONDS,
     "When the next key expires, in seconds since 1970."},
    {"emsa_views", "gauge", NULL, "views", PLAIN, "Views that are served."},
    {"emsa_reading_views", "gauge", NULL, "readers", PLAIN, "Views in which a file is open."},
    {"emsa_open_files", "gauge", NULL, "open_files", PLAIN, "Files that readers have open."},
    {"emsa_requests_total", "counter", NULL, "requests", PLAIN,
     "Requests of readers that this server took."},
    {"emsa_reads_total", "counter", NULL, "reads", PLAIN, "Requests for bytes of a value."},
    {"emsa_decryptions_total", "counter", NULL, "decryptions", PLAIN, "Secrets opened."},
    {"emsa_errors_total", "counter", NULL, "errors", PLAIN, "Requests that failed."},
    {"emsa_server_starts_total", "counter", "restarts", "servers_started", PLAIN,
     "Servers started, the first one too."},
    {"emsa_server_crashes_total", "counter", "restarts", "servers_crashed", PLAIN,
     "Servers that ended by themselves or were killed."},
    {"emsa_server_stuck_total", "counter", "restarts", "servers_stuck", PLAIN,
     "Servers replaced because they did not answer."},
    {"emsa_notifier_starts_total", "counter", "restarts", "notifiers_started", PLAIN,
     "Notifiers started, the first one too."},
    {"emsa_takeovers_total", "counter", "restarts", "taken_over", PLAIN,
     "Supervisors that followed a dead one."},
    {"emsa_upgrades_total", "counter", "restarts", "upgraded", PLAIN, "Binaries replaced."},
    {"emsa_failed_upgrades_total", "counter", "restarts", "upgrades_failed", PLAIN,
     "Upgrades that were taken back."},
    {"emsa_refused_requests_total", "counter", "restarts", "requests_refused", PLAIN,
     "Requests answered EIO because servers died of them."},
    {"emsa_last_pause_seconds", "gauge", "restarts", "last_pause", SECONDS,
     "Time without a server, last time."},
    {"emsa_audit_waiting_events", "gauge", "audit", "waiting", PLAIN,
     "Events that are not in the audit record yet."},
    {"emsa_audit_lines_total", "counter", "audit", "written", PLAIN,
     "Lines of the audit record that were written."},
    {"emsa_audit_counted_total", "counter", "audit", "counted", PLAIN,
     "Events that were counted instead of written down one by one."},
    {"emsa_audit_lost_events", "gauge", "audit", "lost", PLAIN,
     "Events that found no place and were not told of yet."},
    {"emsa_audit_refused_total", "counter", "audit", "refused", PLAIN,
     "Reads that were refused because they could not be audited."},
    {"emsa_audit_unsent_total", "counter", "audit", "unsent", PLAIN,
     "Lines of the audit record of which journald or syslog got no copy."},
    {"emsa_audit_failing", "gauge", "audit", "failing", PLAIN,
     "Why the audit record cannot be written (errno); 0: it can."},
    {"emsa_longest_pause_seconds", "gauge", "restarts", "longest_pause", SECONDS,
     "Longest time without a server."},
};

static void head(struct bytes *out, const char *name, const char *type, const char *help)
{
    bytes_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* The status comes from this program, or from a server of another version: what is no number is
 * left out. */
static void write_metric(struct bytes *out, const struct metric *metric, json_t *status)
{
    json_t *group = metric->group != NULL ? json_object_get(status, metric->group) : status;
    const json_t *value = json_object_get(group, metric->member);
    if (!json_is_integer(value) && !json_is_boolean(value))
        return;
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : json_is_true(value);
    head(out, metric->name, metric->type, metric->help);
    if (metric->unit == SECONDS)
        bytes_append_format(out, "%s %.9f\n", metric->name, (double)number / NANOSECONDS);
    else
        bytes_append_format(out, "%s %" JSON_INTEGER_FORMAT "\n", metric->name, number);
}

/* The status counts what is shorter than a bound and Prometheus what is not longer: a nanosecond's
 * difference. */
static void write_times(struct bytes *out, const char *name, const char *help, json_t *times)
{
    json_t *below = json_object_get(times, "below");
    json_int_t bit = json_integer_value(json_object_get(times, "first_bit"));
    json_int_t count = json_integer_value(json_object_get(times, "count"));
    json_int_t sum = json_integer_value(json_object_get(times, "sum"));
    size_t index;
    json_t *value;
    if (!json_is_array(below) || bit < 0 || bit + (json_int_t)json_array_size(below) > 62)
        return;
    head(out, name, "histogram", help);
    json_array_foreach(below, index, value) bytes_append_format(
        out, "%s_bucket{le=\"%.12g\"} %" JSON_INTEGER_FORMAT "\n", name,
        (double)(1ull << (bit + (json_int_t)index)) / NANOSECONDS, json_integer_value(value));
    bytes_append_format(out,
                        "%s_bucket{le=\"+Inf\"} %" JSON_INTEGER_FORMAT
                        "\n%s_sum %.9f\n%s_count %" JSON_INTEGER_FORMAT "\n",
                        name, count, name, (double)sum / NANOSECONDS, name, count);
}

static void write_processes(struct bytes *out, json_t *processes)
{
    const char *name;
    json_t *pid;
    if (!json_is_object(processes))
        return;
    head(out, "emsa_process_up", "gauge", "Whether the process runs.");
    json_object_foreach(processes, name, pid) bytes_append_format(
        out, "emsa_process_up{process=\"%s\"} %d\n", name, json_integer_value(pid) > 0);
}

int metrics_write(struct bytes *out, json_t *status)
{
    const char *version = json_string_value(json_object_get(status, "version"));
    json_t *processes = json_object_get(status, "processes");
    head(out, "emsa_build_info", "gauge", "The version of the server.");
    bytes_append_format(out, "emsa_build_info{version=\"%s\"} 1\n",
                        version != NULL ? version : "unknown");
    head(out, "emsa_up", "gauge", "Whether a server serves the store.");
    bytes_append_format(out, "emsa_up %d\n", json_is_object(processes));
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
        write_metric(out, &metrics[i], status);
    write_processes(out, processes);
    write_times(out, "emsa_commit_visible_seconds",
                "From a commit to every view giving the new value.",
                json_object_get(status, "visible"));
    write_times(out, "emsa_commit_event_seconds",
                "From a commit to every view's watchers having their events.",
                json_object_get(status, "event"));
    return out->error;
}
