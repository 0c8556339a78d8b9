/* emsad: one program, six roles. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/exit_status.h"
#include "tools/emsad/audit.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/metrics.h"
#include "tools/emsad/notifier.h"
#include "tools/emsad/options.h"
#include "tools/emsad/server.h"
#include "tools/emsad/supervisor.h"
#include "tools/emsad/upgrade_call.h"
#include "tools/emsad/volume.h"

/* A descriptor of ours must never become standard output by chance. */
static int fill_standard(void)
{
    for (;;) {
        int fd = open("/dev/null", O_RDWR);
        if (fd < 0)
            return -1;
        if (fd > STDERR_FILENO)
            return close(fd);
    }
}

static int is_channel(void)
{
    int type;
    socklen_t size = sizeof type;
    return getsockopt(CHANNEL_FD, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
           type == SOCK_SEQPACKET && fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC) == 0;
}

static int run_child(enum daemon_role role)
{
    if (!is_channel()) {
        (void)fprintf(stderr, "emsad: --role is for processes that emsad starts itself\n");
        return EXIT_STATUS_WRONG_USE;
    }
    switch (role) {
    case ROLE_SERVER:
        (void)prctl(PR_SET_NAME, "emsad-server");
        return server_run(CHANNEL_FD);
    case ROLE_METRICS:
        (void)prctl(PR_SET_NAME, "emsad-metrics");
        return metrics_run(CHANNEL_FD);
    case ROLE_AUDIT:
        (void)prctl(PR_SET_NAME, "emsad-audit");
        return audit_run(CHANNEL_FD);
    case ROLE_VOLUME:
        (void)prctl(PR_SET_NAME, "emsad-volume");
        return volume_run(CHANNEL_FD);
    default:
        (void)prctl(PR_SET_NAME, "emsad-notifier");
        return notifier_run(CHANNEL_FD);
    }
}

int main(int argc, char *argv[])
{
    static struct daemon_options options; /* what it points to is never given back */
    if (fill_standard() < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        signal(SIGCHLD, SIG_DFL) == SIG_ERR) /* ignored, as some leave it, nobody could be reaped */
        return EXIT_STATUS_FAILED;
    if (options_parse(&options, argc, argv) < 0) {
        (void)fprintf(stderr, "emsad: %s\n", error_text());
        return EXIT_STATUS_WRONG_USE;
    }
    if (options.help || options.version) {
        (void)printf("%s", options.help ? options_help() : "emsad " EMSA_VERSION "\n");
        return fflush(stdout) == 0 ? EXIT_STATUS_DONE : EXIT_STATUS_FAILED;
    }
    if (options.upgrade) {
        int error = upgrade_call(options.store);
        if (error < 0)
            (void)fprintf(stderr, "emsad: %s\n", error_text());
        return (int)exit_status(error);
    }
    if (options.role != ROLE_SUPERVISOR)
        return run_child(options.role);
    return supervisor_run(&options);
}
