/* The store and the process that serves it. */
#include <unistd.h>

#include "store/error.h"
#include "store/identity_file.h"
#include "store/pin.h"
#include "store/verify.h"
#include "tools/service/hex.h"
#include "tools/service/metrics.h"
#include "tools/service/parameter.h"
#include "tools/service/stream.h"
#include "tools/service/verb.h"

#define VERIFY_LINES_MAX 1000u

static int status_object(struct request *request, json_t **out)
{
    struct store *store = request->service->store;
    const struct service_host *host = &request->service->host;
    struct store_status status;
    char head[2 * HASH_SIZE + 1];
    char id[2 * STORE_ID_SIZE + 1];
    int error = store_status(store, &status);
    if (error < 0)
        return error;
    hex_text(head, status.head, HASH_SIZE);
    hex_text(id, store_id(store), STORE_ID_SIZE);
    json_t *reply = json_pack(
        "{s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:I}", "version",
        EMSA_VERSION, "store", store_path(store), "id", id, "rev", (json_int_t)status.revision,
        "head", head, "environments", (json_int_t)status.environments, "services",
        (json_int_t)status.services, "entries", (json_int_t)status.entries, "expiring",
        (json_int_t)status.expiring, "file_bytes", (json_int_t)status.file_bytes, "used_bytes",
        (json_int_t)status.used_bytes, "alarms", (json_int_t)status.alarms, "unlocked",
        (int)store_unlocked(store), "pid", (json_int_t)getpid());
    if (reply == NULL)
        return error_set(ERR_NOMEM, "no memory for the status");
    if (status.next_expiry != 0)
        json_object_set_new(reply, "next_expiry", json_integer((json_int_t)status.next_expiry));
    error = host->status != NULL ? host->status(host->arg, reply) : 0;
    if (error < 0)
        json_decref(reply);
    else
        *out = reply;
    return error;
}

int verb_status(struct request *request)
{
    return status_object(request, &request->call->reply);
}

int verb_store_id(struct request *request)
{
    char id[2 * STORE_ID_SIZE + 1];
    hex_text(id, store_id(request->service->store), STORE_ID_SIZE);
    request->call->reply = json_pack("{s:s}", "id", id);
    return 0;
}

int verb_metrics(struct request *request)
{
    struct bytes text BYTES_CLEANUP = BYTES_INIT(METRICS_BYTES_MAX);
    json_t *status;
    int error = status_object(request, &status);
    if (error < 0)
        return error;
    error = metrics_write(&text, status);
    json_decref(status);
    if (error == 0)
        request->call->reply = json_pack("{s:s%}", "text", (const char *)text.data, text.size);
    return error;
}

static void note_fault(void *arg, const char *text)
{
    json_t *lines = arg;
    if (json_array_size(lines) < VERIFY_LINES_MAX)
        json_array_append_new(lines, json_string(text));
}

/* The head was proved to be where the chain leads: so it is pinned, durably. What the pin spoke
 * against is for who opened the store so to accept. */
static int add_head(struct request *request, json_t *reply, bool is_whole)
{
    struct store *store = request->service->store;
    struct pin_report pin;
    char head[2 * HASH_SIZE + 1];
    int error = store_pinned(store, &pin);
    const bool is_pinned = error == 0 && pin.is_pinned && pin.verdict == 0 && is_whole;
    if (error == 0 && is_pinned)
        error = store_pin_head(store);
    if (error < 0)
        return error;
    hex_text(head, pin.head.hash, HASH_SIZE);
    json_object_set_new(reply, "rev", json_integer((json_int_t)pin.head.rev));
    json_object_set_new(reply, "head", json_string(head));
    json_object_set_new(reply, "pinned", json_boolean(is_pinned));
    return 0;
}

