#include "tools/emsad/annex.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/metrics_listener.h"
#include "tools/emsad/volume_listener.h"
#include "tools/volume/courier.h"

#define SEND_MILLISECONDS 1000 /* it has nothing to do but to take messages */
#define AGAIN_MILLISECONDS 1000
#define SOON_MILLISECONDS 20 /* for the process of a supervisor before to go */
#define SOON_TIMES 50u
#define PAIRS_MAX 4u
#define TURN_MESSAGES 64u /* the supervisor has others to hear */

const struct annex_kind annex_metrics = {.listen = metrics_listen,
                                         .hide = metrics_hide,
                                         .pairs = CHANNEL_METRICS,
                                         .type = SOCK_SEQPACKET,
                                         .count = 1};

const struct annex_kind annex_volume = {.listen = volume_listen,
                                        .hide = volume_hide,
                                        .pairs = CHANNEL_VOLUME,
                                        .type = SOCK_STREAM,
                                        .count = COURIER_LINKS};

_Static_assert(COURIER_LINKS <= PAIRS_MAX && PAIRS_MAX <= SETUP_DESCRIPTORS, "they fit a message");

static int send_to(const struct child *child, enum channel_kind kind, const int fds[], size_t count,
                   pid_t pid)
{
    struct channel_message message = {.kind = kind, .pid = (int32_t)pid};
    return channel_send(child->channel, &message, fds, count, SEND_MILLISECONDS);
}

static int start(struct annex *annex)
{
    int error = 0;
    if (annex->listener < 0)
        error = annex->kind->listen(&annex->listener, annex->place);
    if (error == 0)
        error = child_start(&annex->child, annex->self);
    if (error < 0)
        return error;
    child_ready(&annex->child);
    error = send_to(&annex->child, CHANNEL_LISTENER, &annex->listener, 1, 0);
    if (error < 0)
        child_kill(&annex->child);
    return error;
}

int annex_begin(struct annex *annex, const char *place, int self, bool is_first)
{
    annex->place = place;
    annex->self = self;
    if (place == NULL)
        return 0;
    if (!is_first) {
        annex->soon = SOON_TIMES;
        annex_start(annex);
        return 0;
    }
    return start(annex);
}

void annex_start(struct annex *annex)
{
    if (start(annex) == 0)
        return;
    bool is_soon = annex->soon > 0;
    if (is_soon)
        annex->soon--;
    else
        log_error("%s", error_text());
    if (annex->child.pid == 0)
        annex->child.restart_at = deadline_in(is_soon ? SOON_MILLISECONDS : AGAIN_MILLISECONDS);
}

static int make_pairs(const struct annex *annex, int ours[], int theirs[])
{
    for (unsigned i = 0; i < annex->kind->count; i++) {
        int pair[2];
        if (socketpair(AF_UNIX, annex->kind->type | SOCK_CLOEXEC, 0, pair) < 0)
            return error_system(errno, "cannot make a channel for the %s", annex->child.role);
        ours[i] = pair[0];
        theirs[i] = pair[1];
    }
    return 0;
}

int annex_pair(struct annex *annex, const struct child *server)
{
    int ours[PAIRS_MAX] = {-1, -1, -1, -1}, theirs[PAIRS_MAX] = {-1, -1, -1, -1};
    int error = 0;
    if (annex->child.pid == 0 || annex->child.channel < 0 || server->channel < 0)
        return 0;
    if (make_pairs(annex, ours, theirs) < 0) {
        log_error("%s", error_text());
    } else {
        if (send_to(&annex->child, annex->kind->pairs, ours, annex->kind->count, 0) < 0)
            child_kill(&annex->child); /* the next one is paired anew */
        error = send_to(server, annex->kind->pairs, theirs, annex->kind->count, annex->child.pid);
    }
    for (unsigned i = 0; i < PAIRS_MAX; i++) {
        descriptor_close(&ours[i]);
        descriptor_close(&theirs[i]);
    }
    return error;
}

bool annex_listen(struct annex *annex)
{
    bool is_wanted = false;
    for (unsigned left = TURN_MESSAGES; left > 0 && annex->child.channel >= 0; left--) {
        struct channel_message message;
        struct channel_descriptors descriptors;
        int outcome = channel_receive(annex->child.channel, &message, &descriptors);
        if (outcome == 0)
            channel_descriptors_release(&descriptors); /* it sends none */
        if (outcome == 0 && message.kind == annex->kind->pairs) {
            is_wanted = true;
            continue;
        }
        if (outcome != 2) {
            descriptor_close(&annex->child.channel);
            child_kill(&annex->child);
        }
        break;
    }
    return is_wanted;
}

bool annex_reaped(struct annex *annex, pid_t pid, int wait_status)
{
    if (annex->child.pid == 0 || pid != annex->child.pid)
        return false;
    child_ended(&annex->child, wait_status);
    return true;
}

void annex_end(struct annex *annex)
{
    if (annex->listener >= 0)
        annex->kind->hide(annex->place);
    descriptor_close(&annex->listener);
    annex->child.is_leaving = true;
    annex->child.restart_at = -1;
    descriptor_close(&annex->child.channel);
}
