#include "tools/emsad/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsad/daemon_mount.h"
#include "tools/emsad/line_sink.h"
#include "tools/emsad/upgrade.h"

#define THREADS_MAX 32 /* REQUEST_SLOTS */
#define VIEWS_EACH_MAX 65536

enum {
    OPTION_STORE = 256,
    OPTION_MOUNT,
    OPTION_CACHE,
    OPTION_ON_DEMAND,
    OPTION_READY_FD,
    OPTION_THREADS,
    OPTION_VIEWS_EACH,
    OPTION_REPLAY,
    OPTION_METRICS,
    OPTION_VOLUME,
    OPTION_AUDIT,
    OPTION_AUDIT_SINK,
    OPTION_ROLE,
    OPTION_CREDENTIAL,
    OPTION_CREDENTIALS,
    OPTION_IDENTITY_KEY,
    OPTION_VERSION,
    OPTION_HELP
};

static const struct option table[] = {
    {"store", required_argument, NULL, OPTION_STORE},
    {"mount", required_argument, NULL, OPTION_MOUNT},
    {"cache", no_argument, NULL, OPTION_CACHE},
    {"on-demand", no_argument, NULL, OPTION_ON_DEMAND},
    {"ready-fd", required_argument, NULL, OPTION_READY_FD},
    {"threads", required_argument, NULL, OPTION_THREADS},
    {"views-each", required_argument, NULL, OPTION_VIEWS_EACH},
    {"replay", no_argument, NULL, OPTION_REPLAY},
    {"metrics", required_argument, NULL, OPTION_METRICS},
    {"volume", required_argument, NULL, OPTION_VOLUME},
    {"audit", required_argument, NULL, OPTION_AUDIT},
    {"audit-sink", required_argument, NULL, OPTION_AUDIT_SINK},
    {"credential", required_argument, NULL, OPTION_CREDENTIAL},
    {"identity-key", required_argument, NULL, OPTION_IDENTITY_KEY},
    {"credentials", required_argument, NULL, OPTION_CREDENTIALS},
    {"role", required_argument, NULL, OPTION_ROLE},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

const char *options_help(void)
{
    return "usage: emsad [--store DIR] [--mount [ENV[/SERVICE]:]DIR [--cache]]... [--threads N]\n"
           "             [--views-each N] [--metrics PLACE] [--volume SOCKET] [--replay] "
           "[--on-demand]\n"
           "             [--ready-fd N] [--credential NAME] [--identity-key FILE]\n"
           "             [--audit required|counted] [--audit-sink journald|syslog|none]\n"
           "             [--credentials SOCKET[,environment=ENV]] [--version] [--help]\n"
           "       emsad [--store DIR] upgrade\n"
           "\n"
           "Serves a store: its tree to whom it is mounted for, its control socket to 'emsa'.\n"
           "Stays in the foreground; ends on SIGTERM or SIGINT.\n"
           "upgrade: has the daemon that runs replaced by the program that lies at its path now "
           "(as\n"
           "SIGUSR2 does), without a reader's error; goes back if that fails in its first 5 "
           "seconds.\n"
           "\n"
           "  --store DIR    the store (else $EMSA_STORE, else /var/lib/emsa)\n"
           "  --mount DIR    mount the whole tree at DIR, and take it away at the end\n"
           "  --mount ENV[/SERVICE]:DIR[,OPTION]...  mount that part of it: layout=tree|flat, "
           "uid=N,\n"
           "                 gid=N, mode=MODE, at=N, history, masked, idmap, cache\n"
           "  --cache        for the --mount before it: the kernel may keep small plain values\n"
           "  --credential NAME  the identity, as systemd passes it (else 'emsa-identity', if it "
           "does)\n"
           "  --identity-key FILE  the key file that opens the identity (else "
           "$EMSA_IDENTITY_KEY, else the\n"
           "                 credential 'emsa-identity-key', if there is one)\n"
           "  --credentials SOCKET[,environment=ENV]  answer LoadCredential=ID:SOCKET of "
           "systemd's\n"
           "                 units: ID is KEY, or ENVIRONMENT@SERVICE@KEY\n"
           "  --threads N    threads that answer readers, 1 to 32 (else by the number of cores)\n"
           "  --views-each N  mounts that one user may have who does not hold all rights (else "
           "64)\n"
           "  --replay       answer what a killed server had in its hands from memory of our own,\n"
           "                 as on Linux before 6.9, whose kernel cannot send it again\n"
           "  --metrics PLACE  answer GET /metrics over HTTP in a process of its own, at PORT (of\n"
           "                 127.0.0.1), ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH\n"
           "  --volume SOCKET  be a volume plugin for docker and podman in a process of its own, "
           "at\n"
           "                 this path (docker looks for /run/docker/plugins/emsa.sock)\n"
           "  --audit required  give no secret whose reading finds no place in the audit ring "
           "(else\n"
           "                 'counted': what finds none is counted)\n"
           "  --audit-sink SINK  give journald or syslog (with ':SOCKET': at another one than "
           "usual) a\n"
           "                 copy of each line of the audit record; else 'none'\n"
           "  --on-demand    end when the last mount is gone, after there was one\n"
           "  --ready-fd N   write 'ready' or 'error STATUS WORD MESSAGE' to descriptor N\n"
           "  --version      print the version\n"
           "  --help         print this\n"
           "\n"
           "exit status: 0 ended as asked, 1 failed, 2 wrong use, 3 no such store or device,\n"
           "4 refused, 6 the store is damaged or of an unknown format\n";
}

static int number(const char *option, const char *text, long minimum, long maximum, long *out)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < minimum || value > maximum)
        return error_set(ERR_INVALID, "'%s' is no number for %s: it is %ld to %ld", text, option,
                         minimum, maximum);
    *out = value;
    return 0;
}

