/*
 * One request of docker or podman, read: what of the server it takes, or what can be answered at
 * once. Knows nothing of sockets: bytes come in, a call goes out.
 */
#ifndef EMSA_TOOLS_VOLUME_REQUEST_H
#define EMSA_TOOLS_VOLUME_REQUEST_H

#include <jansson.h>
#include <stddef.h>

/* The largest body. Docker and podman send a few hundred bytes. */
#define REQUEST_BODY_MAX 65536u

enum request_kind {
    REQUEST_ACTIVATE, /* these two take nothing of the server */
    REQUEST_CAPABILITIES,
    REQUEST_CREATE,
    REQUEST_GET,
    REQUEST_LIST,
    REQUEST_REMOVE,
    REQUEST_MOUNT,
    REQUEST_UNMOUNT,
    REQUEST_PATH
};

struct request {
    enum request_kind kind;
    const char *method; /* of the call: "io.emsa.VolumeGet"; NULL: it takes none */
    json_t *parameters; /* of the call; owned; NULL: it takes none */
};

/*
 * Reads "/VolumeDriver.Get" and its body, of at most REQUEST_BODY_MAX bytes. ERR_INVALID, with what
 * is wrong: no such request, a body that is no JSON object (an empty one is {}), a volume's name
 * that is none, options as options_read; ERR_NOMEM. request_release afterwards; nothing is left on
 * failure.
 */
int request_read(struct request *out, const char *path, const void *body, size_t size);
void request_release(struct request *request);

#endif
