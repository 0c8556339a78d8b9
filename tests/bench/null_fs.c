/*
 * The least that a libfuse low-level server can do: constant answers, nothing looked up. What emsa
 * costs is told as a ratio to this, because the rest is the kernel's. It looks for more before it
 * blocks exactly as fs/loop does (fs/pace.c is part of it), its superblock is writable as emsa's
 * is, and its tree is as deep: /e/s/k00 to /e/s/k99, 64 bytes each.
 *
 *   null_fs [--cache] [--max-read BYTES] [--spin MICROSECONDS] DIRECTORY
 *
 * Says "ready" on standard output and serves until it is unmounted.
 */
#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fs/pace.h"

#define FILES 100u
#define SIZE 64u
#define FOREVER 3600.0
#define FIRST_FILE 16u /* node ids: 1 root, 2 environment, 3 service, then the files */
/* as in fs/loop.c */
#define CREDIT 3
#define LIVELY 4

static const char content[SIZE + 1] =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n";
static bool cache;
static unsigned max_read = 4096, spin_us = 50;

static void fill(struct stat *st, fuse_ino_t ino)
{
    memset(st, 0, sizeof *st);
    st->st_ino = ino;
    st->st_mode = ino < FIRST_FILE ? S_IFDIR | 0700 : S_IFREG | 0400;
    st->st_nlink = 1;
    st->st_size = ino < FIRST_FILE ? 0 : SIZE;
}

static void fill_entry(struct fuse_entry_param *e, fuse_ino_t ino)
{
    memset(e, 0, sizeof *e);
    e->ino = ino;
    e->attr_timeout = e->entry_timeout = FOREVER;
    fill(&e->attr, ino);
}

static void null_init(void *arg, struct fuse_conn_info *conn)
{
    (void)arg;
    conn->max_read = max_read;
    conn->max_write = 4096;
    conn->want &= ~(unsigned)FUSE_CAP_AUTO_INVAL_DATA;
}

static void null_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param e;
    if (parent < 3) {
        fill_entry(&e, parent + 1);
        fuse_reply_entry(req, &e);
        return;
    }
    if (name[0] != 'k' || strlen(name) != 3) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    fill_entry(&e, FIRST_FILE + (fuse_ino_t)(name[1] - '0') * 10 + (fuse_ino_t)(name[2] - '0'));
    fuse_reply_entry(req, &e);
}

static void null_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;
    (void)fi;
    fill(&st, ino);
    fuse_reply_attr(req, &st, FOREVER);
}

static void null_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    fi->keep_cache = cache;
    fi->direct_io = !cache;
    fuse_reply_open(req, fi);
}

static void null_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                      struct fuse_file_info *fi)
{
    (void)ino;
    (void)fi;
    size_t left = off < (off_t)SIZE ? SIZE - (size_t)off : 0;
    fuse_reply_buf(req, content + SIZE - left, left < size ? left : size);
}

static void null_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    fi->cache_readdir = 1;
    fi->keep_cache = 1;
    fuse_reply_open(req, fi);
}

static void null_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                             struct fuse_file_info *fi)
{
    (void)fi;
    unsigned last = ino == 3 ? FILES : 1;
    char *buffer = malloc(size);
    size_t used = 0;
    for (unsigned i = (unsigned)off; buffer && i < last; i++) {
        char name[8];
        struct fuse_entry_param e;
        snprintf(name, sizeof name, ino == 1 ? "e" : ino == 2 ? "s" : "k%02u", i % 100);
        fill_entry(&e, ino == 3 ? FIRST_FILE + i : ino + 1);
        size_t need = fuse_add_direntry_plus(req, buffer + used, size - used, name, &e, i + 1);
        if (need > size - used)
            break;
        used += need;
    }
    fuse_reply_buf(req, buffer, used);
    free(buffer);
}

static const struct fuse_lowlevel_ops operations = {
    .init = null_init,
    .lookup = null_lookup,
    .getattr = null_getattr,
    .open = null_open,
    .read = null_read,
    .opendir = null_opendir,
    .readdirplus = null_readdirplus,
};

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* One try: what was read, 0 where nothing waits, less where the mount is gone. */
static ssize_t receive(int fd, void *buffer, size_t size)
{
    ssize_t got = read(fd, buffer, size);
    return got >= 0 || errno == EAGAIN || errno == EINTR || errno == ENOENT ? (got > 0 ? got : 0)
                                                                            : -1;
}

/* Looks for more for a short time, as long as that was not in vain too often. */
static ssize_t look_on(int fd, void *buffer, size_t size, unsigned *credit, const struct pace *pace)
{
    if (!spin_us || !*credit || !pace_looks(pace))
        return 0;
    uint64_t end = now() + spin_us * 1000u;
    ssize_t got;
    do {
        sched_yield();
        got = receive(fd, buffer, size);
    } while (got == 0 && now() < end);
    *credit = got ? CREDIT : *credit - 1;
    return got;
}

static ssize_t next_request(int fd, void *buffer, size_t size, unsigned *credit, struct pace *pace)
{
    ssize_t got = receive(fd, buffer, size);
    while (!got && !(got = look_on(fd, buffer, size, credit, pace))) {
        uint64_t before = now();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            return -1;
        /* if so little time went by, it is worth looking a little longer */
        if (now() - before < LIVELY * spin_us * 1000u)
            *credit = CREDIT;
        else
            pace_forget(pace);
        got = receive(fd, buffer, size);
    }
    return got;
}

static int serve(struct fuse_session *se)
{
    size_t size = 128u * 1024u;
    void *buffer = calloc(1, size);
    int fd = fuse_session_fd(se);
    unsigned credit = CREDIT;
    struct pace pace = {0};
    ssize_t got;
    if (!buffer)
        return 1;
    while (!fuse_session_exited(se) && (got = next_request(fd, buffer, size, &credit, &pace)) > 0) {
        struct fuse_buf buf = {.mem = buffer, .size = (size_t)got};
        fuse_session_process_buf(se, &buf);
        pace_request(&pace);
    }
    free(buffer);
    return 0;
}

static int set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0;
}

static int mount_and_serve(const char *program, const char *directory)
{
    char options[64];
    snprintf(options, sizeof options, "max_read=%u,allow_other,default_permissions", max_read);
    char name[] = "null", dash_o[] = "-o";
    char *argv[] = {name, dash_o, options, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, argv);
    struct fuse_session *se = fuse_session_new(&args, &operations, sizeof operations, NULL);
    if (!se || fuse_session_mount(se, directory) || set_nonblocking(fuse_session_fd(se))) {
        fprintf(stderr, "%s: cannot mount at '%s'\n", program, directory);
        return 1;
    }
    puts("ready");
    fflush(stdout);
    int code = serve(se);
    fuse_session_unmount(se);
    fuse_session_destroy(se);
    fuse_opt_free_args(&args);
    return code;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"cache", no_argument, NULL, 'c'},
                                          {"max-read", required_argument, NULL, 'r'},
                                          {"spin", required_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (c == 'c')
            cache = true;
        else if (c == 'r')
            max_read = (unsigned)strtoul(optarg, NULL, 10);
        else if (c == 's')
            spin_us = (unsigned)strtoul(optarg, NULL, 10);
        else
            return 2;
    }
    if (optind + 1 != argc || max_read < 4096) {
        fprintf(stderr, "usage: null_fs [--cache] [--max-read BYTES] [--spin US] DIRECTORY\n");
        return 2;
    }
    return mount_and_serve(argv[0], argv[optind]);
}
