/* What readers of files are audited by: kernel's word for who they are, ids for what it was. */
#include "fs/server.h"
#include "store/audit_ring.h"

static bool put(struct worker *worker, fuse_req_t request, struct audit_event *event)
{
    const struct fuse_ctx *who = fuse_req_ctx(request);
    if (!worker->fs->audit)
        return true;
    event->uid = who->uid;
    event->gid = who->gid;
    event->pid = (int32_t)who->pid;
    event->view = worker->view->options.id;
    return audit_ring_put(worker->fs->audit, event) == 0;
}

bool audited_read(struct worker *worker, fuse_req_t request, const struct entry *entry)
{
    struct audit_event event;
    audit_event_begin(&event, AUDIT_READ, AUDIT_DOOR_OPEN);
    event.environment = entry->environment;
    event.service = entry->service;
    event.name_id = entry->name_id;
    event.rev = entry->rev;
    return put(worker, request, &event);
}

static enum audit_door door_of(const struct node *node)
{
    return node->kind == NODE_IS_JSON  ? AUDIT_DOOR_JSON
           : node->kind == NODE_IS_ENV ? AUDIT_DOOR_ENV
                                       : AUDIT_DOOR_OPEN;
}

bool audited_text(struct worker *worker, fuse_req_t request, const struct node *node)
{
    struct audit_event event;
    audit_event_begin(&event, AUDIT_READ, door_of(node));
    event.environment = node->environment;
    event.service = node->service;
    event.rev = node->rev;
    return put(worker, request, &event);
}

void audited_denied(struct worker *worker, fuse_req_t request, const struct node *node)
{
    struct audit_event event;
    audit_event_begin(&event, AUDIT_DENIED, door_of(node));
    event.environment = node->environment;
    event.service = node->service;
    event.name_id = node->name_id;
    event.rev = node->rev;
    (void)put(worker, request, &event);
}