/* Faults are this verb's finding, not its failure: the reply lists them. */
int verb_verify(struct request *request)
{
    struct verify_report report = {0};
    json_t *lines = json_array();
    struct verify_options options = {.fault = note_fault, .arg = lines};
    int error = verify_store(request->service->store, &options, &report);
    if (error < 0 && (error != -ERR_CORRUPT || report.faults == 0)) {
        json_decref(lines);
        return error;
    }
    request->call->reply = json_pack(
        "{s:{s:I, s:I, s:I, s:I}, s:I, s:o}", "checked", "commits", (json_int_t)report.commits,
        "operations", (json_int_t)report.operations, "values", (json_int_t)report.values, "derived",
        (json_int_t)report.derived, "faults", (json_int_t)report.faults, "lines", lines);
    if (request->call->reply == NULL)
        return error_set(ERR_NOMEM, "no memory for what was found");
    error = add_head(request, request->call->reply, report.faults == 0);
    /* A head that can't be read is a fault among those that are listed. */
    return error < 0 && report.faults == 0 ? error : 0;
}

static int read_passphrase(struct secret *out, const struct call *call)
{
    struct stream stream = {.fd = -1};
    uint64_t size = 0;
    int error = parameter_number(call->parameters, "size", &size, NULL);
    if (error == 0 && (size == 0 || size > IDENTITY_PASSPHRASE_MAX))
        error = error_set(ERR_INVALID, "a passphrase has 1 to %u bytes", IDENTITY_PASSPHRASE_MAX);
    if (error == 0)
        error = secret_alloc(out, (size_t)size);
    if (error == 0)
        error = stream_begin(&stream, call->input, call->input_deadline);
    if (error == 0)
        error = stream_take(&stream, out->data, (size_t)size);
    stream_end(&stream);
    if (error == 0)
        out->size = (size_t)size;
    return error;
}

/* Who opened it, and who tried with something else. */
static void note_unlock(struct request *request, int outcome, const char *identity)
{
    struct audit_event event = {.kind = AUDIT_UNLOCK,
                                .door = AUDIT_DOOR_CALL,
                                .rev = store_revision(request->service->store)};
    (void)snprintf(event.method, sizeof event.method, "%s", request->verb->name);
    (void)snprintf(event.text, sizeof event.text, "%s", identity);
    if (outcome == 0)
        (void)audit_event_add(request->service, &request->call->caller, &event);
    else if (outcome == -ERR_NO_KEY)
        audit_denied(request->service, &request->call->caller, request->verb->name, "/");
}

int verb_unlock_identity(struct request *request)
{
    char identity[IDENTITY_TEXT_MAX] = "";
    SECRET_CLEANUP struct secret passphrase = {0};
    const struct service_host *host = &request->service->host;
    if (host->unlock == NULL)
        return error_set(ERR_NOT_FOUND, "no server runs for this store: nothing is to be unlocked");
    int outcome = read_passphrase(&passphrase, request->call);
    if (outcome == 0) {
        outcome = host->unlock(host->arg, &passphrase, identity);
        note_unlock(request, outcome, identity);
    }
    if (outcome < 0)
        return outcome;
    request->call->reply = json_pack("{s:b}", "was_open", outcome);
    return 0;
}

int verb_upgrade(struct request *request)
{
    const struct service_host *host = &request->service->host;
    if (host->upgrade == NULL)
        return error_set(ERR_NOT_FOUND, "no server runs for this store: nothing is to be upgraded");
    request->call->reply = json_object();
    return host->upgrade(host->arg);
}

int verb_take_over(struct request *request)
{
    const struct service_host *host = &request->service->host;
    struct call *call = request->call;
    if (call->channel == NULL || *call->channel < 0)
        return error_set(ERR_INVALID, "no channel to take over by");
    if (host->take_over == NULL)
        return error_set(ERR_REFUSED, "no server runs for this store: start one with 'emsad'");
    int error = host->take_over(host->arg, &call->caller, *call->channel);
    if (error < 0)
        return error;
    *call->channel = -1;
    call->reply = json_object();
    return 0;
}

int verb_stop(struct request *request)
{
    const struct service_host *host = &request->service->host;
    if (host->stop == NULL)
        return error_set(ERR_NOT_FOUND, "no server runs for this store: there is nothing to stop");
    request->call->reply = json_object();
    return host->stop(host->arg);
}
