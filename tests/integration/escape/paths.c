/* Out of the view by its own paths, and by names of what is not in it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "escape.h"

#define UP "../../../../../../../../../../../.."

/* Up from a directory, one step at a time, with the names that are there: the mount's root is the
 * last of the view, and what is above it is the container's. */
static void climb(const char *attempt, int directory)
{
    unsigned steps = 0;
    for (int at = dup(directory); at >= 0 && steps < 40; steps++) {
        loot_names(at, ".");
        int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = up;
        if (at < 0)
            row(attempt, "%s after %u steps", error_name(errno), steps);
    }
    if (steps == 40)
        row(attempt, "no way out in 40 steps");
}

static void dots(void)
{
    char path[4096];
    static const char *const forms[] = {
        "/..",          "/" UP,
        "/" UP "/env",  "/.emsa/" UP,
        "//..//..",     "/.emsa/../../..",
        "/.emsa/at/..", "/.emsa/head/../../..",
    };
    int directory = open(service, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    climb("openat(..) 40 times", directory);
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        snprintf(path, sizeof(path), "%s%s", service, forms[i]);
        loot_names(AT_FDCWD, path);
    }
    row("/.. in 8 forms", "the view's own directories, and the container's");
    struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT};
    int fd = (int)syscall(SYS_openat2, directory, UP "/etc/passwd", &how, sizeof(how));
    may_do("openat2(RESOLVE_IN_ROOT, ../..)", fd);
    snprintf(path, sizeof(path), "/proc/self/fd/%d/" UP, directory);
    loot_names(AT_FDCWD, path);
    row("/proc/self/fd/N/..", "the container's");
    close(directory);
}

static void other_root(void)
{
    int outside = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (chroot(service) < 0) {
        row("chroot into the view", "%s", error_name(errno));
        return;
    }
    loot_names(AT_FDCWD, "/");
    loot_names(AT_FDCWD, "/" UP);
    if (fchdir(outside) == 0)
        climb("chroot into the view, and up from outside", outside);
}

static void pivoted(void)
{
    if (unshare(CLONE_NEWNS) < 0) {
        row("pivot_root into the view", "%s", error_name(errno));
        return;
    }
    if (chdir(view) == 0 && syscall(SYS_pivot_root, ".", ".") == 0) {
        loot_names(AT_FDCWD, "/");
        loot_names(AT_FDCWD, "/" UP);
        row("pivot_root into the view", "its own directories");
        return;
    }
    row("pivot_root into the view", "%s", error_name(errno));
}

static void cloned_tree(void)
{
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, service, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    may_do("open_tree(OPEN_TREE_CLONE)", tree);
    if (tree < 0)
        return;
    climb("openat(..) from a cloned tree", tree);
    loot_names(tree, ".");
    close(tree);
}

static int watcher = -1;

/* Each call that takes a path, on two names: one that somebody else has, one that nobody has. */
static long call(unsigned which, const char *path)
{
    struct stat status;
    struct statx extended;
    char text[4096];
    switch (which) {
    case 0:
        return stat(path, &status);
    case 1:
        return open(path, O_RDONLY | O_CLOEXEC);
    case 2:
        return open(path, O_PATH | O_CLOEXEC);
    case 3:
        return open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    case 4:
        return access(path, F_OK);
    case 5:
        return statx(AT_FDCWD, path, AT_STATX_FORCE_SYNC, ~0u & ~STATX__RESERVED, &extended);
    case 6:
        return mkdir(path, 0700);
    case 7:
        return mknod(path, S_IFREG | 0600, 0);
    case 8:
        return unlink(path);
    case 9:
        return rmdir(path);
    case 10:
        return getxattr(path, "user.emsa.rev", text, sizeof(text));
    case 11:
        return readlink(path, text, sizeof(text));
    case 12:
        return inotify_add_watch(watcher, path, IN_ALL_EVENTS);
    case 13:
        return rename(key, path);
    case 14:
        return link(key, path);
    case 15:
        return symlink("x", path);
    case 16:
        return truncate(path, 0);
    case 17:
        return chdir(path);
    case 18:
        return mount(path, "/tmp", NULL, MS_BIND, NULL);
    default:
        return rename(path, key);
    }
}
#define CALLS 20u

struct named {
    unsigned long names, apart;
    struct tally tally;
};

/* "NAME<TAB>TWIN", both below the view. */
static void compare(void *context, char *line)
{
    struct named *named = context;
    char real[4200], made_up[4200], *twin = strchr(line, '\t');
    if (!twin)
        return;
    *twin++ = 0;
    snprintf(real, sizeof(real), "%s/%s", view, line);
    snprintf(made_up, sizeof(made_up), "%s/%s", view, twin);
    named->names++;
    for (unsigned i = 0; i < CALLS; i++) {
        errno = 0;
        long one = call(i, real);
        int error = one < 0 ? errno : 0;
        tally_add(&named->tally, one);
        errno = 0;
        long other = call(i, made_up);
        if (error != (other < 0 ? errno : 0) || one >= 0)
            named->apart++;
    }
    loot_file(AT_FDCWD, real);
    loot_names(AT_FDCWD, real);
}

static void strange(void)
{
    char path[8192], name[5000];
    struct tally tally = {0};
    static const char *const names[] = {
        "\x01",       "a\n",          "...",       "..\xff",      " .",
        "%2e%2e",     "..%2f",        "..\\",      "\\057..",     ".emsa\x7f",
        "\xc0\xaf..", "\xe2\x80\xae", "prod\xffx", "*",           "?",
        "[a-z]",      "user:0",       ".emsa.",    "EMSA_FORGET", ".fuse_hidden",
        "~",          "\xef\xbb\xbf", "#1",        "0",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(path, sizeof(path), "%s/%s", service, names[i]);
        tally_add(&tally, open(path, O_RDONLY | O_CLOEXEC));
        snprintf(path, sizeof(path), "%s/%s", view, names[i]);
        tally_add(&tally, open(path, O_RDONLY | O_CLOEXEC));
    }
    static const size_t lengths[] = {254, 255, 256, 1023, 1024, 1025, 4094, 4096};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        memset(name, 'a', lengths[i]);
        name[lengths[i]] = 0;
        snprintf(path, sizeof(path), "%s/%s", service, name);
        tally_add(&tally, open(path, O_RDONLY | O_CLOEXEC));
    }
    tally_row("56 strange and long names", &tally);
}

void try_names(void)
{
    struct named named = {0};
    watcher = inotify_init1(IN_CLOEXEC);
    each_line("names", compare, &named);
    if (named.apart)
        hole("names of others", "%lu of %lu calls told them apart from names that are not there",
             named.apart, named.names * CALLS);
    else if (named.names)
        tally_row("names of others, 20 calls each, as names that are not there", &named.tally);
    else
        hole("names of others", "there were none");
    strange();
}

void try_paths(void)
{
    dots();
    if (in_child(other_root) != 0 || in_child(pivoted) != 0)
        hole("another root", "did not come to an end");
    cloned_tree();
}
