#include "tools/hook/ask.h"

#include <string.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/place.h"
#include "tools/common/varlink.h"

#define ASK_MILLISECONDS 10000

static int connect_to(struct varlink **out, const char *store)
{
    struct place_of_store place;
    int error = place_find(&place, store);
    if (error == 0)
        error = varlink_connect(out, place.socket);
    if (error == -ERR_NOT_FOUND)
        return error_set(ERR_BUSY, "no server answers at '%s': start emsad, and then the container",
                         place.socket);
    return error;
}

/* The exit statuses tell these apart; the words are the server's. */
static int failure_of(const char *name, json_t *reply)
{
    static const struct {
        const char *name;
        enum error_code code;
    } table[] = {{"io.emsa.NotFound", ERR_NOT_FOUND},
                 {"io.emsa.Refused", ERR_REFUSED},
                 {"io.emsa.Denied", ERR_DENIED},
                 {"io.emsa.Invalid", ERR_INVALID},
                 {"io.emsa.Busy", ERR_BUSY}};
    const char *message = json_string_value(json_object_get(reply, "message"));
    enum error_code code = ERR_IO;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0)
            code = table[i].code;
    return error_set(code, "%s", message != NULL ? message : name);
}

static int take_mount(int *mount_fd, struct varlink_message *message)
{
    json_t *reply = json_object_get(message->object, "parameters");
    const char *name = json_string_value(json_object_get(message->object, "error"));
    if (name != NULL)
        return failure_of(name, reply);
    int error = varlink_take(message, mount_fd, reply, "mount");
    return error == 1 ? error_set(ERR_IO, "the server gave no mount") : error;
}

static int call(int *mount_fd, const char *store, json_t *parameters)
{
    struct varlink *link = NULL;
    struct varlink_message message = {0};
    json_t *object = json_pack("{s:s, s:O}", "method", "io.emsa.Mount", "parameters", parameters);
    int error = object == NULL ? error_set(ERR_NOMEM, "out of memory") : connect_to(&link, store);
    if (error == 0)
        error = varlink_send(link, object, NULL, 0, ASK_MILLISECONDS);
    if (error == 0)
        error = varlink_receive(link, &message, ASK_MILLISECONDS);
    if (error == 1)
        error = error_set(ERR_IO, "the server ended before it answered: start the container again");
    if (error == 0)
        error = take_mount(mount_fd, &message);
    varlink_message_release(&message);
    varlink_free(link);
    json_decref(object);
    return error;
}

static int ask_for(int *mount_fd, const char *store, const struct wanted *wanted, uid_t uid,
                   gid_t gid, bool is_mapped)
{
    json_t *parameters = json_copy(wanted->parameters);
    if (parameters == NULL || json_object_set_new(parameters, "uid", json_integer(uid)) < 0 ||
        json_object_set_new(parameters, "gid", json_integer(gid)) < 0 ||
        json_object_set_new(parameters, "idmap", json_boolean(is_mapped)) < 0) {
        json_decref(parameters);
        return error_set(ERR_NOMEM, "out of memory");
    }
    int error = call(mount_fd, store, parameters);
    json_decref(parameters);
    return error;
}

int ask_mount(int *mount_fd, const char *store, const struct wanted *wanted,
              const struct process *process)
{
    int made DESCRIPTOR_CLEANUP = -1;
    uid_t uid = wanted->uid;
    gid_t gid = wanted->gid;
    int differs = process_has_users(process);
    if (differs < 0)
        return differs;
    int error = ask_for(&made, store, wanted, uid, gid, differs == 1);
    if (error == 0 && differs == 1)
        error = process_idmap(made, process);
    if (error == 1) { /* this kernel maps no owners */
        descriptor_close(&made);
        error = process_owner(process, &uid, &gid);
        if (error == 0)
            error = ask_for(&made, store, wanted, uid, gid, false);
    }
    if (error < 0)
        return error;
    *mount_fd = made;
    made = -1;
    return 0;
}
