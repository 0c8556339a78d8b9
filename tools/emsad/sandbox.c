/*
 * The sandbox, in four walls: no rights (capabilities, no_new_privs), no files (Landlock:
 * confine.h), no network (network.h), and no system calls but those that it needs (filter.h).
 *
 * The calls are filtered twice, since two things are wanted that no one answer gives. Whoever has
 * taken a process over must not get at what would be of use to it; and glibc, libfuse, LMDB and
 * libsodium change the calls that they make with every version, so that a filter that ends the
 * process that everybody reads from, because glibc took a new call, is an outage of our own making.
 *
 *   - The list of what is allowed (calls.c), for each role what it was seen to do and what glibc
 *     may do in its place. Any other call "does not exist": ENOSYS is what a library expects of an
 *     older kernel and goes round (EPERM it would take for an answer). The kernel writes each such
 *     call into its log (type=1326, with the number and the process's name), which 'emsa doctor'
 *     reads: nothing is refused silently, and nobody dies of it. No handler of ours tells of it:
 *     glibc starts and ends threads with all signals blocked, and a call that is trapped there ends
 *     the process.
 *   - The hard core (filter.c): what none of ours ever does on any version, and an attacker would.
 *     That ends the process:
 *       Another program: execve, and any new process. Threads are allowed. The flags of clone3
 *       cannot be looked at, so it "does not exist", and glibc takes clone.
 *       Other processes: ptrace, process_vm_*, pidfd_getfd, kcmp.
 *       The walls of the tree: mount and its modern kin, namespaces, chroot, handles.
 *       Ways around: io_uring (its sockets pass this filter unseen), bpf, keyctl, modules.
 *     A socket of its own fails with EPERM (a name service may try one), and so does what changes
 *     owners, modes and attributes of files, and what has a descriptor send signals.
 *
 * The core is loaded last: of two filters with equal answers the newer one's counts, and so what is
 * refused on purpose, clone3 at every thread, is not in the kernel's log.
 *
 * A call by another architecture's numbers ends the process (libseccomp's default). The sanitizers
 * start a process of their own at exit to look for leaks, trace us with it, and read /proc: under
 * them the list and the reading of files are not confined, and those calls are allowed.
 */
#include "tools/emsad/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsad/confine.h"
#include "tools/emsad/filter.h"

#ifdef EMSA_SANITIZED
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

#define NOBODY 65534 /* as Debian has it; no name service is asked */

/* Nothing that is run from here on gets a capability back; where this may not be settled,
 * no_new_privs and the filter stand before it. Needs CAP_SETPCAP, so it comes before root's rights
 * are given up. */
static int bound_capabilities(void)
{
    if (capng_get_caps_process() != 0)
        return error_set(ERR_IO, "cannot read the capabilities of this process");
    if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) != 1)
        return 0;
    capng_clear(CAPNG_SELECT_BOUNDS);
    if (capng_apply(CAPNG_SELECT_BOUNDS) != 0)
        return error_set(ERR_DENIED, "cannot bound capabilities");
    return 0;
}

#define WANTED_MAX 2u

/* Keeps of the wanted capabilities (WANTED_MAX at most) those that it has, and no other. */
static int keep_capabilities(const unsigned wanted[], size_t count)
{
    bool has[WANTED_MAX] = {false};
    if (capng_get_caps_process() != 0)
        return error_set(ERR_IO, "cannot read the capabilities of this process");
    for (size_t i = 0; i < count && i < WANTED_MAX; i++)
        has[i] = capng_have_capability(CAPNG_PERMITTED, wanted[i]) == 1;
    capng_clear(CAPNG_SELECT_CAPS);
    for (size_t i = 0; i < count && i < WANTED_MAX; i++)
        if (has[i])
            (void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, wanted[i]);
    if (capng_apply(CAPNG_SELECT_CAPS) != 0)
        return error_set(ERR_DENIED, "cannot give up capabilities");
    return 0;
}

static int become(uid_t uid, gid_t gid)
{
    if (geteuid() != 0 || uid == 0)
        return 0;
    if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return error_system(errno, "cannot become uid %u", (unsigned)uid);
    return 0;
}

/* A user namespace of one user has no other: who is 0 in it stays that, without its capabilities.
 */
static int become_nobody(void)
{
    if (geteuid() != 0)
        return 0;
    if (setresgid(NOBODY, NOBODY, NOBODY) < 0)
        return errno == EINVAL ? 0 : error_system(errno, "cannot become gid %d", NOBODY);
    return become(NOBODY, NOBODY);
}

static int no_new_rights(void)
{
    struct rlimit none = {0};
    if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
        return error_system(errno, "cannot forbid core dumps");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_system(errno, "cannot give up new privileges");
    return 0;
}

int sandbox_supervisor(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_system(errno, "cannot give up new privileges");
    return filter_supervisor();
}

int sandbox_server(uid_t uid, gid_t gid, const char *store)
{
    int error = bound_capabilities();
    if (error == 0)
        error = become(uid, gid);
    if (error == 0)
        error = keep_capabilities(NULL, 0);
    if (error == 0)
        error = no_new_rights();
    if (error == 0)
        error = IS_SANITIZED ? confine_writes(store) : confine_store(store);
    return error == 0 ? filter_enter(CALLS_SERVER) : error;
}

int sandbox_notifier(void)
{
    static const unsigned passing[] = {CAP_DAC_OVERRIDE, CAP_FOWNER};
    int error = bound_capabilities();
    /* a sanitizer looks into /proc when it reports */
    int has_folders = error == 0 && !IS_SANITIZED ? confine_root() : 0;
    if (has_folders < 0)
        error = has_folders;
    if (error == 0)
        error = keep_capabilities(passing, sizeof passing / sizeof passing[0]);
    if (error == 0)
        error = no_new_rights();
    if (error == 0)
        error = has_folders ? confine_writes(NULL) : confine_edits();
    return error == 0 ? filter_enter(CALLS_NOTIFIER) : error;
}

/* As become; what the process may do is still its to give away. */
static int become_with_rights(uid_t uid, gid_t gid)
{
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return error_system(errno, "cannot keep capabilities");
    int error = become(uid, gid);
    (void)prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    return error;
}

int sandbox_audit(uid_t uid, gid_t gid, const char *folder, int (*look)(void))
{
    int error = bound_capabilities();
    if (error == 0)
        error = become_with_rights(uid, gid);
    if (error == 0)
        error = no_new_rights();
    if (error == 0 && look != NULL)
        error = look();
    if (error == 0)
        error = keep_capabilities(NULL, 0);
    if (error == 0)
        (void)mkdir(folder, 0700); /* whether it is there, is seen next */
    if (error == 0)
        error = IS_SANITIZED ? confine_writes(folder) : confine_audit(folder);
    return error == 0 ? filter_enter(CALLS_AUDIT) : error;
}

int sandbox_look(void)
{
    static const unsigned looking[] = {CAP_SYS_PTRACE};
    int error = keep_capabilities(looking, 1);
    return error == 0 ? filter_enter(CALLS_LOOK) : error;
}

int sandbox_annex(enum calls_role role)
{
    int error = bound_capabilities();
    if (error == 0)
        error = become_nobody();
    if (error == 0)
        error = keep_capabilities(NULL, 0);
    if (error == 0)
        error = no_new_rights();
    if (error == 0) /* a sanitizer that looks for leaks reads what is known of its process */
        error = IS_SANITIZED ? confine_writes(NULL) : confine_all();
    return error == 0 ? filter_enter(role) : error;
}
