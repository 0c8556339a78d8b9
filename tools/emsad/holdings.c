#include "tools/emsad/holdings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

#include "fs/state.h"
#include "store/audit_ring.h"
#include "store/error.h"
#include "store/identity.h"
#include "store/store.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/key.h"
#include "tools/emsad/listener.h"

/* As much as may be had: children inherit it. A server that is not root could not raise it. */
static void raise_limit(__rlimit_resource_t resource)
{
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    if (resource == RLIMIT_MEMLOCK && setrlimit(resource, &limit) == 0)
        return;
    if (getrlimit(resource, &limit) < 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(resource, &limit); /* whoever needs more says so when it fails */
}

/* Opened here, where root may, and read in the server, where nobody mounts. */
static int open_identity(int *out, const char *path)
{
    int error = identity_open(out, path);
    if (error == 0 && key_seal(out) < 0)
        log_warning("%s; it is read again from its file", error_text());
    if (error == 0 || error == -ERR_REFUSED)
        return error;
    if (error != -ERR_NOT_FOUND) /* the server tells what follows from there being none */
        log_warning("%s", error_text());
    return 0;
}

/* A key that cannot be had leaves the identity locked, as one that is another's does; one that was
 * asked for is to be there. */
static int open_key(int *out, const char *named)
{
    char path[PATH_MAX];
    int error = key_find_key(path, named);
    if (error != 0)
        return error > 0 ? 0 : error;
    error = identity_open(out, path);
    if (error == 0 && key_seal(out) < 0)
        log_warning("%s; it is read again from its file", error_text());
    return error;
}

size_t holdings_give(const struct holdings *holdings, int fds[static SETUP_DESCRIPTORS])
{
    fds[SETUP_LOCK] = holdings->lock;
    fds[SETUP_LISTENER] = holdings->listener;
    fds[SETUP_STATE] = holdings->state;
    fds[SETUP_ROSTER] = holdings->roster;
    fds[SETUP_AUDIT] = holdings->audit;
    fds[SETUP_IDENTITY] = holdings->identity;
    fds[SETUP_IDENTITY_KEY] = holdings->identity_key;
    return channel_setup_count(fds);
}

void holdings_keep_identity(struct holdings *holdings, int *fd)
{
    if (!key_is_sealed(*fd)) {
        log_error("the server sent an identity that is not sealed: the one before is kept");
        return;
    }
    descriptor_close(&holdings->identity);
    holdings->identity = *fd;
    *fd = -1;
}

int holdings_begin(struct holdings *out, const char *store)
{
    *out = (struct holdings){.self = -1,
                             .lock = -1,
                             .listener = -1,
                             .state = -1,
                             .roster = -1,
                             .audit = -1,
                             .identity = -1,
                             .identity_key = -1};
    int error = place_find(&out->place, store);
    if (error < 0)
        return error;
    out->self = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    if (out->self < 0)
        return error_system(errno, "cannot open '/proc/self/exe'");
    raise_limit(RLIMIT_MEMLOCK);
    raise_limit(RLIMIT_NOFILE);
    return 0;
}

int holdings_take(struct holdings *holdings, const char *credential, const char *key)
{
    holdings->lock = store_lock(holdings->place.store);
    if (holdings->lock < 0)
        return holdings->lock;
    int error = key_find(&holdings->place, credential);
    if (error == 0)
        error = open_identity(&holdings->identity, holdings->place.identity);
    if (error == 0 && holdings->identity >= 0)
        error = open_key(&holdings->identity_key, key);
    if (error == 0)
        error = state_create(&holdings->state);
    if (error == 0)
        error = state_map(&holdings->memory, holdings->state);
    if (error == 0)
        error = roster_create(&holdings->roster);
    if (error == 0)
        error = roster_map(&holdings->notifiers, holdings->roster, true);
    if (error == 0)
        error = audit_ring_create(&holdings->audit);
    if (error == 0)
        error = listener_make(&holdings->listener, &holdings->place);
    return error;
}

static int taken_from(struct channel_descriptors *given, enum channel_setup index)
{
    int fd = given->fd[index];
    given->fd[index] = -1;
    return fd;
}

int holdings_inherit(struct holdings *holdings, const struct channel_message *held,
                     struct channel_descriptors *given)
{
    if (strcmp(held->text, holdings->place.store) != 0 || given->count < SETUP_IDENTITY ||
        holdings->memory != NULL)
        return error_set(ERR_IO, "the server at '%s' is of another store", holdings->place.socket);
    int error = state_map(&holdings->memory, given->fd[SETUP_STATE]);
    if (error == 0)
        error = roster_map(&holdings->notifiers, given->fd[SETUP_ROSTER], true);
    if (error < 0)
        return error;
    holdings->is_inherited = true;
    holdings->lock = taken_from(given, SETUP_LOCK);
    holdings->listener = taken_from(given, SETUP_LISTENER);
    holdings->state = taken_from(given, SETUP_STATE);
    holdings->roster = taken_from(given, SETUP_ROSTER);
    holdings->audit = taken_from(given, SETUP_AUDIT);
    holdings->identity = taken_from(given, SETUP_IDENTITY);
    holdings->identity_key = taken_from(given, SETUP_IDENTITY_KEY);
    memcpy(holdings->place.identity, held->identity, sizeof holdings->place.identity);
    return 0;
}

void holdings_hide(struct holdings *holdings)
{
    if (holdings->listener < 0)
        return;
    if (!holdings->is_inherited)
        listener_remove(&holdings->place);
    descriptor_close(&holdings->listener);
}

void holdings_release(struct holdings *holdings)
{
    holdings_hide(holdings);
    state_unmap(holdings->memory);
    holdings->memory = NULL;
    roster_unmap(holdings->notifiers);
    holdings->notifiers = NULL;
    descriptor_close(&holdings->identity);
    descriptor_close(&holdings->identity_key);
    descriptor_close(&holdings->state);
    descriptor_close(&holdings->roster);
    descriptor_close(&holdings->audit);
    descriptor_close(&holdings->self);
    if (holdings->lock >= 0) /* last: the next owner finds everything put away */
        descriptor_close(&holdings->lock);
}
