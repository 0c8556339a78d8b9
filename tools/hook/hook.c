#include "tools/hook/hook.h"

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/namespace.h"
#include "tools/hook/ask.h"
#include "tools/hook/state.h"
#include "tools/hook/wanted.h"

/* The container's first process is still outside of its root directory, which it sees by the path
 * that config.json has. */
static int attach(const struct state *state, const struct wanted *wanted, const char *store)
{
    char root[PATH_MAX];
    int mount_fd DESCRIPTOR_CLEANUP = -1;
    int error = state_root(state, root);
    if (error == 0)
        error = ask_mount(&mount_fd, store, wanted, state->pid);
    if (error < 0)
        return error;
    const struct namespace_place place = {
        .pid = state->pid, .root = root, .path = wanted->directory, .make = true};
    return namespace_attach(mount_fd, &place);
}

int hook_run(int state_fd, const char *store)
{
    struct state state = {0};
    struct wanted wanted = {0};
    int outcome = state_read(&state, state_fd);
    if (outcome == 0)
        outcome = wanted_read(&wanted, state.annotations);
    if (outcome == 0)
        outcome = attach(&state, &wanted, store);
    wanted_release(&wanted);
    state_release(&state);
    return outcome;
}
