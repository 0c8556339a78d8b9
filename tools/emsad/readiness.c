#include "tools/emsad/readiness.h"

#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/common/ready.h"
#include "tools/emsad/record.h"
#include "tools/emsad/service_manager.h"

/* By a path that leads over no link: it was a real one when it was written down. */
static int attach_again(const struct view *view)
{
    int place DESCRIPTOR_CLEANUP = -1;
    int error = place_open_folder(&place, view->directory);
    return error == 0 ? mount_attach_again(view->mount.mount_fd, place, view->directory) : error;
}

/* The directories of --mount, once their readers are answered. */
static int attach_all(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->views.count; i++) {
        struct view *view = &supervisor->views.items[i];
        if (view->directory == NULL || view->mount.mount_fd < 0)
            continue;
        int error = view->is_again ? attach_again(view)
                                   : mount_attach(view->mount.mount_fd, view->directory);
        descriptor_close(&view->mount.mount_fd); /* without a mount, its superblock ends */
        if (error < 0 && view->is_ours && !view->is_again)
            return error;
        if (error < 0)
            log_warning("%s", error_text());
    }
    return 0;
}

int readiness_reach(struct supervisor *supervisor)
{
    int error = attach_all(supervisor);
    if (error < 0)
        return error;
    supervisor->phase = SERVING;
    record_write(&supervisor->holdings.place, &supervisor->views);
    supervisor->holdings.is_inherited = false;
    log_info("serving store '%s'", supervisor->holdings.place.store);
    ready_tell(&supervisor->ready_fd, 0, "");
    service_manager_tell("READY=1\nMAINPID=%d", (int)getpid());
    if (strchr(supervisor->holdings.place.store, '\n') == NULL) /* it would be two lines */
        service_manager_tell("STATUS=serving %s", supervisor->holdings.place.store);
    return 0;
}

/* One that could not begin is not waited for: its log says why, and it is tried again. */
static bool is_settled(const struct child *child)
{
    return child->has_entered || child->failures > 0;
}

void readiness_look(struct supervisor *supervisor)
{
    if (supervisor->phase != STARTING || supervisor->ready_by == 0 || !supervisor->server.is_ready)
        return;
    if (!is_settled(&supervisor->notifier) || !is_settled(&supervisor->audit)) {
        if (deadline_left(supervisor->ready_by) > 0)
            return;
        log_warning("the notifier or the audit process is not in its sandbox yet");
    }
    int error = readiness_reach(supervisor);
    if (error < 0)
        supervisor_fail(supervisor, error, error_text());
}