static int take_mount(struct daemon_options *options, const char *text)
{
    if (options->mount_count == DAEMON_MOUNTS_MAX)
        return error_set(ERR_INVALID, "more than %d times --mount", DAEMON_MOUNTS_MAX);
    int error = daemon_mount_parse(&options->mounts[options->mount_count], text);
    if (error == 0)
        options->mount_count++;
    return error;
}

static int take_cache(struct daemon_options *options)
{
    if (options->mount_count == 0)
        return error_set(ERR_INVALID, "--cache stands after the --mount that it is for");
    options->mounts[options->mount_count - 1].view.cache = 1;
    return 0;
}

/* Whether this process is a supervisor that became another binary: who waited for it was told long
 * ago. */
static bool follows_itself(void)
{
    const char *pid = getenv(UPGRADE_FOLLOWS);
    return pid != NULL && strtol(pid, NULL, 10) == (long)getpid();
}

static int take_ready(struct daemon_options *options, const char *text)
{
    long value;
    int error = number("--ready-fd", text, 0, INT_MAX, &value);
    if (error < 0 || follows_itself())
        return error;
    if (fcntl((int)value, F_SETFD, FD_CLOEXEC) < 0)
        return error_set(ERR_INVALID, "descriptor %ld of --ready-fd is not open", value);
    options->ready_fd = (int)value;
    return 0;
}

/* "SOCKET" or "SOCKET,environment=ENV" */
static int take_credentials(struct daemon_options *options, const char *text)
{
    static const char word[] = ",environment=";
    const char *name = strstr(text, word);
    size_t length = name != NULL ? (size_t)(name - text) : strlen(text);
    if (length == 0 || length >= sizeof options->credentials)
        return error_set(ERR_INVALID, "--credentials takes the path of a socket");
    memcpy(options->credentials, text, length);
    options->credentials[length] = '\0';
    if (name == NULL)
        return 0;
    name += strlen(word);
    int error = name_check(NAME_ENVIRONMENT, name, strlen(name));
    if (error == 0)
        memcpy(options->environment, name, strlen(name) + 1);
    return error;
}

static int take_threads(struct daemon_options *options, const char *text)
{
    long value;
    int error = number("--threads", text, 1, THREADS_MAX, &value);
    if (error == 0)
        options->threads = (unsigned)value;
    return error;
}

static int take_views_each(struct daemon_options *options, const char *text)
{
    long value;
    int error = number("--views-each", text, 1, VIEWS_EACH_MAX, &value);
    if (error == 0)
        options->views_each = (unsigned)value;
    return error;
}

