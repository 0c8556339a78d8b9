/* The tree as a program sees it: names, attributes, times, and that nothing can be written. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fs/server.h"
#include "tests/integration/fs/world.h"

static struct world world;
static unsigned char large[1024 * 1024];

static int make(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(large); i++)
        large[i] = (unsigned char)(i * 7 + i / 251);
    world_make(&world, NULL);
    world_environment_add(&world, "prod");
    world_environment_add(&world, "dev");
    world_commit(&world);
    world_set(&world, "prod/billing/PORT", "8080", 4);
    world_set(&world, "prod/billing/EMPTY", "", 0);
    world_set(&world, "prod/billing/BINARY", "a\0b\n", 4);
    world_set(&world, "prod/billing/LARGE", large, sizeof(large));
    world_set_secret(&world, "prod/billing/PASSWORD", "s3cret", 6);
    world_set_secret(&world, "prod/billing/LARGE_SECRET", large, sizeof(large));
    world_set(&world, "prod/web/URL", "http://x", 8);
    world_commit(&world);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

/* The names of a directory in the order given, joined by spaces; "!" and an errno on failure. */
static const char *listing(const char *path)
{
    static char text[65536];
    size_t used = 0;
    DIR *directory = opendir(world_path(&world, path));
    if (!directory) {
        snprintf(text, sizeof(text), "!%d", errno);
        return text;
    }
    text[0] = 0;
    struct dirent *entry;
    while ((entry = readdir(directory))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
                                 entry->d_name);
    }
    closedir(directory);
    return text;
}

static ssize_t content(const char *path, void *out, size_t size)
{
    int fd = open(world_path(&world, path), O_RDONLY);
    if (fd < 0)
        return -errno;
    size_t used = 0;
    ssize_t n = 0;
    while (used < size && (n = read(fd, (char *)out + used, size - used)) > 0)
        used += (size_t)n;
    int error = errno;
    close(fd);
    return n < 0 ? -error : (ssize_t)used;
}

static void lists_in_byte_order(void **state)
{
    (void)state;
    assert_string_equal(listing(""), "dev prod");
    assert_string_equal(listing("prod"), "billing web");
    assert_string_equal(listing("dev"), "");
    assert_string_equal(listing("prod/billing"), "BINARY EMPTY LARGE LARGE_SECRET PASSWORD PORT");
    /* once more, from the kernel's cache */
    assert_string_equal(listing("prod/billing"), "BINARY EMPTY LARGE LARGE_SECRET PASSWORD PORT");
    assert_string_equal(listing("prod/none"), "!2");
    assert_string_equal(listing("prod/billing/PORT"), "!20");
}

static void lists_thousands(void **state)
{
    (void)state;
    char path[64];
    static char want[65536];
    size_t used = 0;
    for (int i = 0; i < 3000; i++) {
        snprintf(path, sizeof(path), "dev/many/K%04d", i);
        world_set(&world, path, "x", 1);
        used += (size_t)snprintf(want + used, sizeof(want) - used, "%sK%04d", i ? " " : "", i);
    }
    world_commit(&world);
    assert_string_equal(listing("dev/many"), want);
    assert_string_equal(listing("dev/many"), want);
    world_remove(&world, "dev/many/K1500");
    world_commit(&world);
    assert_null(strstr(listing("dev/many"), "K1500"));
    assert_non_null(strstr(listing("dev/many"), "K1501"));
}

