#include "fs/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"

/* How far from where its id says a view may stand. Ids count up, so two views want one place only
 * after as many views as there are slots. */
#define PROBES 64u

/* How long a lane waits for the one of a notifier before it: that may be held up by a reader. */
#define PATIENCE_MS 1000

int roster_create(int *fd)
{
    int made = memfd_create("emsa-roster", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made < 0)
        return error_system(errno, "cannot make the notifier's roster");
    if (ftruncate(made, (off_t)sizeof(struct roster)) < 0 ||
        fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
        int error = error_system(errno, "cannot size the notifier's roster");
        close(made);
        return error;
    }
    *fd = made;
    return 0;
}

int roster_map(struct roster **out, int fd, bool to_write)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    /* who gave it could take it away under us otherwise */
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
        return error_set(ERR_FORMAT, "the notifier's roster is no sealed memory");
    if (fstat(fd, &status) < 0)
        return error_system(errno, "cannot look at the notifier's roster");
    if (status.st_size != (off_t)sizeof(struct roster))
        return error_set(ERR_FORMAT, "the notifier's roster is of another version");
    void *map = mmap(NULL, sizeof(struct roster), to_write ? PROT_READ | PROT_WRITE : PROT_READ,
                     MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return error_system(errno, "cannot map the notifier's roster");
    *out = map;
    return 0;
}

void roster_unmap(struct roster *roster)
{
    if (roster)
        munmap(roster, sizeof(*roster));
}

#define NOWHERE UINT32_MAX

static void empty(struct roster_slot *slot)
{
    atomic_store(&slot->tid, 0);
    atomic_store(&slot->node, 0);
    atomic_store(&slot->revealed, 0);
    atomic_store(&slot->view, 0);
}

static uint32_t find(const struct roster *roster, uint32_t view)
{
    for (uint32_t i = 0; i < PROBES; i++) {
        uint32_t at = (view + i) % ROSTER_SLOTS;
        if (atomic_load(&roster->slots[at].view) == view)
            return at;
    }
    return NOWHERE;
}

static bool is_alive(uint32_t tid)
{
    return kill((pid_t)tid, 0) == 0 || errno == EPERM;
}

/* Ends when the view has no lane. */
static void follow(struct roster *roster, uint32_t view)
{
    uint32_t at;
    for (int turn = 0; (at = find(roster, view)) != NOWHERE; turn++) {
        struct roster_slot *slot = &roster->slots[at];
        uint32_t tid = atomic_load(&slot->tid);
        if (turn == PATIENCE_MS || (tid && !is_alive(tid)))
            empty(slot);
        else
            (void)poll(NULL, 0, 1);
    }
}

struct roster_slot *roster_enter(struct roster *roster, uint32_t view, uint32_t tid)
{
    follow(roster, view);
    for (uint32_t i = 0; i < PROBES; i++) {
        struct roster_slot *slot = &roster->slots[(view + i) % ROSTER_SLOTS];
        uint32_t free_one = 0;
        if (!atomic_compare_exchange_strong(&slot->view, &free_one, view))
            continue;
        atomic_store(&slot->node, 0);
        atomic_store(&slot->revealed, 0);
        atomic_store(&slot->revision, 0);
        atomic_store(&slot->tid, tid);
        return slot;
    }
    return NULL;
}

void roster_leave(struct roster_slot *slot, uint32_t tid)
{
    if (slot && atomic_load(&slot->tid) == tid)
        empty(slot);
}

const struct roster_slot *roster_find(const struct roster *roster, uint32_t view)
{
    uint32_t at = roster ? find(roster, view) : NOWHERE;
    return at == NOWHERE ? NULL : &roster->slots[at];
}

void roster_clear(struct roster *roster)
{
    for (uint32_t i = 0; i < ROSTER_SLOTS; i++) {
        if (atomic_load(&roster->slots[i].view) != 0)
            empty(&roster->slots[i]);
    }
}
