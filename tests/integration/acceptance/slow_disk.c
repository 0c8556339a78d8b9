/*
 * A disk that a test can stop: one file, 'disk', on a FUSE file system of its own, to be used
 * through a loop device. While this process is stopped (SIGSTOP), whoever needs the disk hangs in
 * the kernel as with a real one that does not answer, and goes on without an error afterwards.
 *
 *   slow_disk DIRECTORY MEBIBYTES
 *
 * Says "ready" on standard output and serves until it is unmounted.
 */
#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DISK 2u /* node ids: 1 root, 2 the file */
#define FOREVER 3600.0
#define MAX_WRITE 131072u

static int memory; /* a memfd that holds what was written */
static off_t size;

static void fill(struct stat *st, fuse_ino_t ino)
{
    memset(st, 0, sizeof *st);
    st->st_ino = ino;
    st->st_mode = ino == DISK ? S_IFREG | 0600 : S_IFDIR | 0700;
    st->st_nlink = 1;
    st->st_size = ino == DISK ? size : 0;
}

static void disk_init(void *arg, struct fuse_conn_info *conn)
{
    (void)arg;
    conn->max_write = MAX_WRITE;
}

static void disk_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param e = {.ino = DISK, .attr_timeout = FOREVER, .entry_timeout = FOREVER};
    (void)parent;
    fill(&e.attr, DISK);
    if (strcmp(name, "disk") == 0)
        fuse_reply_entry(req, &e);
    else
        fuse_reply_err(req, ENOENT);
}

static void disk_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;
    (void)fi;
    fill(&st, ino);
    fuse_reply_attr(req, &st, FOREVER);
}

/* Whoever makes a file system writes times and modes; none is kept. */
static void disk_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                         struct fuse_file_info *fi)
{
    (void)attr;
    if (to_set & FUSE_SET_ATTR_SIZE)
        fuse_reply_err(req, EPERM);
    else
        disk_getattr(req, ino, fi);
}

static void disk_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    fuse_reply_open(req, fi);
}

static void disk_read(fuse_req_t req, fuse_ino_t ino, size_t count, off_t at,
                      struct fuse_file_info *fi)
{
    static char data[1u << 20];
    (void)ino, (void)fi;
    ssize_t n = pread(memory, data, count < sizeof data ? count : sizeof data, at);
    if (n < 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_buf(req, data, (size_t)n);
}

static void disk_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t count, off_t at,
                       struct fuse_file_info *fi)
{
    (void)ino, (void)fi;
    ssize_t n = at + (off_t)count > size ? -1 : pwrite(memory, data, count, at);
    if (n < 0)
        fuse_reply_err(req, ENOSPC);
    else
        fuse_reply_write(req, (size_t)n);
}

static void disk_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    (void)ino, (void)datasync, (void)fi;
    fuse_reply_err(req, 0); /* what was written is there */
}

static const struct fuse_lowlevel_ops operations = {
    .init = disk_init,
    .lookup = disk_lookup,
    .getattr = disk_getattr,
    .setattr = disk_setattr,
    .open = disk_open,
    .read = disk_read,
    .write = disk_write,
    .fsync = disk_fsync,
};

int main(int argc, char **argv)
{
    char name[] = "slow_disk", dash_o[] = "-o", options[] = "fsname=slow_disk,subtype=slow_disk";
    char *words[] = {name, dash_o, options, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, words);
    if (argc != 3) {
        fprintf(stderr, "usage: slow_disk DIRECTORY MEBIBYTES\n");
        return 2;
    }
    size = (off_t)strtoul(argv[2], NULL, 10) << 20;
    memory = memfd_create("slow_disk", MFD_CLOEXEC);
    struct fuse_session *se = fuse_session_new(&args, &operations, sizeof operations, NULL);
    if (memory < 0 || ftruncate(memory, size) < 0 || !se || fuse_session_mount(se, argv[1])) {
        fprintf(stderr, "slow_disk: cannot mount at '%s': %s\n", argv[1], strerror(errno));
        return 1;
    }
    puts("ready");
    fflush(stdout);
    int code = fuse_session_loop(se);
    fuse_session_unmount(se);
    fuse_session_destroy(se);
    fuse_opt_free_args(&args);
    return code != 0;
}
