#include "tools/emsad/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/log.h"

#ifdef EMSA_SANITIZED
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

#define THREAD_FLAG 0x00010000 /* CLONE_THREAD; <sched.h> hides it behind its own macros */
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* Newer than the names that libseccomp knows; the numbers are the same for every architecture. */
#define FCHMODAT2 452      /* Linux 6.6 */
#define SETXATTRAT 463     /* Linux 6.13 */
#define REMOVEXATTRAT 466  /* Linux 6.13 */
#define OPEN_TREE_ATTR 467 /* Linux 6.15 */
#define FILE_SETATTR 469   /* Linux 6.17 */

/* Into other processes, the kernel and the machine: no process of the daemon's ever goes there. */
static const int alien[] = {
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    SCMP_SYS(open_by_handle_at),
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
};

/* What the supervisor does for the others, and what is next to it. */
static const int supervising[] = {
    SCMP_SYS(mount),      SCMP_SYS(umount2),           SCMP_SYS(pivot_root),    SCMP_SYS(chroot),
    SCMP_SYS(fsopen),     SCMP_SYS(fsconfig),          SCMP_SYS(fsmount),       SCMP_SYS(fspick),
    SCMP_SYS(move_mount), SCMP_SYS(open_tree),         SCMP_SYS(mount_setattr), SCMP_SYS(unshare),
    SCMP_SYS(setns),      SCMP_SYS(name_to_handle_at), SCMP_SYS(personality),   OPEN_TREE_ATTR,
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

/* A descriptor whose news are signals to whom one likes, of which SIGKILL may be one: the other
 * processes of the store's owner take those. */
static const unsigned signalling[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG};

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

static int rule_each(scmp_filter_ctx filter, uint32_t action, const int calls[], size_t count)
{
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++)
        error = seccomp_rule_add(filter, action, calls[i], 0);
    return error;
}

static int forbid_processes(scmp_filter_ctx filter)
{
    int error = rule_each(filter, SCMP_ACT_KILL_PROCESS, processes, COUNT(processes));
    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (error == 0)
        error = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                                 SCMP_A0(SCMP_CMP_MASKED_EQ, THREAD_FLAG, 0));
    return error;
}

static int forbid_signals(scmp_filter_ctx filter)
{
    int error = 0;
    for (size_t i = 0; i < COUNT(signalling) && error == 0; i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fcntl), 1,
                                 SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, signalling[i]));
    for (size_t i = 0; i < COUNT(signalling) && error == 0; i++)
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(fcntl64), 1,
                                 SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, signalling[i]));
    return error;
}

/* The hard core. Who has no files (confine_all) is told so: libmicrohttpd tries /dev/urandom. */
static int forbid(scmp_filter_ctx filter, enum calls_role role)
{
    int error = rule_each(filter, SCMP_ACT_KILL_PROCESS, alien, COUNT(alien));
    if (error == 0)
        error = rule_each(filter, SCMP_ACT_KILL_PROCESS, supervising, COUNT(supervising));
    if (error == 0)
        error = rule_each(filter, SCMP_ACT_ERRNO(EPERM), refused, COUNT(refused));
    if (error == 0 && !IS_SANITIZED)
        error = forbid_processes(filter);
    if (error == 0)
        error = rule_each(filter, SCMP_ACT_ERRNO(EPERM), networks, COUNT(networks));
    if (error == 0)
        error = forbid_signals(filter);
    if (error == 0 && !IS_SANITIZED && (role & (CALLS_METRICS | CALLS_VOLUME)) != 0)
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 0);
    return error;
}

static int allow_condition(scmp_filter_ctx filter, const struct calls_condition *condition)
{
    struct scmp_arg_cmp is = {.arg = condition->argument,
                              .op = SCMP_CMP_MASKED_EQ,
                              .datum_a = condition->mask,
                              .datum_b = condition->value};
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, condition->call, 1, &is);
}

/* raise and abort, and no other process's thread. */
static int allow_itself(scmp_filter_ctx filter)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)getpid()));
}

