#include "fs/attr.h"

#include "fs/hidden.h"
#include "store/error.h"

#define SECOND 1000000000ll
#define BLOCK_SIZE 4096
#define STAT_BLOCK 512

mode_t attr_directory_mode(const struct view_options *view)
{
    mode_t usual = view->extent == VIEW_ALL ? 0700 : 0555;
    mode_t mode = view->directory_mode ? view->directory_mode : usual;
    return S_IFDIR | (mode & 0777);
}

/* Nothing in the tree can be written or run, whatever a view asks for. */
mode_t attr_file_mode(const struct view_options *view)
{
    mode_t usual = view->extent == VIEW_ALL ? 0400 : 0444;
    mode_t mode = view->file_mode ? view->file_mode : usual;
    return S_IFREG | (mode & 0444);
}

static struct timespec time_of(int64_t nanoseconds)
{
    struct timespec time = {.tv_sec = nanoseconds / SECOND, .tv_nsec = nanoseconds % SECOND};
    if (time.tv_nsec < 0) {
        time.tv_sec--;
        time.tv_nsec += SECOND;
    }
    return time;
}

static void set_times(struct stat *st, int64_t nanoseconds)
{
    st->st_atim = st->st_mtim = st->st_ctim = time_of(nanoseconds);
}

/* The root has no record of its own: it changed, as far as can be told, when the newest environment
 * was made. */
static int root_time(struct snapshot *snapshot, int64_t *time)
{
    struct environment environment = {.name = ""};
    int found;
    *time = 0;
    while ((found = snapshot_next_environment(snapshot, &environment, environment.name)) == 0) {
        if (environment.made_time > *time)
            *time = environment.made_time;
    }
    return found == NOT_THERE ? 0 : found;
}

void attr_size(struct stat *st, size_t size)
{
    st->st_size = (off_t)size;
    st->st_blocks = (blkcnt_t)((size + STAT_BLOCK - 1) / STAT_BLOCK);
}

static int file_size(struct snapshot *snapshot, struct stat *st, const struct entry *entry)
{
    size_t size = 0;
    int error = snapshot_size(snapshot, &size, entry);
    if (error && error != -ERR_NO_KEY && error != -ERR_PURGED)
        return error;
    attr_size(st, size);
    return 0;
}

/* Of what is hidden, of a directory of the past, and of one that belongs to a view. */
static void fill_corner(struct stat *st, const struct view_options *view,
                        const struct corner *corner)
{
    char target[HIDDEN_LINK_MAX];
    const struct node *node = &corner->node;
    if (node_is_text(node->kind)) {
        st->st_mode = attr_file_mode(view);
    } else if (node_is_link(node->kind)) {
        st->st_mode = S_IFLNK | 0777;
        attr_size(st, hidden_target(target, node));
    } else if (node->kind == NODE_IS_SERVICE || (node_is_past(node->kind) && node->service)) {
        st->st_nlink = 2;
    }
}

int attr_fill(struct snapshot *snapshot, struct stat *st, const struct view_options *view,
              const struct place *place)
{
    int64_t time = 0;
    int error = 0;
    struct stat filled = {.st_ino = place->id,
                          .st_uid = view->uid,
                          .st_gid = view->gid,
                          .st_blksize = BLOCK_SIZE,
                          .st_mode = attr_directory_mode(view),
                          /* "unknown": what holds directories must not look as if it held none */
                          .st_nlink = 1};
    switch (place->kind) {
    case NODE_IS_ROOT:
        error = root_time(snapshot, &time);
        break;
    case NODE_IS_ENVIRONMENT:
        time = place->environment.listed_time;
        break;
    case NODE_IS_SERVICE:
        time = place->service.listed_time;
        filled.st_nlink = 2;
        break;
    case NODE_IS_KEY:
    case NODE_IS_PAST_KEY:
        time = place->entry.time;
        filled.st_mode = attr_file_mode(view);
        error = file_size(snapshot, &filled, &place->entry);
        break;
    default:
        time = place->corner.time;
        fill_corner(&filled, view, &place->corner);
        break;
    }
    if (error)
        return error;
    set_times(&filled, time);
    *st = filled;
    return 0;
}

void attr_brief(struct stat *st, uint64_t id)
{
    struct node node;
    mode_t type = S_IFDIR;
    if (node_parse(&node, id) && (node_is_file(node.kind) || node_is_text(node.kind)))
        type = S_IFREG;
    else if (node_parse(&node, id) && node_is_link(node.kind))
        type = S_IFLNK;
    *st = (struct stat){.st_ino = id, .st_mode = type};
}
