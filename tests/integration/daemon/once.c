/*
 * What makes a server of this folder's own emsad fail at a certain moment, by wrapping a function
 * of the tree. Who opens a file as a member of group 4242 finds what the file DIR/fail-once of the
 * store says, once (the file is removed before): "deadlock" takes a lock twice.
 */
#define FUSE_USE_VERSION 314
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC_GROUP 4242

void __real_file_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info);
void __wrap_file_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info);

static void fail(const char *how)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    if (strcmp(how, "deadlock") == 0)
        for (;;)
            (void)pthread_mutex_lock(&mutex);
}

void __wrap_file_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info)
{
    const char *store = getenv("EMSA_STORE");
    if (store != NULL && fuse_req_ctx(request)->gid == MAGIC_GROUP) {
        char path[PATH_MAX], how[32] = "";
        (void)snprintf(path, sizeof path, "%s/fail-once", store);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && read(fd, how, sizeof how - 1) > 0 && unlink(path) == 0)
            fail(how);
        if (fd >= 0)
            (void)close(fd);
    }
    __real_file_open(request, node, info);
}
