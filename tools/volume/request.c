#include "tools/volume/request.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "store/error.h"
#include "tools/volume/options.h"

#define DRIVER "/VolumeDriver."
#define NAME_LENGTH_MAX 128u
#define ID_LENGTH_MAX 256u /* docker's and podman's have 64 */

/* What a request says beside the name. */
enum says { SAYS_NOTHING, SAYS_NAME, SAYS_ID, SAYS_OPTIONS };

static const struct {
    const char *path, *method;
    enum request_kind kind;
    enum says says;
} table[] = {
    {"/Plugin.Activate", NULL, REQUEST_ACTIVATE, SAYS_NOTHING},
    {DRIVER "Capabilities", NULL, REQUEST_CAPABILITIES, SAYS_NOTHING},
    {DRIVER "Create", "io.emsa.VolumeCreate", REQUEST_CREATE, SAYS_OPTIONS},
    {DRIVER "Get", "io.emsa.VolumeGet", REQUEST_GET, SAYS_NAME},
    {DRIVER "List", "io.emsa.VolumeList", REQUEST_LIST, SAYS_NOTHING},
    {DRIVER "Remove", "io.emsa.VolumeRemove", REQUEST_REMOVE, SAYS_NAME},
    {DRIVER "Mount", "io.emsa.VolumeMount", REQUEST_MOUNT, SAYS_ID},
    {DRIVER "Unmount", "io.emsa.VolumeUnmount", REQUEST_UNMOUNT, SAYS_ID},
    {DRIVER "Path", "io.emsa.VolumePath", REQUEST_PATH, SAYS_NAME},
};
#define ROWS (sizeof table / sizeof table[0])

static int parse_body(json_t **out, const void *body, size_t size)
{
    if (size > REQUEST_BODY_MAX)
        return error_set(ERR_INVALID, "a request has at most %u bytes", REQUEST_BODY_MAX);
    json_error_t why;
    json_t *read = size == 0 ? json_object() : json_loadb(body, size, JSON_REJECT_DUPLICATES, &why);
    if (read == NULL)
        return size == 0 ? error_set(ERR_NOMEM, "cannot take a request: out of memory")
                         : error_set(ERR_INVALID, "the body is no JSON: %s", why.text);
    if (!json_is_object(read)) {
        json_decref(read);
        return error_set(ERR_INVALID, "the body is no JSON object");
    }
    *out = read;
    return 0;
}

/* As docker has them; they are names of directories, too. */
static bool is_name(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > NAME_LENGTH_MAX || !isalnum((unsigned char)text[0]))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("_.-", text[i]) == NULL)
            return false;
    return true;
}

static int take_name(json_t *parameters, const json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "Name"));
    if (name == NULL)
        return error_set(ERR_INVALID, "'Name' is missing: which volume?");
    if (!is_name(name))
        return error_set(ERR_INVALID,
                         "'%.128s' is no name of a volume: it has 1 to %u letters, digits and "
                         "'_.-', and begins with a letter or digit",
                         name, NAME_LENGTH_MAX);
    return json_object_set_new(parameters, "name", json_string(name));
}

/* Whose mount it is. It is told apart and nothing more; a runtime that names nobody is one itself.
 */
static int take_id(json_t *parameters, const json_t *body)
{
    const json_t *id = json_object_get(body, "ID");
    if (id == NULL || json_is_null(id))
        return json_object_set_new(parameters, "id", json_string(""));
    if (!json_is_string(id) || json_string_length(id) > ID_LENGTH_MAX)
        return error_set(ERR_INVALID, "'ID' is no text of at most %u bytes", ID_LENGTH_MAX);
    return json_object_set_new(parameters, "id", json_string(json_string_value(id)));
}

static int take_options(json_t *parameters, const json_t *body)
{
    json_t *options;
    int error = options_read(&options, json_object_get(body, "Opts"));
    return error == 0 ? json_object_set_new(parameters, "options", options) : error;
}

static int take_parameters(json_t **out, enum says says, const json_t *body)
{
    json_t *parameters = json_object();
    int error = parameters == NULL ? -1 : 0;
    if (error == 0 && says != SAYS_NOTHING)
        error = take_name(parameters, body);
    if (error == 0 && says == SAYS_ID)
        error = take_id(parameters, body);
    if (error == 0 && says == SAYS_OPTIONS)
        error = take_options(parameters, body);
    if (error == 0)
        *out = parameters;
    else
        json_decref(parameters);
    return error;
}

static int read_row(struct request *out, size_t row, const void *body, size_t size)
{
    struct request request = {.kind = table[row].kind, .method = table[row].method};
    json_t *said;
    if (request.method == NULL) { /* whatever it says */
        *out = request;
        return 0;
    }
    int error = parse_body(&said, body, size);
    if (error < 0)
        return error;
    error_clear();
    error = take_parameters(&request.parameters, table[row].says, said);
    json_decref(said);
    if (error == 0)
        *out = request;
    else if (error_text()[0] == '\0') /* jansson's -1 */
        error = error_set(ERR_NOMEM, "cannot take a request: out of memory");
    return error;
}

int request_read(struct request *out, const char *path, const void *body, size_t size)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(table[i].path, path) == 0)
            return read_row(out, i, body, size);
    return error_set(ERR_INVALID, "'%.64s' is no request of a volume plugin", path);
}

void request_release(struct request *request)
{
    json_decref(request->parameters);
    *request = (struct request){0};
}
