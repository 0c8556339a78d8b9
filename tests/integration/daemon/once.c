/*
 * What makes a server of this folder's own emsad fail at a certain moment, by wrapping functions of
 * the tree. Who opens a file as a member of group 4242 meets what the file DIR/fail-once of the
 * store says, once (the file is removed before): "deadlock" takes a lock twice, "crash" is one.
 * "start" is met by a server before it is ready, which it never is.
 */
#define FUSE_USE_VERSION 314
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs/fs.h"

#define MAGIC_GROUP 4242

int __real_fs_start(struct fs *fs);
int __wrap_fs_start(struct fs *fs);
void __real_file_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info);
void __wrap_file_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info);

static void fail(const char *how)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    if (strcmp(how, "crash") == 0)
        abort();
    if (strcmp(how, "deadlock") == 0 || strcmp(how, "start") == 0)
        for (;;)
            (void)pthread_mutex_lock(&mutex);
}

static void meet(bool is_start)
{
    char path[PATH_MAX], how[32] = "";
    const char *store = getenv("EMSA_STORE");
    if (store == NULL)
        return;
    (void)snprintf(path, sizeof path, "%s/fail-once", store);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (read(fd, how, sizeof how - 1) > 0 && is_start == (strcmp(how, "start") == 0) &&
        unlink(path) == 0)
        fail(how);
    (void)close(fd);
}

int __wrap_fs_start(struct fs *fs)
{
    meet(true);
    return __real_fs_start(fs);
}

void __wrap_file_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    if (fuse_req_ctx(request)->gid == MAGIC_GROUP)
        meet(false);
    __real_file_open(request, node, info);
}