static void attributes_are_exact(void **state)
{
    (void)state;
    struct stat st;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    assert_int_equal(stat(world_path(&world, "prod/billing/LARGE_SECRET"), &st), 0);
    assert_int_equal(st.st_size, sizeof(large));
    assert_int_equal(st.st_blocks, sizeof(large) / 512);
    assert_int_equal(st.st_mode, S_IFREG | 0400);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(st.st_uid, 0);
    assert_int_equal(stat(world_path(&world, "prod/billing/PASSWORD"), &st), 0);
    assert_int_equal(st.st_size, 6);
    assert_int_equal(st.st_blocks, 1);
    assert_true(st.st_mtim.tv_sec <= now.tv_sec && st.st_mtim.tv_sec > now.tv_sec - 300);
    assert_int_equal(st.st_mtim.tv_nsec, st.st_ctim.tv_nsec);
    assert_int_equal(stat(world_path(&world, "prod/billing/EMPTY"), &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(stat(world_path(&world, "prod/billing"), &st), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    assert_int_equal(st.st_nlink, 2);
    assert_true(st.st_mtim.tv_sec <= now.tv_sec && st.st_mtim.tv_sec > now.tv_sec - 300);
    assert_int_equal(stat(world_path(&world, ""), &st), 0);
    assert_int_equal(st.st_ino, 1);
}

static void content_is_exact(void **state)
{
    (void)state;
    static unsigned char got[sizeof(large) + 16];
    assert_int_equal(content("prod/billing/PORT", got, sizeof(got)), 4);
    assert_memory_equal(got, "8080", 4);
    assert_int_equal(content("prod/billing/EMPTY", got, sizeof(got)), 0);
    assert_int_equal(content("prod/billing/BINARY", got, sizeof(got)), 4);
    assert_memory_equal(got, "a\0b\n", 4);
    assert_int_equal(content("prod/billing/PASSWORD", got, sizeof(got)), 6);
    assert_memory_equal(got, "s3cret", 6);
    assert_int_equal(content("prod/billing/LARGE", got, sizeof(got)), sizeof(large));
    assert_memory_equal(got, large, sizeof(large));
    memset(got, 0, sizeof(got));
    assert_int_equal(content("prod/billing/LARGE_SECRET", got, sizeof(got)), sizeof(large));
    assert_memory_equal(got, large, sizeof(large));
}

static void content_at_odd_offsets_and_mapped(void **state)
{
    (void)state;
    static const char *const names[] = {"prod/billing/LARGE", "prod/billing/LARGE_SECRET"};
    static const size_t steps[] = {777, 4095, 65537};
    static unsigned char got[65537];
    for (int i = 0; i < 2; i++) {
        int fd = open(world_path(&world, names[i]), O_RDONLY);
        assert_true(fd >= 0);
        for (size_t s = 0; s < 3; s++) {
            size_t at = 0;
            ssize_t n;
            while ((n = pread(fd, got, steps[s], (off_t)at)) > 0) {
                assert_memory_equal(got, large + at, (size_t)n);
                at += (size_t)n;
            }
            assert_int_equal(n, 0);
            assert_int_equal(at, sizeof(large));
        }
        void *map = mmap(NULL, sizeof(large), PROT_READ, MAP_PRIVATE, fd, 0);
        assert_ptr_not_equal(map, MAP_FAILED);
        assert_memory_equal(map, large, sizeof(large));
        munmap(map, sizeof(large));
        close(fd);
    }
}

static void extended_attributes_tell(void **state)
{
    (void)state;
    char text[8192];
    ssize_t n;
    const char *path = world_path(&world, "prod/billing/PASSWORD");
    n = getxattr(path, "user.emsa.kind", text, sizeof(text));
    assert_int_equal(n, 6);
    assert_memory_equal(text, "secret", 6);
    n = getxattr(path, "user.emsa.rev", text, sizeof(text));
    assert_true(n > 0 && n < 20 && text[0] >= '1' && text[0] <= '9');
    n = getxattr(path, "user.emsa.origin", text, sizeof(text));
    assert_memory_equal(text, "own", 3);
    n = getxattr(path, "user.emsa.author", text, sizeof(text));
    assert_int_equal(n, 12);
    assert_memory_equal(text, "uid 0 (root)", 12);
    n = getxattr(path, "user.emsa.reason", text, sizeof(text));
    assert_memory_equal(text, "a test", 6);
    n = getxattr(path, "user.emsa.time", text, sizeof(text));
    assert_int_equal(n, 30); /* 2026-11-23T03:00:00.123456789Z */
    assert_int_equal(text[29], 'Z');
    assert_int_equal(getxattr(path, "user.emsa.rev", NULL, 0) > 0, 1);
    assert_int_equal(getxattr(path, "user.emsa.author", text, 3), -1);
    assert_int_equal(errno, ERANGE);
    assert_int_equal(getxattr(path, "user.other", text, sizeof(text)), -1);
    assert_int_equal(errno, ENODATA);
    assert_int_equal(getxattr(path, "security.capability", text, sizeof(text)), -1);
    assert_int_equal(errno, EOPNOTSUPP);
    n = listxattr(path, text, sizeof(text));
    assert_int_equal(n, listxattr(path, NULL, 0));
    int names = 0;
    for (char *name = text; name < text + n; name += strlen(name) + 1)
        names += strncmp(name, "user.emsa.", 10) == 0;
    assert_int_equal(names, 7);
    path = world_path(&world, "prod/billing");
    n = getxattr(path, "user.emsa.kind", text, sizeof(text));
    assert_int_equal(n, 7);
    assert_memory_equal(text, "service", 7);
    path = world_path(&world, "prod");
    n = getxattr(path, "user.emsa.kind", text, sizeof(text));
    assert_memory_equal(text, "environment", 11);
    n = getxattr(path, "user.emsa.rev", text, sizeof(text));
    assert_true(n > 0);
}

static void every_write_is_refused_in(const char *root)
{
    char file[512], other[512], directory[512];
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    snprintf(file, sizeof(file), "%s/prod/billing/PORT", root);
    snprintf(other, sizeof(other), "%s/prod/billing/NEW", root);
    snprintf(directory, sizeof(directory), "%s/prod/web", root);
#define REFUSED(call)                                                                              \
    do {                                                                                           \
        errno = 0;                                                                                 \
        assert_int_equal((call), -1);                                                              \
        assert_int_equal(errno, EROFS);                                                            \
    } while (0)
    REFUSED(open(file, O_WRONLY));
    REFUSED(open(file, O_RDWR));
    REFUSED(open(file, O_RDONLY | O_TRUNC));
    REFUSED(open(other, O_WRONLY | O_CREAT, 0600));
    REFUSED(open(directory, O_RDWR | O_TMPFILE, 0600));
    REFUSED(mknod(other, S_IFREG | 0600, 0));
    REFUSED(mkdir(other, 0700));
    REFUSED(symlink("x", other));
    REFUSED(link(file, other));
    REFUSED(unlink(file));
    REFUSED(rmdir(directory));
    REFUSED(rename(file, other));
    REFUSED(truncate(file, 0));
    REFUSED(chmod(file, 0600));
    REFUSED(chown(file, 1, 1));
    REFUSED(utimensat(AT_FDCWD, file, times, 0));
    REFUSED(setxattr(file, "user.emsa.rev", "1", 1, 0));
    REFUSED(removexattr(file, "user.emsa.rev"));
#undef REFUSED
}

static void nothing_can_be_written(void **state)
{
    (void)state;
    every_write_is_refused_in(world.mount);
    /* a descriptor to read from can't be written to by any other call */
    int fd = open(world_path(&world, "prod/billing/PORT"), O_RDONLY);
    int arg = 0;
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(ftruncate(fd, 0), -1);
    assert_int_equal(fallocate(fd, 0, 0, 4096), -1);
    assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    assert_int_equal(ioctl(fd, 0x1234, &arg), -1);
    assert_int_equal(errno, ENOTTY);
    assert_int_equal(fsync(fd), 0);
    close(fd);
}

/* The superblock is writable and only the mount is not: the server itself must refuse too. */
static void nothing_can_be_written_on_a_writable_mount(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof(path), "%s/writable", world.folder);
    assert_int_equal(mkdir(path, 0700), 0);
    int clone = open_tree(AT_FDCWD, world.mount, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    assert_true(clone >= 0);
    struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY};
    assert_int_equal(mount_setattr(clone, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)), 0);
    assert_int_equal(move_mount(clone, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH), 0);
    close(clone);
    every_write_is_refused_in(path);
    assert_int_equal(umount2(path, MNT_DETACH), 0);
    assert_string_equal(listing("prod/billing"), "BINARY EMPTY LARGE LARGE_SECRET PASSWORD PORT");
}

static void the_rest_of_what_programs_ask(void **state)
{
    (void)state;
    struct statfs st;
    assert_int_equal(statfs(world.mount, &st), 0);
    assert_int_equal(st.f_namelen, 255);
    assert_int_equal(access(world_path(&world, "prod/billing/PORT"), R_OK), 0);
    assert_int_equal(access(world_path(&world, "prod/none"), F_OK), -1);
    assert_int_equal(errno, ENOENT);
    int fd = open(world_path(&world, "prod/billing/LARGE"), O_RDONLY);
    assert_int_equal(lseek(fd, 0, SEEK_END), sizeof(large));
    assert_int_equal(lseek(fd, 10, SEEK_DATA), 10);
    close(fd);
    /* a forged handle (node 1, as FUSE would write it) must not open anything */
    static const uint32_t words[3] = {0, 1, 0};
    struct {
        struct file_handle handle;
        unsigned char bytes[sizeof(words)];
    } forged = {.handle = {.handle_bytes = sizeof(words), .handle_type = 0x81}};
    memcpy(forged.handle.f_handle, words, sizeof(words));
    int mount_fd = open(world.mount, O_RDONLY | O_DIRECTORY);
    assert_int_equal(open_by_handle_at(mount_fd, &forged.handle, O_RDONLY), -1);
    assert_int_equal(errno, ESTALE);
    close(mount_fd);
}

static void works_without_an_identity(void **state)
{
    (void)state;
    char byte;
    world_server_kill(&world);
    world.no_identity = true;
    world_server_start(&world);
    /* what the kernel kept is still right; a new name has to be asked for */
    assert_int_equal(content("prod/billing/PORT", &byte, 1), 1);
    assert_int_equal(content("prod/billing/PASSWORD", &byte, 1), -ENOKEY);
    world_set_secret(&world, "prod/billing/SEALED", "unseen", 6);
    world_commit(&world);
    struct stat st;
    assert_int_equal(stat(world_path(&world, "prod/billing/SEALED"), &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(content("prod/billing/SEALED", &byte, 1), -ENOKEY);
    world_server_kill(&world);
    world.no_identity = false;
    world_server_start(&world);
    assert_int_equal(content("prod/billing/SEALED", &byte, 1), 1);
}

static void a_masked_view_refuses_secrets(void **state)
{
    (void)state;
    struct world masked = {0};
    struct view_options view = {.masked = 1, .directory_mode = 0755, .file_mode = 0444, .uid = 7};
    struct stat st;
    world_make(&masked, &view);
    world_environment_add(&masked, "prod");
    world_set(&masked, "prod/billing/PORT", "8080", 4);
    world_set_secret(&masked, "prod/billing/PASSWORD", "s3cret", 6);
    world_commit(&masked);
    assert_int_equal(stat(world_path(&masked, "prod/billing/PASSWORD"), &st), 0);
    assert_int_equal(st.st_size, 6);
    assert_int_equal(st.st_uid, 7);
    assert_int_equal(st.st_mode, S_IFREG | 0444);
    assert_int_equal(open(world_path(&masked, "prod/billing/PASSWORD"), O_RDONLY), -1);
    assert_int_equal(errno, EACCES);
    int fd = open(world_path(&masked, "prod/billing/PORT"), O_RDONLY);
    assert_true(fd >= 0);
    close(fd);
    world_end(&masked);
}

/* The superblock is gone with its last mount; the server notices by itself and goes on without. */
static void an_unmounted_view_is_forgotten(void **state)
{
    (void)state;
    struct world brief = {0};
    struct fs_status status;
    world_make(&brief, NULL);
    world_environment_add(&brief, "prod");
    world_commit(&brief);
    world_status(&brief, &status);
    assert_int_equal(status.views, 1);
    assert_int_equal(mount_detach(brief.mount, false), 0);
    do
        world_status(&brief, &status);
    while (status.views > 0);
    world_environment_add(&brief, "dev");
    uint64_t rev = world_commit(&brief);
    world_status(&brief, &status);
    assert_true(status.published == rev);
    world_end(&brief);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_in_byte_order),
        cmocka_unit_test(lists_thousands),
        cmocka_unit_test(attributes_are_exact),
        cmocka_unit_test(content_is_exact),
        cmocka_unit_test(content_at_odd_offsets_and_mapped),
        cmocka_unit_test(extended_attributes_tell),
        cmocka_unit_test(nothing_can_be_written),
        cmocka_unit_test(nothing_can_be_written_on_a_writable_mount),
        cmocka_unit_test(the_rest_of_what_programs_ask),
        cmocka_unit_test(works_without_an_identity),
        cmocka_unit_test(a_masked_view_refuses_secrets),
        cmocka_unit_test(an_unmounted_view_is_forgotten),
    };
    return cmocka_run_group_tests_name("tree", tests, make, end);
}