static int take_audit(struct daemon_options *options, const char *text)
{
    if (strcmp(text, "required") != 0 && strcmp(text, "counted") != 0)
        return error_set(ERR_INVALID, "--audit takes 'required' or 'counted', not '%s'", text);
    options->audit_required = strcmp(text, "required") == 0;
    return 0;
}

static int take_audit_sink(struct daemon_options *options, const char *text)
{
    struct line_sink_place place;
    options->audit_sink = text;
    return line_sink_parse(&place, text);
}

static int take_role(struct daemon_options *options, const char *text)
{
    if (strcmp(text, "server") == 0)
        options->role = ROLE_SERVER;
    else if (strcmp(text, "notifier") == 0)
        options->role = ROLE_NOTIFIER;
    else if (strcmp(text, "metrics") == 0)
        options->role = ROLE_METRICS;
    else if (strcmp(text, "volume") == 0)
        options->role = ROLE_VOLUME;
    else if (strcmp(text, "audit") == 0)
        options->role = ROLE_AUDIT;
    else
        return error_set(ERR_INVALID, "there is no role '%s'", text);
    return 0;
}

static int take(struct daemon_options *options, int option, char *argv[])
{
    switch (option) {
    case OPTION_STORE:
        options->store = optarg;
        return 0;
    case OPTION_CREDENTIAL:
        options->credential = optarg;
        return 0;
    case OPTION_IDENTITY_KEY:
        options->identity_key = optarg;
        return 0;
    case OPTION_CREDENTIALS:
        return take_credentials(options, optarg);
    case OPTION_MOUNT:
        return take_mount(options, optarg);
    case OPTION_CACHE:
        return take_cache(options);
    case OPTION_ON_DEMAND:
        options->on_demand = true;
        return 0;
    case OPTION_READY_FD:
        return take_ready(options, optarg);
    case OPTION_THREADS:
        return take_threads(options, optarg);
    case OPTION_VIEWS_EACH:
        return take_views_each(options, optarg);
    case OPTION_REPLAY:
        options->replay = true;
        return 0;
    case OPTION_METRICS:
        options->metrics = optarg;
        return 0;
    case OPTION_VOLUME:
        options->volume = optarg;
        return 0;
    case OPTION_AUDIT:
        return take_audit(options, optarg);
    case OPTION_AUDIT_SINK:
        return take_audit_sink(options, optarg);
    case OPTION_ROLE:
        return take_role(options, optarg);
    case OPTION_VERSION:
        options->version = true;
        return 0;
    case OPTION_HELP:
        options->help = true;
        return 0;
    case ':':
        return error_set(ERR_INVALID, "option '%s' needs an argument", argv[optind - 1]);
    default:
        return error_set(ERR_INVALID, "there is no option '%s': see 'emsad --help'",
                         argv[optind - 1]);
    }
}

int options_parse(struct daemon_options *out, int argc, char *argv[])
{
    struct daemon_options options = {.ready_fd = -1};
    optind = 0; /* getopt begins anew, also when it was used before in this process */
    for (int option; (option = getopt_long(argc, argv, ":", table, NULL)) != -1;) {
        int error = take(&options, option, argv);
        if (error < 0)
            return error;
    }
    options.argv = argv;
    if (optind == argc - 1 && strcmp(argv[optind], "upgrade") == 0) {
        options.upgrade = true;
        optind++;
    }
    if (options.upgrade &&
        (options.mount_count > 0 || options.credential || options.metrics || options.volume ||
         options.credentials[0] != '\0' || options.threads || options.views_each ||
         options.audit_required || options.audit_sink || options.replay || options.on_demand))
        return error_set(ERR_INVALID, "'emsad upgrade' takes --store alone: the daemon that runs "
                                      "keeps the options that it was started with");
    if (optind < argc && strcmp(argv[optind], "upgrade") == 0)
        return error_set(ERR_INVALID, "'emsad upgrade' takes no arguments: see 'emsad --help'");
    if (optind < argc)
        return error_set(ERR_INVALID, "'%s' is no option: see 'emsad --help'", argv[optind]);
    *out = options;
    return 0;
}
