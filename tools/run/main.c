/* emsa-run: a command with its service's values as variables. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#include "tools/run/options.h"
#include "tools/run/parent.h"
#include "tools/run/place.h"
#include "tools/run/program.h"
#include "tools/run/say.h"
#include "tools/run/snapshot.h"

static int become(const struct run_options *options)
{
    struct place place = PLACE_INIT;
    struct variables variables = VARIABLES_INIT;
    char head[PLACE_HEAD_MAX];
    int status = place_open(&place, options->directory, false);
    if (status == 0)
        status = snapshot_read(&variables, head, &place, options);
    place_close(&place);
    if (status == 0)
        status = program_become(options->command, &variables);
    variables_release(&variables);
    return status;
}

int main(int argc, char *argv[])
{
    struct run_options options;
    int refused = run_options_parse(&options, argc, argv);
    if (refused)
        return refused;
    if (options.help || options.version) {
        (void)printf("%s", options.help ? run_options_help() : "emsa-run " EMSA_VERSION "\n");
        return fflush(stdout) == 0 ? 0 : RUN_REFUSED;
    }
    (void)prctl(PR_SET_DUMPABLE, 0); /* until the command, which is again what it always is */
    return options.on_change != 0 ? parent_run(&options) : become(&options);
}
