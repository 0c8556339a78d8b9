#include "fs/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"

/* Another layout, another number: a newer server that is handed an older one's memory must not take
 * it for its own. */
#define STATE_MAGIC 0x656d736166730006ull

static int fail(int fd, const char *what)
{
    int error = error_system(errno, "%s", what);
    close(fd);
    return error;
}

int state_create(int *fd)
{
    int made = memfd_create("emsa-state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made < 0)
        return error_system(errno, "cannot make the shared memory");
    if (ftruncate(made, (off_t)sizeof(struct state)) < 0)
        return fail(made, "cannot size the shared memory");
    uint64_t magic = STATE_MAGIC;
    if (pwrite(made, &magic, sizeof(magic), 0) != (ssize_t)sizeof(magic))
        return fail(made, "cannot write the shared memory");
    if (fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return fail(made, "cannot seal the shared memory");
    *fd = made;
    return 0;
}

int state_map(struct state **out, int fd)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    /* who gave it could take it away under us otherwise */
    if (seals < 0 || (seals & F_SEAL_SHRINK) == 0)
        return error_set(ERR_FORMAT, "the shared memory is no sealed memory");
    if (fstat(fd, &status) < 0)
        return error_system(errno, "cannot look at the shared memory");
    if (status.st_size != (off_t)sizeof(struct state))
        return error_set(ERR_FORMAT, "the shared memory is of another version");
    struct state *state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (state == MAP_FAILED)
        return error_system(errno, "cannot map the shared memory");
    if (state->magic != STATE_MAGIC) {
        state_unmap(state);
        return error_set(ERR_FORMAT, "the shared memory is of another version");
    }
    *out = state;
    return 0;
}

void state_unmap(struct state *state)
{
    if (state)
        munmap(state, sizeof(*state));
}
