/* emsa-hook: a container's view, put there while it is made. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/exit_status.h"
#include "tools/hook/hook.h"
#include "tools/hook/options.h"

/* A runtime may give us none of these: what we open must not become one by chance. */
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

static int fail(int error)
{
    (void)fprintf(stderr, "emsa-hook: %s\n", error_text());
    return (int)exit_status(error);
}

int main(int argc, char *argv[])
{
    struct hook_options options;
    if (fill_standard() < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        signal(SIGCHLD, SIG_DFL) == SIG_ERR) /* ignored, as some leave it, nobody could be reaped */
        return EXIT_STATUS_FAILED;
    int error = hook_options_parse(&options, argc, argv);
    if (error < 0)
        return fail(error);
    if (options.help || options.version) {
        (void)printf("%s", options.help ? hook_options_help() : "emsa-hook " EMSA_VERSION "\n");
        return fflush(stdout) == 0 ? EXIT_STATUS_DONE : EXIT_STATUS_FAILED;
    }
    error = hook_run(STDIN_FILENO, options.store);
    return error < 0 ? fail(error) : EXIT_STATUS_DONE;
}
