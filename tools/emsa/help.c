/* Help, made from the verb table. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"

static const char head[] =
    "emsa: one versioned source of truth for the variables and secrets of every service\n"
    "\n"
    "usage: emsa [--store DIR] [--host URL] [--json] VERB ...\n"
    "\n";

static const char tail[] =
    "\n"
    "Every change takes -m WHY, --if-rev N (refused if something under the path changed after\n"
    "revision N) and --dry-run. The store is --store DIR, else $EMSA_STORE, else /var/lib/emsa;\n"
    "on another machine with --host ssh://[USER@]HOST[:PORT][/DIR], else $EMSA_HOST.\n"
    "'emsa help VERB' shows one verb, 'man emsa' everything.\n"
    "\n"
    "exit status: 0 done, 1 failed, 2 wrong use, 3 not found, 4 refused, 5 conflict, 6 damaged\n";

static void print_all(void)
{
    fputs(head, stdout);
    for (size_t i = 0; i < command_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s%s%s", commands[i].name, commands[i].sub != NULL ? " " : "",
                 commands[i].sub != NULL ? commands[i].sub : "");
        printf("  %-14s  %s\n", name, commands[i].about);
    }
    fputs(tail, stdout);
}

static void print_one(const struct command *command)
{
    bool taken;
    const char *option;
    printf("usage: emsa [--store DIR] [--json] %s\n\n%s\n\noptions:", command->synopsis,
           command->about);
    for (unsigned i = 0; (option = options_listed(i, command->options, &taken)) != NULL; i++)
        if (taken)
            printf(" --%s", option);
    putchar('\n');
}

int help_print(struct session *session)
{
    if (session->command != NULL)
        print_one(session->command);
    else
        print_all();
    return 0;
}

/* Names alone, for the completion: "env add", and the options of each. */
static json_t *table_object(void)
{
    json_t *table = json_array();
    for (size_t i = 0; i < command_count; i++) {
        bool taken;
        const char *option;
        json_t *options = json_array();
        for (unsigned n = 0; (option = options_listed(n, commands[i].options, &taken)) != NULL; n++)
            if (taken)
                json_array_append_new(options, json_sprintf("--%s", option));
        json_array_append_new(table,
                              json_pack("{s:s, s:s*, s:s, s:s, s:o}", "verb", commands[i].name,
                                        "sub", commands[i].sub, "usage", commands[i].synopsis,
                                        "about", commands[i].about, "options", options));
    }
    return table;
}

int run_help(struct session *session)
{
    const struct texts *words = &session->options.arguments;
    if (session->options.json)
        return output_json(json_pack("{s:o}", "verbs", table_object()));
    if (words->count == 0) {
        print_all();
        return 0;
    }
    bool found = false;
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i].name, words->list[0]) != 0)
            continue;
        if (words->count > 1 &&
            (commands[i].sub == NULL || strcmp(commands[i].sub, words->list[1]) != 0))
            continue;
        if (found)
            putchar('\n');
        print_one(&commands[i]);
        found = true;
    }
    return found ? 0 : command_unknown(words->list[0], NULL);
}

int run_version(struct session *session)
{
    if (session->options.json)
        return output_json(json_pack("{s:s}", "version", EMSA_VERSION));
    puts("emsa " EMSA_VERSION);
    return 0;
}
