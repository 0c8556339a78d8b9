#include "fs/recent.h"

#include <string.h>

/* Ids are given one after the other, so the files of a service are neighbours and never in each
 * other's way. */
static struct recent *slot_of(struct recents *recents, uint64_t node)
{
    return &recents->slots[(node ^ node >> 40) % RECENT_SLOTS];
}

struct recent *recent_find(struct recents *recents, uint64_t node, uint64_t newest)
{
    struct recent *recent = slot_of(recents, node);
    return newest && recent->stamp == newest && recent->node == node &&
                   recent->as_of == recents->as_of
               ? recent
               : NULL;
}

struct recent *recent_note(struct recents *recents, uint64_t node, const struct snapshot *snapshot,
                           const struct entry *entry, size_t size)
{
    struct recent *recent = slot_of(recents, node);
    recent->node = node;
    recent->stamp = snapshot_stamp(snapshot);
    recent->as_of = snapshot_as_of(snapshot);
    recent->rev = snapshot_shown(snapshot);
    recent->size = size;
    recent->held = 0;
    recent->entry = *entry;
    return recent;
}

void recent_hold(struct recent *recent, const unsigned char *bytes, size_t size)
{
    if (size == 0 || size > RECENT_BYTES)
        return;
    memcpy(recent->bytes, bytes, size);
    recent->held = size;
}
