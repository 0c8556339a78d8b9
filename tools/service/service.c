#include "tools/service/service.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/service/failure.h"
#include "tools/service/holdings.h"
#include "tools/service/operation.h"
#include "tools/service/parameter.h"
#include "tools/service/proof.h"
#include "tools/service/veil.h"
#include "tools/service/verb.h"

#define VARLINK_INTERFACE "org.varlink.service"

int service_new(struct dispatcher **out, struct store *store, const struct service_host *host)
{
    struct dispatcher *service = calloc(1, sizeof *service);
    if (service == NULL)
        return error_set(ERR_NOMEM, "no memory for the dispatcher");
    service->store = store;
    audit_sink_init(&service->audit, store_path(store), host != NULL ? host->audit : NULL);
    guard_init(&service->guard);
    volumes_init(&service->volumes, store_path(store));
    if (host != NULL)
        service->host = *host;
    *out = service;
    return 0;
}

void service_free(struct dispatcher *service)
{
    if (service != NULL) {
        audit_sink_release(&service->audit);
        guard_release(&service->guard);
        volumes_release(&service->volumes);
    }
    free(service);
}

int request_snapshot(struct request *request, struct snapshot **out)
{
    if (request->snapshot == NULL) {
        struct snapshot *snapshot;
        int error = snapshot_new(&snapshot, request->service->store);
        if (error < 0)
            return error;
        error = snapshot_begin(snapshot);
        if (error < 0) {
            snapshot_free(snapshot);
            return error;
        }
        request->snapshot = snapshot;
    }
    *out = request->snapshot;
    return 0;
}

static void request_end(struct request *request)
{
    if (request->snapshot == NULL)
        return;
    snapshot_end(request->snapshot);
    snapshot_free(request->snapshot);
    request->snapshot = NULL;
}

static void drop_results(struct call *call)
{
    json_decref(call->reply);
    call->reply = NULL;
    json_decref(call->again);
    call->again = NULL;
    for (size_t i = 0; i < call->part_count; i++) {
        bytes_release(&call->parts[i].plain);
        secret_release(&call->parts[i].secret);
    }
    free(call->parts);
    call->parts = NULL;
    call->part_count = 0;
    if (call->output_fd >= 0)
        close(call->output_fd);
    call->output_fd = -1;
}

void call_release(struct call *call)
{
    drop_results(call);
    call->error = NULL;
}

static int failed(struct call *call, int error)
{
    drop_results(call);
    call->reply = failure_reply(error);
    call->error = failure_name(error);
    return call->reply != NULL ? 0 : -ERR_NOMEM;
}

static int told_of(struct call *call, const char *error, const char *name, const char *value)
{
    call->error = error;
    call->reply = json_pack("{s:s}", name, value);
    return call->reply != NULL ? 0 : -ERR_NOMEM;
}

/* The interface that every varlink service has. */
static int introduce(struct call *call, const char *method)
{
    if (strcmp(method, "GetInfo") == 0) {
        call->reply = json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "emsa", "product",
                                "emsa", "version", EMSA_VERSION, "url", "", "interfaces",
                                VARLINK_INTERFACE, SERVICE_INTERFACE);
        return call->reply != NULL ? 0 : -ERR_NOMEM;
    }
    if (strcmp(method, "GetInterfaceDescription") != 0)
        return told_of(call, "org.varlink.service.MethodNotFound", "method", call->method);
    const char *name = NULL;
    if (parameter_text(call->parameters, "interface", &name) < 0 || name == NULL)
        return told_of(call, "org.varlink.service.InvalidParameter", "parameter", "interface");
    if (strcmp(name, SERVICE_INTERFACE) != 0)
        return told_of(call, "org.varlink.service.InterfaceNotFound", "interface", name);
    return told_of(call, NULL, "description", service_description());
}

static int judge_one(struct request *request, const struct verb *verb, json_t *text)
{
    struct path path = {0};
    int error = text == NULL ? 0 : path_of(text, &path);
    if (error < 0)
        return error;
    return rights_judge(request->service, &request->call->caller, verb->right, verb->name, &path);
}

/* Every path that the call names, before any of it is done; where it names none, the whole store.
 */
