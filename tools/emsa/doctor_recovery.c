/* What is left when the identity is lost: one that opens everything, kept elsewhere and tested. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "store/error.h"
#include "store/identity_share.h"
#include "store/name.h"
#include "tools/emsa/doctor.h"
#include "tools/emsa/identity.h"
#include "tools/emsa/output.h"

#define DAY (24ll * 60 * 60 * 1000000000)
#define TESTED_DAYS 180

/* What may not lie on this machine: who takes its disk has it, too. */
static void say_left(struct doctor *doctor)
{
    char path[PATH_MAX], share[PATH_MAX + 8];
    struct stat status;
    if (place_recovery(path, doctor->place) < 0) {
        error_clear();
        return;
    }
    bool is_there = lstat(path, &status) == 0;
    snprintf(share, sizeof share, "%s", path);
    for (unsigned i = 1; i <= IDENTITY_SHARES_MAX && !is_there; i++) {
        snprintf(share, sizeof share, "%s.%u", path, i);
        is_there = lstat(share, &status) == 0;
    }
    if (is_there)
        doctor_say(doctor, DOCTOR_WARN, "recovery file",
                   "take it to another place: what takes this disk takes it, too",
                   "'%s' lies on this machine", share);
}

struct kept { /* identities that read everything, but the store's own */
    unsigned count;
    int64_t tested; /* when one of them was last; 0: never */
    char name[PRINCIPAL_NAME_MAX + 1];
};

/* Who the server is, as far as its identity's file tells this user. */
static void own_name(char out[static IDENTITY_NAME_MAX], const struct doctor *doctor)
{
    struct identity_file *file;
    snprintf(out, IDENTITY_NAME_MAX, "%s", IDENTITY_NAME_USUAL);
    if (identity_file_load(&file, doctor->place->identity) < 0) {
        error_clear();
        return;
    }
    snprintf(out, IDENTITY_NAME_MAX, "%s", identity_file_name(file));
    identity_file_free(file);
}

static int64_t time_of(json_t *tags, const char *name)
{
    char wanted[IDENTITY_TESTED_MAX];
    size_t index;
    json_t *tag;
    identity_tested_tag(wanted, name);
    json_array_foreach(tags, index, tag)
    {
        if (strcmp(output_member(tag, "name"), wanted) == 0)
            return json_integer_value(json_object_get(tag, "time"));
    }
    return 0;
}

static bool reads(json_t *rights)
{
    size_t index;
    json_t *right;
    json_array_foreach(rights, index, right)
    {
        if (strcmp(json_string_value(right), "read") == 0)
            return true;
    }
    return false;
}

static void find_kept(struct kept *kept, const char *own, json_t *grants, json_t *tags)
{
    size_t index;
    json_t *grant;
    json_array_foreach(grants, index, grant)
    {
        const char *who = output_member(grant, "who");
        if (output_member(grant, "path")[0] != '\0' || !principal_is_identity(who) ||
            !reads(json_object_get(grant, "rights")))
            continue;
        const char *name = who + strlen(PRINCIPAL_IDENTITY);
        const int64_t tested = time_of(tags, name);
        if (strcmp(name, own) == 0)
            continue;
        if (kept->count++ == 0 || tested > kept->tested) {
            snprintf(kept->name, sizeof kept->name, "%s", name);
            kept->tested = tested;
        }
    }
}

static void say_kept(struct doctor *doctor, const struct kept *kept)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    const int64_t age = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - kept->tested;
    if (kept->count == 0)
        doctor_say(
            doctor, DOCTOR_WARN, "recovery",
            "'emsa identity new NAME --out FILE', and 'emsa grant / --to id:NAME --key PUBLIC "
            "--read'",
            "no other identity opens everything: with this one every secret is lost");
    else if (kept->tested == 0)
        doctor_say(doctor, DOCTOR_WARN, "recovery",
                   "'emsa identity test FILE', with the file as it is kept",
                   "'id:%s' opens everything, and was never tested", kept->name);
    else if (age > TESTED_DAYS * DAY)
        doctor_say(doctor, DOCTOR_WARN, "recovery",
                   "'emsa identity test FILE', with the file as it is kept",
                   "'id:%s' was tested %lld days ago", kept->name, (long long)(age / DAY));
    else
        doctor_say(doctor, DOCTOR_OK, "recovery", "", "'id:%s' was tested %lld days ago",
                   kept->name, (long long)(age / DAY));
}

void doctor_recovery(struct doctor *doctor, struct session *session)
{
    struct answer grants ANSWER_CLEANUP = ANSWER_INIT, tags ANSWER_CLEANUP = ANSWER_INIT;
    struct kept kept = {.tested = 0};
    char own[IDENTITY_NAME_MAX];
    say_left(doctor);
    if (doctor->status == NULL) /* no store is opened */
        return;
    int error =
        session_ask(session, "io.emsa.Grants", json_pack("{s:s}", "path", ""), NULL, 0, &grants);
    if (error == 0)
        error = session_ask(session, "io.emsa.Tags", json_object(), NULL, 0, &tags);
    if (error == 0) {
        own_name(own, doctor);
        find_kept(&kept, own, json_object_get(grants.reply, "grants"),
                  json_object_get(tags.reply, "tags"));
        say_kept(doctor, &kept);
    } else if (error == -ERR_DENIED) {
        doctor_hidden(doctor, "recovery", "who opens everything");
    } else {
        doctor_say(doctor, DOCTOR_BAD, "recovery", "see the server's log", "%s", error_text());
    }
    error_clear();
}
