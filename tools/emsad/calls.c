#include "tools/emsad/calls.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define CALLS(...) (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int)

#define EVERY_BIT UINT64_C(0xffffffff) /* of an int: what is above it is not always filled */
#define THREAD_FLAG 0x00010000         /* CLONE_THREAD; <sched.h> hides it behind its own macros */
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* Linux 5.17 */
#endif

const struct calls_group calls_groups[] = {
    {"memory; a mapping that can be run is a condition below", CALLS_ALL,
     CALLS(SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise))},
    {"threads, and what glibc does for each", CALLS_ALL,
     CALLS(SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list),
           SCMP_SYS(get_robust_list), SCMP_SYS(set_tid_address), SCMP_SYS(rseq), SCMP_SYS(gettid),
           SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu),
           SCMP_SYS(membarrier), SCMP_SYS(arch_prctl), SCMP_SYS(exit), SCMP_SYS(exit_group))},
    {"signals: those that a fault raises, and going on after one", CALLS_ALL,
     CALLS(SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
           SCMP_SYS(sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall))},
    {"who one is, which tells nothing of others", CALLS_ALL,
     CALLS(SCMP_SYS(getpid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
           SCMP_SYS(getegid), SCMP_SYS(getrandom), SCMP_SYS(uname), SCMP_SYS(getrlimit),
           SCMP_SYS(ugetrlimit), SCMP_SYS(sysinfo), SCMP_SYS(getrusage))},
    {"the clocks, where the vDSO hands on to the kernel", CALLS_ALL,
     CALLS(SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_getres),
           SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep),
           SCMP_SYS(clock_nanosleep_time64))},
    {"descriptors that one has: the channel, the log, a reply to a reader", CALLS_ALL,
     CALLS(SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(close),
           SCMP_SYS(fcntl), SCMP_SYS(fcntl64), SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(lseek),
           SCMP_SYS(_llseek), SCMP_SYS(dup), SCMP_SYS(dup3), SCMP_SYS(close_range))},
    {"waiting", CALLS_ALL,
     CALLS(SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(epoll_create1),
           SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2),
           SCMP_SYS(eventfd2), SCMP_SYS(pselect6), SCMP_SYS(select))},
    {"sockets that one was handed: speaking, and asking who speaks", CALLS_ALL,
     CALLS(SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(send), SCMP_SYS(recv), SCMP_SYS(sendmsg),
           SCMP_SYS(recvmsg), SCMP_SYS(shutdown), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
           SCMP_SYS(getsockname), SCMP_SYS(getpeername))},
    {"listeners that one was handed", CALLS_SERVER | CALLS_METRICS | CALLS_VOLUME,
     CALLS(SCMP_SYS(accept4), SCMP_SYS(accept))},
    {"looking at files; where one may open which, Landlock says (confine.h)",
     CALLS_SERVER | CALLS_NOTIFIER | CALLS_AUDIT,
     CALLS(SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(open), SCMP_SYS(newfstatat),
           SCMP_SYS(fstatat64), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(stat64),
           SCMP_SYS(lstat64), SCMP_SYS(statx), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
           SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(statfs), SCMP_SYS(fstatfs),
           SCMP_SYS(statfs64), SCMP_SYS(fstatfs64), SCMP_SYS(access), SCMP_SYS(faccessat),
           SCMP_SYS(faccessat2))},
    {"the store's files: LMDB, what is refused, the list of volumes", CALLS_SERVER,
     CALLS(SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev),
           SCMP_SYS(fdatasync), SCMP_SYS(fsync), SCMP_SYS(msync), SCMP_SYS(sync_file_range),
           SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fallocate), SCMP_SYS(fadvise64),
           SCMP_SYS(fadvise64_64), SCMP_SYS(flock), SCMP_SYS(rename), SCMP_SYS(renameat),
           SCMP_SYS(renameat2), SCMP_SYS(unlink), SCMP_SYS(unlinkat))},
    {"the audit record's files, and its key, written over in place", CALLS_AUDIT,
     CALLS(SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fdatasync), SCMP_SYS(fsync),
           SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(flock), SCMP_SYS(mkdir),
           SCMP_SYS(mkdirat))},
    {"memory that is never written to disk, and copies of it for who asks", CALLS_SERVER,
     CALLS(SCMP_SYS(mlock), SCMP_SYS(mlock2), SCMP_SYS(munlock), SCMP_SYS(memfd_create),
           SCMP_SYS(pipe2))},
    {"moments at which keys expire", CALLS_SERVER,
     CALLS(SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime),
           SCMP_SYS(timerfd_settime64), SCMP_SYS(timerfd_gettime64))},
    {"edits on the mounts of views, which the kernel makes events of (fs/edit.h)", CALLS_NOTIFIER,
     CALLS(SCMP_SYS(utimensat), SCMP_SYS(utimensat_time64), SCMP_SYS(unlinkat), SCMP_SYS(mkdirat),
           SCMP_SYS(mknodat), SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64), SCMP_SYS(fchdir))},
    {"where a link of /proc leads, for who may see that of every process; and a thread's own life",
     CALLS_LOOK,
     CALLS(SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(futex), SCMP_SYS(futex_time64),
           SCMP_SYS(munmap), SCMP_SYS(madvise), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
           SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall),
           SCMP_SYS(exit), SCMP_SYS(exit_group))},
    {"a socket to itself, until the server's comes", CALLS_NOTIFIER, CALLS(SCMP_SYS(socketpair))},
};
const size_t calls_group_count = sizeof calls_groups / sizeof calls_groups[0];

const struct calls_condition calls_conditions[] = {
    {"a thread, and no process", CALLS_ALL, SCMP_SYS(clone), 0, THREAD_FLAG, THREAD_FLAG},
    {"memory that cannot be run", CALLS_ALL | CALLS_LOOK, SCMP_SYS(mmap), 2, PROT_EXEC, 0},
    {"memory that cannot be run", CALLS_ALL | CALLS_LOOK, SCMP_SYS(mmap2), 2, PROT_EXEC, 0},
    {"memory that cannot be run", CALLS_ALL | CALLS_LOOK, SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
    {"naming a thread", CALLS_ALL, SCMP_SYS(prctl), 0, EVERY_BIT, PR_SET_NAME},
    {"whether one can be dumped", CALLS_SERVER, SCMP_SYS(prctl), 0, EVERY_BIT, PR_GET_DUMPABLE},
    {"naming a mapping", CALLS_ALL, SCMP_SYS(prctl), 0, EVERY_BIT, PR_SET_VMA},
    {"whether a process lives, without any signal", CALLS_SERVER | CALLS_NOTIFIER, SCMP_SYS(kill),
     1, EVERY_BIT, 0},
};
const size_t calls_condition_count = sizeof calls_conditions / sizeof calls_conditions[0];
