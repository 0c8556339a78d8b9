/* doctor: what is active on this machine, and what is missing. */
#include "tools/emsa/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/common/exit_status.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"

static const char *const level_names[] = {"ok", "warn", "bad"};
static const char *const level_colours[] = {"\033[32m", "\033[33m", "\033[31m"};

void doctor_say(struct doctor *doctor, enum doctor_level level, const char *check, const char *next,
                const char *format, ...)
{
    char text[DOCTOR_TEXT_MAX], tame[DOCTOR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    output_tame(tame, sizeof tame, text);
    json_t *finding = json_pack("{s:s, s:s, s:s, s:s}", "level", level_names[level], "check", check,
                                "text", tame, "next", next);
    if (finding == NULL) /* a path that is not UTF-8 */
        finding = json_pack("{s:s, s:s, s:s, s:s}", "level", level_names[level], "check", check,
                            "text", "has a name that is not UTF-8", "next", next);
    (void)json_array_append_new(doctor->findings, finding);
    doctor->counts[level]++;
}

void doctor_hidden(struct doctor *doctor, const char *check, const char *what)
{
    doctor_say(doctor, DOCTOR_WARN, check, "run 'emsa doctor' as root",
               "%s cannot be looked at as this user", what);
}

/* The daemon, and what it says of itself. */
static void find_server(struct doctor *doctor, struct session *session, struct answer *answer)
{
    int error = client_connect(&session->client, &session->place);
    if (error == 0)
        error = session_ask(session, "io.emsa.Status", json_object(), NULL, 0, answer);
    if (error == 0) {
        doctor->status = answer->reply;
        doctor_say(doctor, DOCTOR_OK, "server", "", "answers at %s", session->place.socket);
    } else if (error == -ERR_NOT_FOUND && session->client == NULL) {
        doctor_say(doctor, DOCTOR_WARN, "server", "start it: 'emsad', or 'emsa mount DIR'",
                   "none runs for store '%s': its processes are not checked", session->place.store);
    } else if (error == -ERR_DENIED || error == -ERR_REFUSED) {
        doctor_hidden(doctor, "server",
                      "the server, which tells its status to those who may list everything,");
    } else {
        doctor_say(doctor, DOCTOR_BAD, "server", "see its log; 'emsa stop' ends it", "%s",
                   error_text());
    }
    error_clear();
}

static void print(const struct doctor *doctor)
{
    bool is_coloured = output_coloured();
    size_t index;
    json_t *finding;
    json_array_foreach(doctor->findings, index, finding)
    {
        const char *name = output_member(finding, "level");
        unsigned level = strcmp(name, "ok") == 0     ? DOCTOR_OK
                         : strcmp(name, "warn") == 0 ? DOCTOR_WARN
                                                     : DOCTOR_BAD;
        const char *next = output_member(finding, "next");
        printf("%s%-4s%s  %-14s %s%s%s\n", is_coloured ? level_colours[level] : "", name,
               is_coloured ? "\033[0m" : "", output_member(finding, "check"),
               output_member(finding, "text"), next[0] != '\0' ? ": " : "", next);
    }
    printf("%u ok, %u warn, %u bad\n", doctor->counts[DOCTOR_OK], doctor->counts[DOCTOR_WARN],
           doctor->counts[DOCTOR_BAD]);
}

int run_doctor(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct doctor doctor = {.place = &session->place, .findings = json_array()};
    if (doctor.findings == NULL)
        return error_set(ERR_NOMEM, "no memory for what is found");
    doctor_kernel(&doctor);
    find_server(&doctor, session, &answer);
    doctor_processes(&doctor);
    doctor_refused(&doctor);
    doctor_memory(&doctor);
    doctor_store(&doctor);
    doctor_identity(&doctor);
    doctor_recovery(&doctor, session);
    int error = 0;
    if (session->options.json)
        error = output_json(json_pack("{s:O, s:i, s:i, s:i}", "findings", doctor.findings, "ok",
                                      (int)doctor.counts[DOCTOR_OK], "warn",
                                      (int)doctor.counts[DOCTOR_WARN], "bad",
                                      (int)doctor.counts[DOCTOR_BAD]));
    else
        print(&doctor);
    json_decref(doctor.findings);
    if (error < 0)
        return error;
    return doctor.counts[DOCTOR_BAD] > 0 ? EXIT_STATUS_FAILED : EXIT_STATUS_DONE;
}
