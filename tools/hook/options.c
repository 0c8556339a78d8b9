#include "tools/hook/options.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "store/error.h"

enum { OPTION_STORE = 256, OPTION_VERSION, OPTION_HELP };

static const struct option table[] = {
    {"store", required_argument, NULL, OPTION_STORE},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

const char *hook_options_help(void)
{
    return "usage: emsa-hook [--store DIR] [createRuntime]\n"
           "\n"
           "An OCI hook, run by a container runtime with the container's state on standard input:\n"
           "mounts the view of a service into the container that is being made, as its "
           "annotations\n"
           "say. A container without any of them is left alone.\n"
           "\n"
           "  io.emsa.environment, io.emsa.service   which view; both\n"
           "  io.emsa.path       where, in the container (else /env)\n"
           "  io.emsa.layout     tree (/env/ENVIRONMENT/SERVICE/KEY) or flat (/env/KEY)\n"
           "  io.emsa.uid, io.emsa.gid, io.emsa.mode   owner and mode of the files, as the\n"
           "                     container sees them (else 0, 0, 0444)\n"
           "  io.emsa.history, io.emsa.cache   true or false\n"
           "\n"
           "  --store DIR    the store (else $EMSA_STORE, else /var/lib/emsa)\n"
           "  --version      print the version\n"
           "  --help         print this\n"
           "\n"
           "exit status: 0 done, or nothing to do; 1 failed, 2 wrong use, 3 not found, 4 refused: "
           "the\n"
           "container is not started\n";
}

static int take(struct hook_options *options, int option, char *argv[])
{
    switch (option) {
    case OPTION_STORE:
        options->store = optarg;
        return 0;
    case OPTION_VERSION:
        options->version = true;
        return 0;
    case OPTION_HELP:
        options->help = true;
        return 0;
    case ':':
        return error_set(ERR_INVALID, "option '%s' needs an argument", argv[optind - 1]);
    default:
        return error_set(ERR_INVALID, "there is no option '%s': see 'emsa-hook --help'",
                         argv[optind - 1]);
    }
}

int hook_options_parse(struct hook_options *out, int argc, char *argv[])
{
    struct hook_options options = {0};
    optind = 0; /* getopt begins anew, also when it was used before in this process */
    for (int option; (option = getopt_long(argc, argv, ":", table, NULL)) != -1;) {
        int error = take(&options, option, argv);
        if (error < 0)
            return error;
    }
    for (int i = optind; i < argc; i++)
        if (strcmp(argv[i], "createRuntime") != 0)
            return error_set(ERR_INVALID,
                             "'%s' is not the stage that this hook is for: it is createRuntime",
                             argv[i]);
    *out = options;
    return 0;
}
