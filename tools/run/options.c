#include "tools/run/options.h"

#include <getopt.h>
#include <signal.h>
#include <string.h>

#include "tools/run/say.h"

enum { OPTION_DIR = 256, OPTION_ON_CHANGE, OPTION_FILE, OPTION_VERSION, OPTION_HELP };

static const struct option table[] = {
    {"dir", required_argument, NULL, OPTION_DIR},
    {"on-change", required_argument, NULL, OPTION_ON_CHANGE},
    {"file", required_argument, NULL, OPTION_FILE},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

const char *run_options_help(void)
{
    return "usage: emsa-run [--dir DIR] [--on-change=HUP|TERM] [--file KEY]... [--] COMMAND "
           "[ARG]...\n"
           "\n"
           "Runs a command with the values of its service as environment variables, all of one\n"
           "revision. Refuses where no view of emsa is mounted, so that nothing starts without "
           "its\n"
           "configuration.\n"
           "\n"
           "  --dir DIR         where the view of the service is mounted (else /env); its values "
           "may\n"
           "                    stand in it, or below the only environment and service in it\n"
           "  --on-change=HUP   stay, as the command's parent, and send it SIGHUP at each change\n"
           "  --on-change=TERM  the same with SIGTERM, and start it again with the new values\n"
           "  --file KEY        make no variable of this key: the command reads it as a file\n"
           "  --version         print the version\n"
           "  --help            print this\n"
           "\n"
           "exit status: the command's (128 + N if signal N ended it); 125 refused, or wrong use;\n"
           "126 the command cannot be run, 127 there is no such command\n";
}

static int take_signal(struct run_options *options, const char *name)
{
    if (strncmp(name, "SIG", 3) == 0)
        name += 3;
    if (strcmp(name, "HUP") == 0)
        options->on_change = SIGHUP;
    else if (strcmp(name, "TERM") == 0)
        options->on_change = SIGTERM;
    else
        return say("'%s' is no signal for --on-change: it is HUP or TERM", name);
    return 0;
}

static int take(struct run_options *options, int option, char *argv[])
{
    switch (option) {
    case OPTION_DIR:
        options->directory = optarg;
        return optarg[0] != '\0' ? 0 : say("--dir '' names no directory");
    case OPTION_ON_CHANGE:
        return take_signal(options, optarg);
    case OPTION_FILE:
        if (options->file_count == RUN_FILES_MAX)
            return say("more than %d times --file", RUN_FILES_MAX);
        options->files[options->file_count++] = optarg;
        return 0;
    case OPTION_VERSION:
        options->version = true;
        return 0;
    case OPTION_HELP:
        options->help = true;
        return 0;
    case ':':
        return say("option '%s' needs an argument", argv[optind - 1]);
    default:
        return say("there is no option '%s': see 'emsa-run --help'", argv[optind - 1]);
    }
}

int run_options_parse(struct run_options *out, int argc, char *argv[])
{
    struct run_options options = {.directory = "/env"};
    optind = 0; /* getopt begins anew, also when it was used before in this process */
    for (int option; (option = getopt_long(argc, argv, "+:", table, NULL)) != -1;) {
        int refused = take(&options, option, argv);
        if (refused)
            return refused;
    }
    options.command = argv + optind;
    if (optind >= argc && !options.help && !options.version)
        return say("which command? 'emsa-run [--dir DIR] -- COMMAND [ARG]...'");
    *out = options;
    return 0;
}
