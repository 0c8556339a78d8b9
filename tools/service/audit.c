#include "tools/service/audit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/error.h"
#include "tools/service/hex.h"
#include "tools/service/holdings.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"

#define MANY_PLACES "*" /* as the record says */

void audit_sink_init(struct audit_sink *sink, const char *store, struct audit_ring *ring)
{
    *sink = (struct audit_sink){.ring = ring, .store = store};
    (void)pthread_mutex_init(&sink->mutex, NULL);
}

void audit_sink_release(struct audit_sink *sink)
{
    audit_record_close(sink->record);
    (void)pthread_mutex_destroy(&sink->mutex);
}

/* With the mutex. */
static void append(struct audit_sink *sink, struct audit_event *event)
{
    const char *auditor = sink->auditor[0] != '\0' ? sink->auditor : NULL;
    struct timespec now;
    if (sink->has_failed)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    event->time = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    int error = 0;
    if (sink->record == NULL)
        error = audit_record_wait(&sink->record, sink->store, auditor);
    if (error == 0)
        error = audit_record_append(sink->record, event, NULL);
    sink->has_failed = error != 0;
    if (error < 0)
        (void)snprintf(sink->problem, sizeof sink->problem, "%s", error_text());
}

int audit_event_add(struct dispatcher *service, const struct caller *caller,
                    struct audit_event *event)
{
    struct audit_sink *sink = &service->audit;
    if (caller != NULL) {
        event->uid = caller->uid;
        event->gid = caller->gid;
        event->pid = caller->pid;
        if (caller->holdings != NULL)
            memcpy(event->identity, caller->holdings->identity, sizeof event->identity);
    }
    if (sink->ring != NULL)
        return audit_ring_put(sink->ring, event);
    char kept[ERROR_TEXT_MAX]; /* of a failure that this may be the event of */
    (void)snprintf(kept, sizeof kept, "%s", error_text());
    pthread_mutex_lock(&sink->mutex);
    append(sink, event);
    pthread_mutex_unlock(&sink->mutex);
    (void)error_set(ERR_IO, "%s", kept);
    return 0;
}

static void name_method(struct audit_event *event, const char *method)
{
    (void)snprintf(event->method, sizeof event->method, "%.*s", AUDIT_METHOD_MAX, method);
}

void audit_denied(struct dispatcher *service, const struct caller *caller, const char *method,
                  const char *path)
{
    struct audit_event event = {.kind = AUDIT_DENIED, .door = AUDIT_DOOR_CALL};
    name_method(&event, method);
    (void)snprintf(event.text, sizeof event.text, "%s", path[0] != '\0' ? path : "/");
    (void)audit_event_add(service, caller, &event);
}

void audit_denied_rest(struct dispatcher *service, const struct caller *caller, const char *method,
                       uint64_t count)
{
    struct audit_event event = {.kind = AUDIT_DENIED, .door = AUDIT_DOOR_CALL, .count = count};
    name_method(&event, method);
    (void)snprintf(event.text, sizeof event.text, "%s", MANY_PLACES);
    (void)audit_event_add(service, caller, &event);
}

/* Doors of verbs that give no values, but something of them. */
static const struct {
    int (*handler)(struct request *);
    enum audit_door door;
} own_doors[] = {
    {verb_diff, AUDIT_DOOR_DIFF},
    {verb_check, AUDIT_DOOR_CHECK},
    {verb_schema_infer, AUDIT_DOOR_INFER},
    {verb_set, AUDIT_DOOR_CHANGE},
    {verb_rollback, AUDIT_DOOR_CHANGE},
    {verb_promote, AUDIT_DOOR_CHANGE},
    {verb_copy, AUDIT_DOOR_CHANGE},
    {verb_move, AUDIT_DOOR_CHANGE},
    {verb_environment_copy, AUDIT_DOOR_CHANGE},
};

static int say_door(const char *word, enum audit_door *out)
{
    static const enum audit_door said[] = {AUDIT_DOOR_GET, AUDIT_DOOR_EXPORT, AUDIT_DOOR_EXEC,
                                           AUDIT_DOOR_EDIT};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        *out = said[i];
        if (strcmp(word, audit_door_word(said[i])) == 0)
            return 0;
    }
    return error_set(ERR_INVALID, "'%s' is no door: use get, export, exec or edit", word);
}

int audit_choose_door(struct request *request)
{
    const char *word = NULL;
    request->door = AUDIT_DOOR_CALL;
    for (size_t i = 0; i < sizeof own_doors / sizeof own_doors[0]; i++)
        if (request->verb->handler == own_doors[i].handler)
            request->door = own_doors[i].door;
    if (request->call->door != AUDIT_DOOR_NONE) /* the process itself knows better */
        request->door = request->call->door;
    if (request->door != AUDIT_DOOR_CALL)
        return 0;
    int error = parameter_text(request->call->parameters, "door", &word);
    return error < 0 || word == NULL ? error : say_door(word, &request->door);
}

static int give(struct request *request, struct audit_event *event)
{
    event->kind = AUDIT_READ;
    event->door = (uint8_t)request->door;
    name_method(event, request->verb->name);
    if (audit_event_add(request->service, &request->call->caller, event) == 0)
        return 0;
    return error_set(ERR_REFUSED, "nothing secret is given while it cannot be audited (emsad "
                                  "--audit required): see the daemon's log");
}

/* By ids, as readers of files are written down: whoever shows the record finds the names. */
int audit_given(struct request *request, const struct entry *entry)
{
    struct audit_event event = {.environment = entry->environment,
                                .service = entry->service,
                                .name_id = entry->name_id,
                                .rev = entry->rev};
    return give(request, &event);
}

int audit_given_at(struct request *request, const struct path *path, uint64_t rev, uint64_t count)
{
    struct audit_event event = {.rev = rev, .count = count};
    path_text(path, event.text);
    return give(request, &event);
}

int audit_given_rest(struct request *request, uint64_t count)
{
    struct audit_event event = {.count = count};
    (void)snprintf(event.text, sizeof event.text, "%s", MANY_PLACES);
    return give(request, &event);
}

void audit_committed(struct dispatcher *service, const struct caller *caller, const char *method,
                     uint64_t rev, bool has_rights)
{
    struct audit_event event = {.kind = has_rights ? AUDIT_RIGHTS : AUDIT_COMMIT,
                                .door = caller != NULL ? AUDIT_DOOR_CALL : AUDIT_DOOR_NONE,
                                .rev = rev};
    struct store_status status;
    name_method(&event, method);
    if (store_status(service->store, &status) == 0) { /* another commit may have followed */
        event.rev = status.revision;
        hex_text(event.text, status.head, HASH_SIZE);
    }
    (void)audit_event_add(service, caller, &event);
}
