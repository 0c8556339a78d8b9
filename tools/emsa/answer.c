#include "tools/emsa/answer.h"

#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/service/failure.h"

#define VALUES_MAX (512u * 1024u * 1024u)

void answer_release(struct answer *answer)
{
    json_decref(answer->reply);
    if (answer->mount_fd >= 0)
        close(answer->mount_fd);
    secret_release(&answer->secret);
    bytes_release(&answer->plain);
    *answer = ANSWER_INIT;
}

int answer_room(struct answer *answer, unsigned char **room, size_t *size)
{
    size_t total = 0, index;
    bool secret = false;
    json_t *entry;
    json_array_foreach(json_object_get(answer->reply, "entries"), index, entry)
    {
        json_int_t bytes = json_integer_value(json_object_get(entry, "size"));
        const char *kind = json_string_value(json_object_get(entry, "kind"));
        if (bytes < 0 || bytes > (json_int_t)VALUES_MAX || (total += (size_t)bytes) > VALUES_MAX)
            return error_set(ERR_IO, "the server's answer is too large");
        secret = secret || kind == NULL || strcmp(kind, "plain") != 0;
    }
    *size = answer->value_size = total;
    *room = NULL;
    if (total == 0)
        return 0;
    if (secret) {
        int error = secret_alloc(&answer->secret, total);
        if (error < 0)
            return error;
        answer->secret.size = total;
        *room = answer->secret.data;
    } else {
        answer->plain = BYTES_INIT(VALUES_MAX);
        *room = bytes_reserve(&answer->plain, total);
        if (*room == NULL)
            return error_set(ERR_NOMEM, "no memory for %zu bytes of values", total);
    }
    answer->values = *room;
    return 0;
}

int answer_failure(const char *error, json_t *reply)
{
    enum error_code code = failure_code(error);
    const char *message = json_string_value(json_object_get(reply, "message"));
    size_t index;
    json_t *reason;
    if (code == 0)
        return error_set(
            ERR_IO, "the server does not know what it was asked (%s): it is of another version",
            error);
    error_set(code, "%s", message != NULL ? message : error_word((int)code));
    json_array_foreach(json_object_get(reply, "reasons"), index, reason)
    {
        if (json_is_string(reason))
            error_add(code, "%s", json_string_value(reason));
    }
    return -(int)code;
}
