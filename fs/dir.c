/* Directories. Reading is stateless (fs/node.h has the offsets); the kernel keeps what it read
 * until it is told of a change. */
#include <errno.h>
#include <string.h>

#include "fs/attr.h"
#include "fs/edited.h"
#include "fs/gate.h"
#include "fs/server.h"

void dir_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    struct worker *worker = loop_worker();
    struct place place;
    int found = snapshot_begin(worker->snapshot);
    if (found == 0) {
        found = scope_find(&worker->view->scope, worker->snapshot, &place, node);
        snapshot_end(worker->snapshot);
    }
    if (found) {
        ops_fail(worker, request, found);
        return;
    }
    info->fh = 0;
    info->keep_cache = info->cache_readdir = place.kind != NODE_IS_HIDDEN;
    fuse_reply_open(request, info);
}

struct page { /* an answer being filled */
    fuse_req_t request;
    struct worker *worker;
    char *data;
    size_t size;
    size_t used;
    bool plus;
};

/* False when it is full. */
static bool page_add(struct page *page, const char *name, const struct fuse_entry_param *entry,
                     uint64_t behind)
{
    const uint64_t offset = scope_offset(&page->worker->view->scope, behind);
    char *at = page->data + page->used;
    size_t left = page->size - page->used;
    size_t n = page->plus
                   ? fuse_add_direntry_plus(page->request, at, left, name, entry, (off_t)offset)
                   : fuse_add_direntry(page->request, at, left, name, &entry->attr, (off_t)offset);
    if (n > left)
        return false;
    page->used += n;
    return true;
}

/* What a node is, without what stands there. */
static void brief(const struct page *page, struct fuse_entry_param *entry, uint64_t id)
{
    memset(entry, 0, sizeof(*entry));
    attr_brief(&entry->attr, id);
    entry->attr.st_ino = gate_out(page->worker, id);
}

/* "." and ".."; ino 0 says that it is no lookup. */
static bool page_add_dots(struct page *page, uint64_t node, uint64_t *offset)
{
    static const char *const names[OFFSET_ENTRIES] = {".", ".."};
    uint64_t parent = scope_parent(&page->worker->view->scope, node);
    for (; *offset < OFFSET_ENTRIES; ++*offset) {
        struct fuse_entry_param entry;
        brief(page, &entry, *offset == 0 ? node : parent);
        if (!page_add(page, names[*offset], &entry, *offset + 1))
            return false;
    }
    return true;
}

/* What is told of an entry: all of it for READDIRPLUS. An entry that is damaged is listed without,
 * so that it does not hide the others; looking it up will say EIO. So is a text of `.emsa`, which
 * would have to be made for it. */
static void describe(struct page *page, struct fuse_entry_param *entry, const struct place *place)
{
    if (page->plus && place_stays(place) && ops_entry(page->worker, entry, place) == 0)
        return;
    brief(page, entry, place->id);
}

static int page_fill(struct page *page, uint64_t node, uint64_t offset)
{
    struct snapshot *snapshot = page->worker->snapshot;
    const struct scope *scope = &page->worker->view->scope;
    struct fuse_entry_param entry;
    struct place place;
    struct scope_walk walk;
    struct step step;
    bool ahead = edited_step(page->worker, &step);
    int found = scope_walk_begin(scope, snapshot, &walk, node, offset);
    if (found == NOT_THERE && offset > 0)
        return 0; /* it went while it was read: that is its end */
    if (found)
        return found;
    if (!page_add_dots(page, node, &offset))
        return 0;
    while ((found = scope_walk_next(scope, snapshot, &walk, &place, &offset)) == 0) {
        if (ahead && (found = scope_shown(scope, snapshot, &place, &step)) == NOT_THERE)
            continue;
        if (found)
            return found;
        describe(page, &entry, &place);
        if (!page_add(page, place_name(&place), &entry, offset))
            return 0;
    }
    return found == NOT_THERE ? 0 : found;
}

static void read_any(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset, bool plus)
{
    struct worker *worker = loop_worker();
    struct page page = {.request = request,
                        .worker = worker,
                        .data = (char *)worker->reply,
                        .size = size < VIEW_MAX_READ_LIMIT ? size : VIEW_MAX_READ_LIMIT,
                        .plus = plus};
    struct node parsed;
    if (node_parse(&parsed, node) && node_is_past(parsed.kind))
        loop_invite(worker); /* it may pass over much that was there at other revisions only */
    int found = offset < 0 ? NOT_THERE : snapshot_begin(worker->snapshot);
    if (found == 0) {
        found = page_fill(&page, node, scope_offset_back(&worker->view->scope, (uint64_t)offset));
        snapshot_end(worker->snapshot);
    }
    if (found == 0)
        fuse_reply_buf(request, page.data, page.used);
    else
        ops_fail(worker, request, found);
}

void dir_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
              struct fuse_file_info *info)
{
    (void)info;
    read_any(request, node, size, offset, false);
}

void dir_read_plus(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
                   struct fuse_file_info *info)
{
    (void)info;
    read_any(request, node, size, offset, true);
}

void dir_release(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    (void)node;
    (void)info;
    ops_errno(request, 0);
}
