/* From inside each sandbox, in a child for each try: what is refused, and how; and that what is
 * done in there still can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/secret.h"
#include "tools/emsad/audit_look.h"
#include "tools/emsad/sandbox.h"

#ifdef EMSA_SANITIZED
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

#define ENDED (-1) /* in place of an errno: the process is ended by SIGSYS */
#define EVERYBODY (CALLS_ALL | CALLS_LOOK)
#define CONFINED ((unsigned)(CALLS_SERVER | CALLS_AUDIT))
#define WITHOUT_FILES ((unsigned)(CALLS_METRICS | CALLS_VOLUME))

static bool has_landlock;
static char store[] = "/tmp/emsad-filter.XXXXXX";

struct attempt {
    const char *name;
    unsigned roles;
    long number;
    long arguments[6];
    int expected; /* errno, ENDED, or 0: it is done */
    bool is_core; /* the sanitizers' processes are held to it as well */
};

static char linked[256];

#define PATH(text) ((long)(intptr_t)(text)) /* NOLINT: as the kernel takes it */

static const struct attempt attempts[] = {
    {"socket", EVERYBODY, SYS_socket, {AF_UNIX, SOCK_STREAM}, EPERM, true},
    {"socket of the internet", EVERYBODY, SYS_socket, {AF_INET, SOCK_STREAM}, EPERM, true},
    {"socket of the kernel's", EVERYBODY, SYS_socket, {AF_NETLINK, SOCK_RAW}, EPERM, true},
    {"connect", EVERYBODY, SYS_connect, {0}, EPERM, true},
    {"bind", EVERYBODY, SYS_bind, {0}, EPERM, true},
    {"listen", EVERYBODY, SYS_listen, {0}, EPERM, true},
    {"execve", EVERYBODY, SYS_execve, {PATH("/bin/true")}, ENDED, false},
    {"execveat", EVERYBODY, SYS_execveat, {0}, ENDED, false},
    {"ptrace", EVERYBODY, SYS_ptrace, {PTRACE_TRACEME}, ENDED, false},
    {"a process", EVERYBODY, SYS_clone, {SIGCHLD}, ENDED, false},
    {"clone3", EVERYBODY, SYS_clone3, {0}, ENOSYS, false},
    {"process_vm_readv", EVERYBODY, SYS_process_vm_readv, {1}, ENDED, true},
    {"pidfd_getfd", EVERYBODY, SYS_pidfd_getfd, {0}, ENDED, true},
    {"mount", EVERYBODY, SYS_mount, {0}, ENDED, true},
    {"fsopen", EVERYBODY, SYS_fsopen, {PATH("tmpfs")}, ENDED, true},
    {"open_tree", EVERYBODY, SYS_open_tree, {AT_FDCWD, PATH("/"), 1}, ENDED, true},
    {"unshare", EVERYBODY, SYS_unshare, {CLONE_NEWUSER}, ENDED, true},
    {"setns", EVERYBODY, SYS_setns, {0}, ENDED, true},
    {"chroot", EVERYBODY, SYS_chroot, {PATH("/")}, ENDED, true},
    {"open_by_handle_at", EVERYBODY, SYS_open_by_handle_at, {0}, ENDED, true},
    {"io_uring_setup", EVERYBODY, SYS_io_uring_setup, {1}, ENDED, true},
    {"bpf", EVERYBODY, SYS_bpf, {0}, ENDED, true},
    {"keyctl", EVERYBODY, SYS_keyctl, {0}, ENDED, true},
    {"perf_event_open", EVERYBODY, SYS_perf_event_open, {0}, ENDED, true},
    {"userfaultfd", EVERYBODY, SYS_userfaultfd, {0}, ENDED, true},
    {"fchmod", EVERYBODY, SYS_fchmod, {0, 0777}, EPERM, true},
    {"fchown", EVERYBODY, SYS_fchown, {0, 0, 0}, EPERM, true},
    /* what none of them needs does not exist */
    {"inotify", EVERYBODY, SYS_inotify_init1, {0}, ENOSYS, false},
    {"pidfd_open", EVERYBODY, SYS_pidfd_open, {1}, ENOSYS, false},
    {"setuid", EVERYBODY, SYS_setuid, {0}, ENOSYS, false},
    {"capset", EVERYBODY, SYS_capset, {0}, ENOSYS, false},
    {"ioctl", EVERYBODY, SYS_ioctl, {0}, ENOSYS, false},
    {"sendfile", EVERYBODY, SYS_sendfile, {0}, ENOSYS, false},
    {"splice", EVERYBODY, SYS_splice, {0}, ENOSYS, false},
    {"setrlimit", EVERYBODY, SYS_prlimit64, {0}, ENOSYS, false},
    {"a call that no kernel has yet", EVERYBODY, 5000, {0}, ENOSYS, false},
    /* some arguments only */
    {"memory to run",
     EVERYBODY,
     SYS_mmap,
     {0, 4096, PROT_READ | PROT_EXEC, 0x22, -1},
     ENOSYS,
     false},
    {"memory", EVERYBODY, SYS_mmap, {0, 4096, PROT_READ, 0x22, -1}, 0, false},
    {"being dumpable again", EVERYBODY, SYS_prctl, {PR_SET_DUMPABLE, 1}, ENOSYS, false},
    {"a signal to another", EVERYBODY, SYS_kill, {1, SIGTERM}, ENOSYS, false},
    {"a signal to another's thread", EVERYBODY, SYS_tgkill, {1, 1, SIGTERM}, ENOSYS, false},
    {"a descriptor's signals, to another", EVERYBODY, SYS_fcntl, {0, F_SETOWN, 1}, EPERM, true},
    {"the same, extended", EVERYBODY, SYS_fcntl, {0, F_SETOWN_EX, 0}, EPERM, true},
    {"which signal", EVERYBODY, SYS_fcntl, {0, F_SETSIG, SIGKILL}, EPERM, true},
    {"whether another lives", CALLS_SERVER, SYS_kill, {1, 0}, 0, false},
    /* files */
    {"a folder's file", CONFINED, SYS_openat, {AT_FDCWD, PATH("/etc/hostname")}, EACCES, false},
    {"the accounts' passwords",
     CONFINED,
     SYS_openat,
     {AT_FDCWD, PATH("/etc/shadow")},
     EACCES,
     false},
    {"another's environment",
     CALLS_SERVER,
     SYS_openat,
     {AT_FDCWD, PATH("/proc/1/environ")},
     EACCES,
     false},
    {"a program", CONFINED, SYS_openat, {AT_FDCWD, PATH("/bin/sh")}, EACCES, false},
    {"a file to write to",
     CONFINED,
     SYS_openat,
     {AT_FDCWD, PATH("/tmp/emsad-filter-new"), O_WRONLY | O_CREAT, 0600},
     EACCES,
     false},
    {"another's memory",
     CONFINED,
     SYS_openat,
     {AT_FDCWD, PATH("/proc/1/mem"), O_RDWR},
     EACCES,
     false},
    {"what another is called", CALLS_AUDIT, SYS_openat, {AT_FDCWD, PATH("/proc/1/comm")}, 0, false},
    /* who may see what others run opens nothing, and gets at them by no other way */
    {"opening", CALLS_LOOK, SYS_openat, {AT_FDCWD, PATH("/proc/1/mem")}, ENOSYS, false},
    {"opening, the new way",
     CALLS_LOOK,
     SYS_openat2,
     {AT_FDCWD, PATH("/proc/1/mem")},
     ENOSYS,
     false},
    {"reading", CALLS_LOOK, SYS_read, {0}, ENOSYS, false},
    {"where a link leads",
     CALLS_LOOK,
     SYS_readlink,
     {PATH("/proc/self/exe"), PATH(linked), sizeof linked},
     0,
     false},
    {"the list of users", CALLS_SERVER, SYS_openat, {AT_FDCWD, PATH("/etc/passwd")}, 0, false},
    {"its map", CALLS_SERVER, SYS_openat, {AT_FDCWD, PATH("/proc/self/maps")}, 0, false},
    {"any file", WITHOUT_FILES, SYS_openat, {AT_FDCWD, PATH("/dev/null")}, EACCES, false},
};