static int judge(struct request *request, const struct verb *verb)
{
    if (verb->right == RIGHT_OF_EACH)
        return operations_judge(request);
    json_t *named =
        verb->judged == NULL ? NULL : json_object_get(request->call->parameters, verb->judged);
    if (json_is_null(named) || (json_is_array(named) && json_array_size(named) == 0))
        named = NULL;
    if (!json_is_array(named))
        return judge_one(request, verb, named);
    size_t index;
    json_t *item;
    json_array_foreach(named, index, item)
    {
        json_t *text = json_is_object(item) ? json_object_get(item, "path") : item;
        int error = judge_one(request, verb, text);
        if (error < 0)
            return error;
    }
    return 0;
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < verb_count; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* Whether it gave or took rights, as its operations say. */
static bool changes_rights(json_t *parameters)
{
    size_t index;
    json_t *operation;
    json_array_foreach(json_object_get(parameters, "operations"), index, operation)
    {
        const char *kind = json_string_value(json_object_get(operation, "kind"));
        if (kind != NULL && (strcmp(kind, "grant") == 0 || strcmp(kind, "revoke") == 0))
            return true;
    }
    return false;
}

static void note_commit(const struct request *request)
{
    const struct call *call = request->call;
    if (!json_is_true(json_object_get(call->reply, "committed")))
        return;
    uint64_t rev = (uint64_t)json_integer_value(json_object_get(call->reply, "rev"));
    audit_committed(request->service, &call->caller, request->verb->name, rev,
                    changes_rights(call->parameters));
}

void service_auditor(struct dispatcher *service, const char *identity)
{
    (void)snprintf(service->audit.auditor, sizeof service->audit.auditor, "%s", identity);
}

const char *service_unaudited(const struct dispatcher *service)
{
    return service->audit.problem[0] != '\0' ? service->audit.problem : NULL;
}

bool service_knows(struct dispatcher *service, const struct caller *caller)
{
    struct caller known = *caller;
    bool holds = rights_begin(service, &known) == 0 &&
                 rights_hold(service, &known, RIGHT_SOME, &(struct path){0});
    rights_end(&known);
    return holds;
}

bool service_owned_by(struct dispatcher *service, const struct caller *caller)
{
    return holdings_own(service->store, caller);
}

bool service_is_lost(const struct dispatcher *service)
{
    return store_broken(service->store) == -ERR_IO;
}

int service_call(struct dispatcher *service, struct call *call)
{
    const char *dot = strrchr(call->method, '.');
    size_t interface = dot == NULL ? 0 : (size_t)(dot - call->method);
    call->reply = NULL;
    call->error = NULL;
    call->output_fd = -1;
    call->parts = NULL;
    call->part_count = 0;
    call->again = NULL;
    call->awaited = 0;
    call->is_idle = false;
    if (interface == strlen(VARLINK_INTERFACE) &&
        strncmp(call->method, VARLINK_INTERFACE, interface) == 0)
        return introduce(call, dot + 1);
    if (interface != strlen(SERVICE_INTERFACE) ||
        strncmp(call->method, SERVICE_INTERFACE, interface) != 0)
        return told_of(call, "org.varlink.service.InterfaceNotFound", "interface", call->method);
    const struct verb *verb = find_verb(dot + 1);
    if (verb == NULL)
        return told_of(call, "org.varlink.service.MethodNotFound", "method", call->method);
    struct request request = {.service = service, .call = call, .verb = verb};
    error_clear();
    call->caller.is_as_user = !proof_counts(call->caller.proof, verb->name, call->parameters);
    int error = rights_begin(service, &call->caller);
    if (error == 0)
        error = judge(&request, verb);
    if (error == 0)
        error = audit_choose_door(&request);
    const bool is_admitted = error == 0;
    if (error == 0)
        error = verb->handler(&request);
    request_end(&request);
    if (error == 0 && call->reply == NULL)
        error = error_set(ERR_NOMEM, "no memory for the reply");
    int result = error < 0 ? failed(call, error) : 0;
    if (error == 0)
        note_commit(&request);
    if (is_admitted && result == 0)
        result = veil_reply(&request);
    rights_end(&call->caller);
    return result;
}
