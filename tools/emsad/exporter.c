#include "tools/emsad/exporter.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/metrics_listener.h"

#define SEND_MILLISECONDS 1000 /* it has nothing to do but to take messages */
#define AGAIN_MILLISECONDS 1000

static int send_to(const struct child *child, enum channel_kind kind, int fd, pid_t pid)
{
    struct channel_message message = {.kind = kind, .pid = (int32_t)pid};
    return channel_send(child->channel, &message, &fd, 1, SEND_MILLISECONDS);
}

static int start(struct exporter *exporter)
{
    int error = 0;
    if (exporter->listener < 0)
        error = metrics_listen(&exporter->listener, exporter->place);
    if (error == 0)
        error = child_start(&exporter->child, exporter->self);
    if (error < 0)
        return error;
    child_ready(&exporter->child);
    error = send_to(&exporter->child, CHANNEL_LISTENER, exporter->listener, 0);
    if (error < 0)
        child_kill(&exporter->child);
    return error;
}

int exporter_begin(struct exporter *exporter, const char *place, int self, bool is_first)
{
    exporter->place = place;
    exporter->self = self;
    if (place == NULL)
        return 0;
    if (!is_first) {
        exporter_start(exporter);
        return 0;
    }
    return start(exporter);
}

void exporter_start(struct exporter *exporter)
{
    if (start(exporter) == 0)
        return;
    log_error("%s", error_text());
    if (exporter->child.pid == 0)
        exporter->child.restart_at = deadline_in(AGAIN_MILLISECONDS);
}

int exporter_pair(struct exporter *exporter, const struct child *server)
{
    if (exporter->child.pid == 0 || exporter->child.channel < 0 || server->channel < 0)
        return 0;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        log_error("cannot make a channel for metrics: %s", strerror(errno));
        return 0;
    }
    if (send_to(&exporter->child, CHANNEL_METRICS, pair[0], 0) < 0)
        child_kill(&exporter->child); /* the next one is paired anew */
    int error = send_to(server, CHANNEL_METRICS, pair[1], exporter->child.pid);
    descriptor_close(&pair[0]);
    descriptor_close(&pair[1]);
    return error;
}

bool exporter_reaped(struct exporter *exporter, pid_t pid, int wait_status)
{
    if (exporter->child.pid == 0 || pid != exporter->child.pid)
        return false;
    child_ended(&exporter->child, wait_status);
    return true;
}

void exporter_end(struct exporter *exporter)
{
    if (exporter->listener >= 0)
        metrics_hide(exporter->place);
    descriptor_close(&exporter->listener);
    exporter->child.is_leaving = true;
    exporter->child.restart_at = -1;
    descriptor_close(&exporter->child.channel);
}
