#include "fs/attr.h"

#include "store/error.h"

#define SECOND 1000000000ll
#define BLOCK_SIZE 4096
#define STAT_BLOCK 512

mode_t attr_directory_mode(const struct view_options *view)
{
    mode_t mode = view->directory_mode ? view->directory_mode : 0700;
    return S_IFDIR | (mode & 0777);
}

/* Nothing in the tree can be written or run, whatever a view asks for. */
mode_t attr_file_mode(const struct view_options *view)
{
    mode_t mode = view->file_mode ? view->file_mode : 0400;
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

static int file_size(struct snapshot *snapshot, struct stat *st, const struct entry *entry)
{
    size_t size = 0;
    int error = snapshot_size(snapshot, &size, entry);
    if (error && error != -ERR_NO_KEY)
        return error;
    st->st_size = (off_t)size;
    st->st_blocks = (blkcnt_t)((size + STAT_BLOCK - 1) / STAT_BLOCK);
    return 0;
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
        time = place->entry.time;
        filled.st_mode = attr_file_mode(view);
        error = file_size(snapshot, &filled, &place->entry);
        break;
    }
    if (error)
        return error;
    set_times(&filled, time);
    *st = filled;
    return 0;
}

void attr_brief(struct stat *st, uint64_t id, bool directory)
{
    *st = (struct stat){.st_ino = id, .st_mode = directory ? S_IFDIR : S_IFREG};
}
