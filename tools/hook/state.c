#include "tools/hook/state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/bytes.h"
#include "store/error.h"
#include "tools/common/descriptor.h"

#define STATE_MAX (1024u * 1024u)
#define CONFIG_MAX (16u * 1024u * 1024u)
#define READ_MILLISECONDS 10000

static int read_whole(struct bytes *out, int fd, const char *what)
{
    int64_t deadline = deadline_in(READ_MILLISECONDS);
    char buffer[16384];
    for (;;) {
        int late = descriptor_wait(fd, POLLIN, deadline);
        if (late != 0)
            return late < 0 ? late : error_set(ERR_IO, "%s does not end", what);
        ssize_t size = read(fd, buffer, sizeof buffer);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return error_system(errno, "cannot read %s", what);
        if (size == 0)
            return 0;
        bytes_append(out, buffer, (size_t)size);
        if (out->error < 0)
            return error_set(ERR_INVALID, "%s is too large", what);
    }
}

static int read_object(json_t **out, int fd, size_t maximum, const char *what)
{
    struct bytes text BYTES_CLEANUP = BYTES_INIT(maximum);
    json_error_t why;
    int error = read_whole(&text, fd, what);
    if (error < 0)
        return error;
    json_t *object = json_loadb((const char *)text.data, text.size, 0, &why);
    if (!json_is_object(object)) {
        json_decref(object);
        return error_set(ERR_INVALID, "%s is no JSON object", what);
    }
    *out = object;
    return 0;
}

static int check(struct state *state)
{
    const char *status = json_string_value(json_object_get(state->object, "status"));
    json_int_t pid = json_integer_value(json_object_get(state->object, "pid"));
    state->bundle = json_string_value(json_object_get(state->object, "bundle"));
    state->annotations = json_object_get(state->object, "annotations");
    if (status == NULL || state->bundle == NULL || state->bundle[0] != '/')
        return error_set(ERR_INVALID, "standard input has no state of a container");
    /* A hook of stages that run within the container is told 1, which is somebody else's here. */
    if ((strcmp(status, "creating") != 0 && strcmp(status, "created") != 0) || pid <= 1 ||
        pid > INT_MAX)
        return error_set(ERR_INVALID,
                         "the container is '%s' with process %lld: this is a hook of the stage "
                         "createRuntime",
                         status, (long long)pid);
    if (state->annotations != NULL && !json_is_object(state->annotations))
        return error_set(ERR_INVALID, "the container's annotations are no JSON object");
    state->pid = (pid_t)pid;
    return 0;
}

int state_read(struct state *out, int fd)
{
    *out = (struct state){0};
    int error = read_object(&out->object, fd, STATE_MAX, "the container's state");
    return error < 0 ? error : check(out);
}

void state_release(struct state *state)
{
    json_decref(state->object);
    *state = (struct state){0};
}

int state_root(const struct state *state, char out[static PATH_MAX])
{
    json_t *config = NULL;
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/config.json", state->bundle) >= (int)sizeof path)
        return error_set(ERR_INVALID, "the path of the bundle is too long");
    int fd DESCRIPTOR_CLEANUP = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_system(errno, "cannot read '%s'", path);
    int error = read_object(&config, fd, CONFIG_MAX, path);
    if (error < 0)
        return error;
    const char *root = json_string_value(json_object_get(json_object_get(config, "root"), "path"));
    int size = -1;
    if (root != NULL && root[0] == '/')
        size = snprintf(out, PATH_MAX, "%s", root);
    else if (root != NULL && root[0] != '\0')
        size = snprintf(out, PATH_MAX, "%s/%s", state->bundle, root);
    json_decref(config);
    return size < 0 || size >= PATH_MAX
               ? error_set(ERR_INVALID, "'%s' does not say where the root directory is", path)
               : 0;
}
