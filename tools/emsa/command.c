#include "tools/emsa/command.h"

#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/options.h"

#define MANY ((size_t)-1)

const struct command commands[] = {
    {"init", NULL, run_init, 0, 0, 0, false, "init", "make a store and its identity"},
    {"env", "add", run_environment_add, OPTIONS_CHANGE, 1, MANY, false, "env add NAME...",
     "make environments"},
    {"env", "ls", run_environment_list, 0, 0, 0, false, "env ls", "list environments"},
    {"env", "rm", run_environment_remove, OPTIONS_CHANGE | OPTION_ALL, 1, MANY, false,
     "env rm NAME... [--all]", "remove environments; --all: with everything in them"},
    {"service", "add", run_service_add, OPTIONS_CHANGE | OPTION_NEW, 1, MANY, false,
     "service add ENV/SERVICE... [--new]", "place services in environments"},
    {"service", "ls", run_service_list, 0, 1, 1, false, "service ls ENV",
     "list an environment's services"},
    {"service", "rm", run_service_remove, OPTIONS_CHANGE | OPTION_ALL, 1, MANY, false,
     "service rm ENV/SERVICE... [--all]", "remove services; --all: with every key in them"},
    {"set", NULL, run_set,
     OPTIONS_CHANGE | OPTION_SECRET | OPTION_RAW | OPTION_FILE | OPTION_SECRET_FILE | OPTION_NEW |
         OPTION_TTL,
     1, MANY, false,
     "set ENV/SERVICE KEY=VALUE... | set ENV/SERVICE/KEY VALUE|-|--file FILE "
     "[--secret] [--secret-file KEY=FILE] [--raw] [--new] [--ttl TIME]",
     "set values, all in one commit"},
    {"get", NULL, run_get, OPTION_REVEAL, 1, 1, false, "get ENV/SERVICE/KEY [--reveal]",
     "print one value"},
    {"ls", NULL, run_list, 0, 0, 1, false, "ls [ENV[/SERVICE]]",
     "list what is at a place, never values"},
    {"tree", NULL, run_tree, 0, 0, 1, false, "tree [PATH]", "list everything beneath a place"},
    {"rm", NULL, run_remove, OPTIONS_CHANGE, 1, MANY, false, "rm ENV/SERVICE/KEY...",
     "remove keys"},
    {"log", NULL, run_log, OPTION_NUMBER, 0, 1, false, "log [PATH] [-n N]",
     "who changed what, when, why"},
    {"show", NULL, run_show, 0, 1, 1, false, "show REV", "one commit, secrets masked"},
    {"import", NULL, run_import,
     OPTIONS_CHANGE | OPTION_FORMAT | OPTION_SECRET_KEY | OPTION_PLAIN_KEY | OPTION_GUESS |
         OPTION_NEW | OPTION_TREE | OPTION_VERBOSE | OPTION_TTL,
     0, 2, false,
     "import ENV/SERVICE FILE [--format dotenv|json] [--secret KEY]... [--plain KEY]... "
     "[--guess-secrets] [--ttl TIME] | import --tree FILE",
     "set a service's keys from a file, or a whole tree from JSON lines"},
    {"export", NULL, run_export, OPTION_FORMAT | OPTION_REVEAL | OPTION_NO_SECRETS | OPTION_STRICT,
     1, 1, false, "export ENV/SERVICE [--format dotenv|json|shell] [--reveal|--no-secrets]",
     "print all values of a service"},
    {"exec", NULL, run_exec, OPTION_ONLY | OPTION_PRISTINE | OPTION_STRICT, 2, MANY, true,
     "exec ENV/SERVICE [--only KEY,KEY] [--pristine] [--strict] -- COMMAND [ARGUMENT]...",
     "run a command with the values as environment variables"},
    {"watch", NULL, run_watch, OPTION_FROM, 1, MANY, false,
     "watch PATH... [--from REV] [-- COMMAND [ARGUMENT]...]",
     "print changes as they happen, or run a command after them"},
    {"mount", NULL, run_mount, OPTION_FOREGROUND | OPTION_CACHE | OPTION_MASKED, 1, 1, false,
     "mount DIR [--foreground] [--cache] [--masked]",
     "mount the tree, starting a server if none runs"},
    {"umount", NULL, run_umount, 0, 1, 1, false, "umount DIR", "take a mount away"},
    {"status", NULL, run_status, OPTION_METRICS, 0, 0, false, "status [--metrics]",
     "the store, the server of it, and how it fares"},
    {"verify", NULL, run_verify, OPTION_VERBOSE, 0, 0, false, "verify",
     "check every record against its hash"},
    {"stop", NULL, run_stop, 0, 0, 0, false, "stop", "end the server of this store"},
    {"help", NULL, run_help, 0, 0, 2, false, "help [VERB]", "this list, or one verb's options"},
    {"version", NULL, run_version, 0, 0, 0, false, "version", "print the version"},
};
const size_t command_count = sizeof commands / sizeof commands[0];

const struct command *command_find(const char *word, const char *second)
{
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i].name, word) != 0)
            continue;
        if (commands[i].sub == NULL || (second != NULL && strcmp(commands[i].sub, second) == 0))
            return &commands[i];
    }
    return NULL;
}

static int wanted_second(const char *word)
{
    return error_set(ERR_INVALID, "'%s' wants one of add, ls and rm next: 'emsa help %s' shows how",
                     word, word);
}

int command_unknown(const char *word, const char *second)
{
    (void)second;
    const char *nearest = NULL;
    unsigned distance = 5; /* half edits */
    for (size_t i = 0; i < command_count; i++) {
        if (commands[i].sub != NULL && strcmp(commands[i].name, word) == 0)
            return wanted_second(word);
        unsigned found = name_distance(word, commands[i].name, distance);
        if (found < distance) {
            distance = found;
            nearest = commands[i].name;
        }
    }
    if (nearest != NULL)
        return error_set(ERR_INVALID, "no verb '%.64s': did you mean '%s'?", word, nearest);
    return error_set(ERR_INVALID, "no verb '%.64s': 'emsa help' lists them", word);
}
