/* status: the store, the server of it, and how it fares. */
#include <stdio.h>
#include <string.h>

#include "tools/emsa/command.h"
#include "tools/emsa/output.h"

#define DURATION_TEXT_MAX 32

static long long number_of(json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

/* Three digits, in the unit that fits. */
static const char *duration_text(char out[static DURATION_TEXT_MAX], long long nanoseconds)
{
    double value = (double)nanoseconds / 1000;
    const char *unit = "us";
    if (value >= 1000) {
        value /= 1000;
        unit = "ms";
    }
    if (value >= 1000) {
        value /= 1000;
        unit = "s";
    }
    snprintf(out, DURATION_TEXT_MAX, "%.*f %s", value < 10 ? 2 : value < 100 ? 1 : 0, value, unit);
    return out;
}

static void print_identity(struct session *session, json_t *reply)
{
    const char *problem = client_identity_problem(session->client);
    if (json_is_true(json_object_get(reply, "unlocked")) && session->options.host != NULL)
        printf("identity      there: secrets can be opened\n");
    else if (json_is_true(json_object_get(reply, "unlocked")))
        printf("identity      %s\n", session->place.identity);
    else
        printf("identity      none: secrets cannot be opened (%s)\n",
               problem != NULL ? problem : "see the log of the server");
}

static void print_store(struct session *session, json_t *reply)
{
    char time[TIME_TEXT_MAX];
    const long long services = number_of(reply, "services"),
                    environments = number_of(reply, "environments");
    printf("store         %s\n", text_of(reply, "store"));
    printf("revision      %lld\n", number_of(reply, "rev"));
    printf("entries       %lld in %lld service%s, %lld environment%s\n",
           number_of(reply, "entries"), services, plural_text((uint64_t)services), environments,
           plural_text((uint64_t)environments));
    printf("file          %lld bytes, %lld of them in use\n", number_of(reply, "file_bytes"),
           number_of(reply, "used_bytes"));
    if (number_of(reply, "alarms") > 0)
        printf("alarms        %lld damaged records met: run 'emsa verify'\n",
               number_of(reply, "alarms"));
    if (number_of(reply, "next_expiry") > 0)
        printf("next expiry   %s\n", time_text(time, number_of(reply, "next_expiry")));
    print_identity(session, reply);
}

static void print_processes(struct session *session, json_t *reply)
{
    json_t *processes = json_object_get(reply, "processes");
    printf("server        pid %lld, version %s, at %s\n", number_of(reply, "pid"),
           text_of(reply, "version"),
           session->options.host != NULL ? session->options.host : session->place.socket);
    if (number_of(processes, "supervisor") > 0)
        printf("supervisor    pid %lld\n", number_of(processes, "supervisor"));
    else
        printf("supervisor    none: nobody would replace the server; start one with 'emsad'\n");
    if (number_of(processes, "notifier") > 0)
        printf("notifier      pid %lld\n", number_of(processes, "notifier"));
    else
        printf("notifier      none: changes wait to be told\n");
    if (number_of(processes, "audit") > 0)
        printf("audit         pid %lld\n", number_of(processes, "audit"));
}

static void print_restarts(json_t *restarts)
{
    char last[DURATION_TEXT_MAX], longest[DURATION_TEXT_MAX];
    long long started = number_of(restarts, "servers_started");
    printf("restarts      %lld (%lld crashed, %lld stuck, %lld upgrades)\n",
           started > 0 ? started - 1 : 0, number_of(restarts, "servers_crashed"),
           number_of(restarts, "servers_stuck"), number_of(restarts, "upgraded"));
    if (number_of(restarts, "longest_pause") > 0)
        printf("last pause    %s, the longest %s\n",
               duration_text(last, number_of(restarts, "last_pause")),
               duration_text(longest, number_of(restarts, "longest_pause")));
    if (number_of(restarts, "requests_refused") > 0)
        printf("refused       %lld requests that servers died of: see the log of the server\n",
               number_of(restarts, "requests_refused"));
}

/* Only what somebody should do something about. */
static void print_audit(json_t *audit)
{
    if (number_of(audit, "failing") > 0)
        printf("audit         the record is not written (%s): %lld events wait\n",
               strerror((int)number_of(audit, "failing")), number_of(audit, "waiting"));
    if (number_of(audit, "lost") > 0 || number_of(audit, "refused") > 0)
        printf("audit         %lld events found no place, %lld reads were refused for that\n",
               number_of(audit, "lost"), number_of(audit, "refused"));
    if (number_of(audit, "unsent") > 0 || number_of(audit, "sink_failing") > 0)
        printf("audit         %s: %lld lines did not get there%s%s\n", output_member(audit, "sink"),
               number_of(audit, "unsent"), number_of(audit, "sink_failing") > 0 ? "; now: " : "",
               number_of(audit, "sink_failing") > 0
                   ? strerror((int)number_of(audit, "sink_failing"))
                   : "");
}

static void print_times(const char *label, json_t *times)
{
    char p50[DURATION_TEXT_MAX], p99[DURATION_TEXT_MAX], longest[DURATION_TEXT_MAX];
    if (number_of(times, "count") > 0)
        printf("%s p50 %s, p99 %s, the longest %s, of %lld commits\n", label,
               duration_text(p50, number_of(times, "p50")),
               duration_text(p99, number_of(times, "p99")),
               duration_text(longest, number_of(times, "longest")), number_of(times, "count"));
}

static void print_service(json_t *reply)
{
    printf("views         %lld, %lld of them read: %lld files open\n", number_of(reply, "views"),
           number_of(reply, "readers"), number_of(reply, "open_files"));
    printf("requests      %lld, %lld reads, %lld decryptions, %lld errors\n",
           number_of(reply, "requests"), number_of(reply, "reads"), number_of(reply, "decryptions"),
           number_of(reply, "errors"));
    print_restarts(json_object_get(reply, "restarts"));
    print_audit(json_object_get(reply, "audit"));
    print_times("visible      ", json_object_get(reply, "visible"));
    print_times("event        ", json_object_get(reply, "event"));
}

static int print_metrics(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = session_ask(session, "io.emsa.Metrics", json_object(), NULL, 0, &answer);
    if (error < 0)
        return error;
    if (session->options.json)
        return output_json(json_incref(answer.reply));
    fputs(text_of(answer.reply, "text"), stdout);
    return 0;
}

int run_status(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    if (session->options.metrics)
        return print_metrics(session);
    int error = session_ask(session, "io.emsa.Status", json_object(), NULL, 0, &answer);
    if (error < 0)
        return error;
    bool is_local = client_is_local(session->client);
    json_object_set_new(answer.reply, "server", json_boolean(!is_local));
    if (session->options.json)
        return output_json(json_incref(answer.reply));
    print_store(session, answer.reply);
    if (is_local) {
        printf("server        none runs: this command opened the store itself\n"
               "audit         lines of commands without a server are in the record alone, in no "
               "other log\n");
        return 0;
    }
    print_processes(session, answer.reply);
    print_service(answer.reply);
    return 0;
}
