/*
 * The sandbox. A list of what is forbidden, not of what is allowed: the server runs libfuse, LMDB,
 * libsodium and glibc with threads, whose calls change with every version of Debian, and a filter
 * that kills the process that everybody reads from, because glibc took a new call, is an outage of
 * our own making. What is forbidden is what a server that has been taken over would need to make
 * use of what it holds:
 *
 *   - The network, and others' services by way of unix sockets: what there is to speak to was made
 *     and handed over by the supervisor.
 *   - Another program: execve, and any new process. Threads are allowed. The flags of clone3 cannot
 *     be looked at, so it "does not exist", and glibc takes clone.
 *   - Other processes: ptrace, process_vm_*, pidfd_getfd, kcmp.
 *   - The walls of the tree: mount and its modern kin, namespaces, chroot, handles.
 *   - Ways around: io_uring (its sockets pass this filter unseen), bpf, keyctl, modules.
 *
 * A socket of its own fails with EPERM (a name service may try one), and so does what changes
 * owners, modes and attributes of files; everything else ends the process, since nothing of ours
 * ever does it. A call by another architecture's numbers ends it too (libseccomp's default). The
 * sanitizers start a process of their own at exit to look for leaks and trace us with it, so under
 * them those two are allowed.
 */
#include "tools/emsad/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsad/confine.h"

#ifdef EMSA_SANITIZED
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

#define NOBODY 65534           /* as Debian has it; no name service is asked */
#define THREAD_FLAG 0x00010000 /* CLONE_THREAD; <sched.h> hides it behind its own macros */

/* Newer than the names that libseccomp knows; the numbers are the same for every architecture. */
#define FCHMODAT2 452      /* Linux 6.6 */
#define SETXATTRAT 463     /* Linux 6.13 */
#define REMOVEXATTRAT 466  /* Linux 6.13 */
#define OPEN_TREE_ATTR 467 /* Linux 6.15 */
#define FILE_SETATTR 469   /* Linux 6.17 */

static const int killed[] = {
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fsmount),
    SCMP_SYS(fspick),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(personality),
    OPEN_TREE_ATTR,
};

/* Root's server owns root's files, and Landlock does not mind these. */
static const int refused[] = {
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(chown),
    SCMP_SYS(fchown),
    SCMP_SYS(lchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr),
    SCMP_SYS(removexattr),
    SCMP_SYS(lremovexattr),
    SCMP_SYS(fremovexattr),
    FCHMODAT2,
    SETXATTRAT,
    REMOVEXATTRAT,
    FILE_SETATTR,
};

/* Nobody makes one: who is spoken to was handed over. */
static const int networks[] = {
    SCMP_SYS(socket),
    SCMP_SYS(connect),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
};

static const int processes[] = {
    SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(ptrace),
};

static int forbid(scmp_filter_ctx filter, uint32_t action, const int calls[], size_t count)
{
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++)
        error = seccomp_rule_add(filter, action, calls[i], 0);
    return error;
}

static int forbid_processes(scmp_filter_ctx filter)
{
    int error =
        forbid(filter, SCMP_ACT_KILL_PROCESS, processes, sizeof processes / sizeof processes[0]);
    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                                 SCMP_A0(SCMP_CMP_MASKED_EQ, THREAD_FLAG, 0));
    return error;
}

static int fill(scmp_filter_ctx filter)
{
    int error = forbid(filter, SCMP_ACT_KILL_PROCESS, killed, sizeof killed / sizeof killed[0]);
    if (error == 0)
        error = forbid(filter, SCMP_ACT_ERRNO(EPERM), refused, sizeof refused / sizeof refused[0]);
    if (error == 0 && !IS_SANITIZED)
        error = forbid_processes(filter);
    if (error == 0)
        error =
            forbid(filter, SCMP_ACT_ERRNO(EPERM), networks, sizeof networks / sizeof networks[0]);
    return error;
}

static int filter_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL)
        return error_set(ERR_NOMEM, "cannot make a system call filter: out of memory");
    int error = fill(filter);
    if (error == 0)
        error = seccomp_load(filter);
    seccomp_release(filter);
    return error < 0 ? error_system(-error, "cannot load the system call filter") : 0;
}

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

/* Keeps of the wanted capabilities those that it has, and no other. */
static int keep_capabilities(const unsigned wanted[], size_t count)
{
    bool has[2] = {false, false};
    if (capng_get_caps_process() != 0)
        return error_set(ERR_IO, "cannot read the capabilities of this process");
    for (size_t i = 0; i < count; i++)
        has[i] = capng_have_capability(CAPNG_PERMITTED, wanted[i]) == 1;
    capng_clear(CAPNG_SELECT_CAPS);
    for (size_t i = 0; i < count; i++)
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
        error = confine_writes(store);
    return error == 0 ? filter_calls() : error;
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
    return error == 0 ? filter_calls() : error;
}

int sandbox_annex(void)
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
    return error == 0 ? filter_calls() : error;
}