static int enter(unsigned role)
{
    if (role == CALLS_SERVER)
        return sandbox_server(geteuid(), getegid(), store);
    if (role == CALLS_AUDIT)
        return sandbox_audit(geteuid(), getegid(), store, NULL);
    if (role == CALLS_LOOK)
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -1 : sandbox_look();
    return role == CALLS_NOTIFIER ? sandbox_notifier() : sandbox_annex((enum calls_role)role);
}

/* 100: it could not enter; else the errno. */
static int try_it(const struct attempt *attempt, unsigned role)
{
    const long *a = attempt->arguments;
    if (enter(role) != 0)
        return 100;
    return syscall(attempt->number, a[0], a[1], a[2], a[3], a[4], a[5]) < 0 ? errno : 0;
}

static int outcome_of(const struct attempt *attempt, unsigned role)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(try_it(attempt, role));
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? ENDED : 1000 + WTERMSIG(status);
    return WEXITSTATUS(status);
}

static void refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        const struct attempt *attempt = &attempts[i];
        if (!has_landlock && attempt->expected == EACCES)
            continue;
        if (IS_SANITIZED && !attempt->is_core)
            continue;
        for (unsigned role = CALLS_SERVER; role <= CALLS_LOOK; role <<= 1) {
            if ((attempt->roles & role) == 0)
                continue;
            if (access("/etc/shadow", R_OK) < 0 && strstr(attempt->name, "passwords") != NULL)
                continue;
            int found = outcome_of(attempt, role);
            if (found != attempt->expected)
                print_error("role %u, %s: expected %d, found %d\n", role, attempt->name,
                            attempt->expected, found);
            assert_int_equal(found, attempt->expected);
        }
    }
}

