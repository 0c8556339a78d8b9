#include "tools/emsad/meter.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"

struct meter {
    struct dispatcher *dispatcher; /* borrowed */
    int socket;                    /* owned */
    pthread_t thread;
};

/* What does not go out at once is not wanted: who asks waits for it. */
static void answer(const struct meter *meter)
{
    static const char none = METER_NONE;
    struct call call = {.caller = {.uid = geteuid(), .gid = getegid(), .pid = getpid()},
                        .method = SERVICE_INTERFACE ".Metrics",
                        .parameters = json_object(),
                        .input = -1};
    const char *text = NULL;
    if (call.parameters != NULL && service_call(meter->dispatcher, &call) == 0 &&
        call.error == NULL)
        text = json_string_value(json_object_get(call.reply, "text"));
    if (text == NULL)
        text = &none;
    size_t size = text == &none ? 1 : strlen(text);
    if (send(meter->socket, text, size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EPIPE)
        log_warning("cannot tell metrics: %s", strerror(errno));
    json_decref(call.parameters);
    call_release(&call);
}

static void *run(void *arg)
{
    const struct meter *meter = arg;
    char asked;
    for (;;) {
        ssize_t size = recv(meter->socket, &asked, sizeof asked, 0);
        if (size > 0)
            answer(meter);
        else if (size == 0 || errno != EINTR)
            return NULL;
    }
}

int meter_start(struct meter **meter, struct dispatcher *dispatcher, int socket)
{
    meter_free(*meter);
    *meter = NULL;
    struct meter *made = malloc(sizeof *made);
    if (made != NULL) {
        *made = (struct meter){.dispatcher = dispatcher, .socket = socket};
        if (pthread_create(&made->thread, NULL, run, made) == 0) {
            *meter = made;
            return 0;
        }
    }
    free(made);
    descriptor_close(&socket);
    return error_set(ERR_NOMEM, "cannot start a thread for metrics");
}

void meter_free(struct meter *meter)
{
    if (meter == NULL)
        return;
    (void)shutdown(meter->socket, SHUT_RDWR);
    pthread_join(meter->thread, NULL);
    descriptor_close(&meter->socket);
    free(meter);
}
