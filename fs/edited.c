#include "fs/edited.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "fs/attr.h"
#include "fs/gate.h"
#include "fs/pin.h"
#include "fs/roster.h"

struct deed { /* what the notifier is about to do */
    uint64_t node, parent, position;
    struct node place;
};

static const struct roster_slot *lane_of(struct worker *worker)
{
    return roster_find(worker->fs->roster, worker->view->options.id);
}

bool edited_by_notifier(struct worker *worker, fuse_req_t request)
{
    const struct roster_slot *lane = lane_of(worker);
    pid_t asking = fuse_req_ctx(request)->pid;
    return lane && asking > 0 && atomic_load(&lane->tid) == (uint32_t)asking;
}

/* False: somebody else asks, or the notifier is about to do nothing. */
static bool deed_of(struct worker *worker, fuse_req_t request, struct deed *out)
{
    if (!edited_by_notifier(worker, request))
        return false;
    const struct roster_slot *lane = lane_of(worker);
    const struct scope *scope = &worker->view->scope;
    out->node = scope_decipher(scope, atomic_load(&lane->node));
    out->parent = scope_decipher(scope, atomic_load(&lane->parent));
    out->position = atomic_load(&lane->position);
    return out->node != 0 && node_parse(&out->place, out->node);
}

bool edited_step(struct worker *worker, struct step *out)
{
    const struct view_slot *shared = worker->view->shared;
    if (!shared)
        return false;
    if (!step_of_move(shared, out)) {
        if (snapshot_as_of(worker->snapshot) ||
            !scope_is_behind(&worker->view->scope, worker->snapshot, atomic_load(&shared->told)))
            return false;
        *out = step_of(shared);
    }
    const struct roster_slot *lane = lane_of(worker);
    uint64_t revealed =
        lane && atomic_load(&lane->revision) == out->name ? atomic_load(&lane->revealed) : 0;
    if (revealed > out->done)
        out->done = revealed;
    return true;
}

/* A place that the store may have no more: kept by nobody. */
static void describe(struct worker *worker, struct fuse_entry_param *out, uint64_t id)
{
    struct place place;
    if (scope_find(&worker->view->scope, worker->snapshot, &place, id) == 0 &&
        ops_entry(worker, out, &place) == 0)
        return;
    if (tree_find_removed(worker->snapshot, &place, id, scope_left(&worker->view->scope)) != 0 ||
        ops_entry(worker, out, &place) != 0) {
        struct node node;
        bool directory = !node_parse(&node, id) || node.kind != NODE_IS_KEY;
        const struct view_options *view = &worker->view->options;
        memset(out, 0, sizeof(*out));
        out->ino = gate_out(worker, id);
        out->generation = worker->view->scope.generation;
        out->attr = (struct stat){.st_ino = out->ino, .st_uid = view->uid, .st_gid = view->gid};
        out->attr.st_mode = directory ? attr_directory_mode(view) : attr_file_mode(view);
    }
    out->entry_timeout = out->attr_timeout = 0;
}

/* What is to be removed is not removed yet. */
static bool removal_of(struct worker *worker, fuse_req_t request, struct deed *out,
                       const struct step *step)
{
    return deed_of(worker, request, out) && !step_makes(out->position) &&
           out->position > step->done;
}

static uint64_t environment_of(const struct worker *worker, const struct deed *deed)
{
    return scope_own(&worker->view->scope, node_environment(deed->place.environment));
}

bool edited_getattr(struct worker *worker, fuse_req_t request, struct stat *out, fuse_ino_t node)
{
    struct fuse_entry_param entry;
    struct deed deed;
    struct step step;
    if (!edited_step(worker, &step) || !removal_of(worker, request, &deed, &step))
        return false;
    if (node != deed.node && node != deed.parent && node != environment_of(worker, &deed))
        return false;
    describe(worker, &entry, node);
    *out = entry.attr;
    return true;
}

bool edited_lookup(struct worker *worker, fuse_req_t request, struct fuse_entry_param *out,
                   fuse_ino_t parent, const struct step *step)
{
    struct deed deed;
    if (!removal_of(worker, request, &deed, step))
        return false;
    uint64_t environment = environment_of(worker, &deed);
    uint64_t child = 0;
    if (parent == deed.parent)
        child = deed.node;
    else if (parent == environment) /* which is the root itself where that is flat */
        child = deed.parent;
    else if (parent == NODE_ROOT)
        child = environment;
    if (!child)
        return false;
    describe(worker, out, child);
    return true;
}

/* Names */

static void make(fuse_req_t request, fuse_ino_t parent, bool directory)
{
    struct worker *worker = loop_worker();
    struct fuse_entry_param entry;
    struct deed deed;
    if (!deed_of(worker, request, &deed) || !step_makes(deed.position) || deed.parent != parent ||
        (deed.place.kind != NODE_IS_KEY) != directory) {
        ops_errno(request, EROFS);
        return;
    }
    int found = snapshot_begin(worker->snapshot);
    if (found) {
        ops_fail(worker, request, found);
        return;
    }
    describe(worker, &entry, deed.node);
    snapshot_end(worker->snapshot);
    /* before the answer: the kernel keeps everybody out of the directory until then */
    step_reach(worker->view->shared, deed.position);
    fuse_reply_entry(request, &entry);
}

static void remove_name(fuse_req_t request, fuse_ino_t parent, bool directory)
{
    struct worker *worker = loop_worker();
    struct deed deed;
    if (!deed_of(worker, request, &deed) || step_makes(deed.position) || deed.parent != parent ||
        (deed.place.kind != NODE_IS_KEY) != directory) {
        ops_errno(request, EROFS);
        return;
    }
    step_reach(worker->view->shared, deed.position);
    ops_errno(request, 0);
}

void edited_mknod(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode,
                  dev_t device)
{
    (void)name, (void)mode, (void)device;
    make(request, parent, false);
}

void edited_mkdir(fuse_req_t request, fuse_ino_t parent, const char *name, mode_t mode)
{
    (void)name, (void)mode;
    make(request, parent, true);
}

void edited_unlink(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    (void)name;
    remove_name(request, parent, false);
}

void edited_rmdir(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    (void)name;
    remove_name(request, parent, true);
}

/* Touching */

void edited_setattr(fuse_req_t request, fuse_ino_t node, struct stat *attr, int which,
                    struct fuse_file_info *info)
{
    (void)attr, (void)info;
    struct worker *worker = loop_worker();
    const int times = FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW | FUSE_SET_ATTR_CTIME;
    if (!edited_by_notifier(worker, request) || !(which & FUSE_SET_ATTR_MTIME) || which & ~times) {
        ops_errno(request, EROFS);
        return;
    }
    /* answered with the time of the commit, which is the one that it has */
    ops_getattr(request, node, NULL);
}

bool edited_open(fuse_req_t request, struct fuse_file_info *info)
{
    struct worker *worker = loop_worker();
    if ((info->flags & O_ACCMODE) != O_WRONLY || info->flags & O_TRUNC ||
        !edited_by_notifier(worker, request))
        return false;
    info->fh = pin_fixed(0);
    info->keep_cache = 1; /* nothing is read through it; what others keep stays */
    fuse_reply_open(request, info);
    return true;
}