static int allow(scmp_filter_ctx filter, enum calls_role role)
{
    /* the second filter comes after it */
    int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(seccomp), 0);
    for (size_t i = 0; i < calls_group_count && error == 0; i++)
        if (calls_groups[i].roles & (unsigned)role)
            error = rule_each(filter, SCMP_ACT_ALLOW, calls_groups[i].calls, calls_groups[i].count);
    for (size_t i = 0; i < calls_condition_count && error == 0; i++)
        if (calls_conditions[i].roles & (unsigned)role)
            error = allow_condition(filter, &calls_conditions[i]);
    return error == 0 ? allow_itself(filter) : error;
}

/* Where the kernel was built without filters the other walls are all there is. */
static bool has_filters(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 || errno != EINVAL;
}

static int load(uint32_t otherwise, int (*fill)(scmp_filter_ctx, enum calls_role),
                enum calls_role role, bool is_told)
{
    scmp_filter_ctx filter = seccomp_init(otherwise);
    if (filter == NULL)
        return error_set(ERR_NOMEM, "cannot make a system call filter: out of memory");
    int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0); /* it is set */
    if (error == 0 && is_told)
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1); /* Linux 4.14 */
    if (error == 0)
        error = fill(filter, role);
    if (error == 0)
        error = seccomp_load(filter);
    seccomp_release(filter);
    return error < 0 ? error_system(-error, "cannot load the system call filter") : 0;
}

/* Administering the machine. The other processes' lists leave these out: ENOSYS there. */
static const int administering[] = {
    SCMP_SYS(fanotify_init), SCMP_SYS(syslog),   SCMP_SYS(settimeofday), SCMP_SYS(clock_settime),
    SCMP_SYS(clock_adjtime), SCMP_SYS(adjtimex), SCMP_SYS(sethostname),  SCMP_SYS(setdomainname),
    SCMP_SYS(vhangup),       SCMP_SYS(iopl),     SCMP_SYS(ioperm),
};

#define FAMILY(number)                                                                             \
    SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)(number))

/* Any but those of this machine, of the internet, and netlink, which name services ask. */
static int forbid_families(scmp_filter_ctx filter)
{
    const uint32_t action = SCMP_ACT_ERRNO(EAFNOSUPPORT);
    int error = 0;
    for (int family = AF_INET + 1; family < AF_NETLINK && error == 0; family++)
        if (family != AF_INET6)
            error = seccomp_rule_add(filter, action, FAMILY(family));
    return error < 0 ? error
                     : seccomp_rule_add(filter, action, SCMP_SYS(socket), 1,
                                        SCMP_A0(SCMP_CMP_GT, AF_NETLINK));
}

/* For good: whatever the supervisor runs has it too. */
static int forbid_alien(scmp_filter_ctx filter, enum calls_role role)
{
    (void)role;
    int error = rule_each(filter, SCMP_ACT_ERRNO(EPERM), alien, COUNT(alien));
    if (error == 0)
        error = rule_each(filter, SCMP_ACT_ERRNO(EPERM), administering, COUNT(administering));
    if (error == 0 && !IS_SANITIZED)
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ptrace), 0);
    return error == 0 ? forbid_families(filter) : error;
}

int filter_supervisor(void)
{
    return has_filters() ? load(SCMP_ACT_ALLOW, forbid_alien, CALLS_SERVER, false)
                         : error_set(ERR_IO, "this kernel has no system call filters");
}

int filter_enter(enum calls_role role)
{
    if (!has_filters()) {
        log_warning("this kernel has no system call filters (CONFIG_SECCOMP_FILTER): 'emsa doctor' "
                    "says what protects this process");
        return 0;
    }
    int error = 0;
    if (!IS_SANITIZED) /* they call what they like */
        error = load(SCMP_ACT_ERRNO(ENOSYS), allow, role, true);
    return error == 0 ? load(SCMP_ACT_ALLOW, forbid, role, false) : error;
}