static void *thread_work(void *arg)
{
    struct secret secret;
    *(bool *)arg = secret_alloc(&secret, 100000) == 0;
    if (*(bool *)arg)
        secret_release(&secret);
    return NULL;
}

/* Threads, locked memory, an aborting process. */
static int live(void)
{
    pthread_t thread;
    bool is_done = false;
    if (secret_setup(1u << 22) != 0 || sandbox_server(geteuid(), getegid(), store) != 0)
        return 1;
    if (pthread_create(&thread, NULL, thread_work, &is_done) != 0 ||
        pthread_join(thread, NULL) != 0)
        return 2;
    if (!is_done)
        return 3;
    abort();
}

static void works(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(live());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_false(WCOREDUMP(status));
}

/* What the supervisor never does, and what it must still be able to. */
static int as_supervisor(void)
{
    static const struct {
        long number, argument;
        int expected;
    } tries[] = {{SYS_bpf, 0, EPERM},
                 {SYS_keyctl, 0, EPERM},
                 {SYS_process_vm_readv, 1, EPERM},
                 {SYS_pidfd_getfd, 0, EPERM},
                 {SYS_perf_event_open, 0, EPERM},
                 {SYS_io_uring_setup, 1, EPERM},
                 {SYS_init_module, 0, EPERM},
                 {SYS_kexec_load, 0, EPERM},
                 {SYS_clock_settime, 0, EPERM},
                 {SYS_socket, AF_PACKET, EAFNOSUPPORT},
                 {SYS_socket, AF_VSOCK, EAFNOSUPPORT},
                 {SYS_socket, AF_UNIX, 0},
                 {SYS_socket, AF_INET6, 0},
                 {SYS_unshare, 0, 0}};
    int status;
    if (sandbox_supervisor() != 0)
        return 100;
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        long type = tries[i].number == SYS_socket ? SOCK_DGRAM : 0;
        int found = syscall(tries[i].number, tries[i].argument, type, 0, 0, 0, 0) < 0 ? errno : 0;
        if (found != tries[i].expected)
            return (int)i + 1;
    }
    if (!IS_SANITIZED && (syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0) == 0 || errno != EPERM))
        return 101;
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(127);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 102;
}

static void supervisor(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(as_supervisor());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static const char *whose; /* of the process that was started for it, a program's path */

/* The audit process sees what another one runs, in its sandbox. */
static int look(void)
{
    char program[512];
    const pid_t parent = getppid(); /* which there is no call for inside */
    int outcome = 0;
    if (sandbox_audit(geteuid(), getegid(), store, audit_look_begin) != 0)
        return 1;
    if (audit_look(program, sizeof program, parent) == 0)
        outcome = 2;
    else if (strcmp(program, whose) != 0)
        outcome = 3;
    if (audit_look(program, sizeof program, 0) != 0 || audit_look(program, sizeof program, -1) != 0)
        outcome = 4;
    audit_look_end();
    return outcome;
}

static void looks(void **state)
{
    (void)state;
    int status;
    ssize_t size = readlink("/proc/self/exe", linked, sizeof linked - 1);
    assert_true(size > 0);
    linked[size] = '\0';
    whose = linked;
    pid_t pid = fork();
    if (pid == 0)
        _exit(look());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int make(void **state)
{
    (void)state;
    has_landlock =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
    return mkdtemp(store) == NULL ? -1 : 0;
}

static int clean(void **state)
{
    (void)state;
    return rmdir(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),
        cmocka_unit_test(works),
        cmocka_unit_test(looks),
        cmocka_unit_test(supervisor),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
