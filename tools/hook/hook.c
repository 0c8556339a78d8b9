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
    struct namespace space NAMESPACE_CLEANUP = NAMESPACE_NONE;
    int mount_fd DESCRIPTOR_CLEANUP = -1;
    const struct namespace_place place = {.root = root, .path = wanted->directory, .make = true};
    int error = state_root(state, root);
    if (error == 0)
        error = namespace_find(&space, state->pid);
    if (error == 0)
        error = ask_mount(&mount_fd, store, wanted, &space.process);
    return error == 0 ? namespace_attach(mount_fd, &space, &place) : error;
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
