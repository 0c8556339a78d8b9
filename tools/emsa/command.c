#include "tools/emsa/command.h"

#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/options.h"

#define MANY ((size_t)-1)

const struct command commands[] = {
    {"init", NULL, run_init, OPTION_AUDITOR | OPTIONS_RECOVERY, 0, 0, false,
     "init [--recovery FILE|-] [--recovery-shares K/N] [--recovery-public PUBLIC] [--no-recovery] "
     "[--auditor PUBLIC]",
     "make a store, its identity, and one to recover with"},
    {"env", "add", run_environment_add,
     OPTIONS_CHANGE | OPTION_PROTECTED | OPTION_SIGNED | OPTION_BASE | OPTION_TTL, 1, MANY, false,
     "env add NAME... [--protected [--signed]] [--base ENV] [--ttl TIME]", "make environments"},
    {"env", "cp", run_environment_copy,
     OPTIONS_CHANGE | OPTION_ALLOW_EQUAL | OPTION_PROTECTED | OPTION_SIGNED | OPTION_TTL, 2, 2,
     false, "env cp ENV NEW [--protected [--signed]] [--ttl TIME]",
     "make an environment with all that another one defines, but secrets"},
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
     OPTIONS_VALUES | OPTION_SECRET | OPTION_RAW | OPTION_FILE | OPTION_SECRET_FILE |
         OPTION_TEMPLATE | OPTION_SEALED | OPTION_TTL,
     1, MANY, false,
     "set ENV/SERVICE KEY=VALUE... | set ENV/SERVICE/KEY VALUE|-|--file FILE "
     "[--secret|--template|--sealed] [--secret-file KEY=FILE] [--raw] [--new] [--ttl TIME] "
     "[--allow-equal]",
     "set values, all in one commit"},
    {"seal", NULL, run_seal, OPTION_RAW | OPTION_FILE, 1, 2, false,
     "seal ENV/SERVICE/KEY [-|--file FILE] [--raw]",
     "seal a value for one key; the text may lie in git, and apply takes it"},
    {"link", NULL, run_link, OPTIONS_CHANGE | OPTION_NEW | OPTION_TTL, 2, 2, false,
     "link ENV/SERVICE/KEY SERVICE/KEY [--new] [--ttl TIME]",
     "let a key have the value of another one"},
    {"cp", NULL, run_copy, OPTIONS_VALUES, 2, 2, false,
     "cp ENV/SERVICE[/KEY] ENV/SERVICE[/KEY] [--new] [--allow-equal]",
     "copy a key, or all that a service defines"},
    {"mv", NULL, run_move, OPTIONS_VALUES, 2, 2, false,
     "mv ENV/SERVICE[/KEY] ENV/SERVICE[/KEY] [--new] [--allow-equal]",
     "give a key or a service another name, within an environment"},
    {"get", NULL, run_get, OPTION_REVEAL, 1, 1, false, "get ENV/SERVICE/KEY [--reveal]",
     "print one value"},
    {"ls", NULL, run_list, 0, 0, 1, false, "ls [ENV[/SERVICE]]",
     "list what is at a place, never values"},
    {"tree", NULL, run_tree, 0, 0, 1, false, "tree [PATH]", "list everything beneath a place"},
    {"rm", NULL, run_remove, OPTIONS_CHANGE, 1, MANY, false, "rm ENV/SERVICE/KEY...",
     "remove keys"},
    {"find", NULL, run_find, OPTION_VALUE, 1, 1, false, "find PATTERN [--value TEXT]",
     "find keys by their names or plain values, everywhere"},
    {"share", NULL, run_share, OPTIONS_CHANGE | OPTION_WITH, 1, MANY, false,
     "share ENV/SERVICE/KEY... --with SERVICE|'*'...", "let services refer to a key"},
    {"unshare", NULL, run_unshare, OPTIONS_CHANGE | OPTION_WITH, 1, MANY, false,
     "unshare ENV/SERVICE/KEY... --with SERVICE|'*'...", "let them no longer"},
    {"explain", NULL, run_explain, 0, 1, 1, false, "explain ENV/SERVICE/KEY",
     "where a value comes from, and what it is elsewhere"},
    {"refs", NULL, run_refs, 0, 1, 1, false, "refs ENV/SERVICE/KEY", "who uses a key"},
    {"suggest", NULL, run_suggest, OPTIONS_CHANGE | OPTION_ALLOW_EQUAL | OPTION_APPLY, 1, 1, false,
     "suggest ENV [--apply] [--allow-equal]",
     "the commands that define once what services repeat; --apply: do it"},
    {"lock", NULL, run_lock, OPTIONS_CHANGE, 0, MANY, false, "lock [ENV[/SERVICE[/KEY]]...]",
     "let nothing change what is in effect at places; without any: list what is locked"},
    {"unlock", NULL, run_unlock, OPTIONS_CHANGE, 1, MANY, false, "unlock ENV[/SERVICE[/KEY]]...",
     "let it change again"},
    {"grant", NULL, run_grant, OPTIONS_CHANGE | OPTION_TO_WHOM | OPTION_RIGHTS | OPTION_KEY, 1,
     MANY, false,
     "grant /|ENV|ENV/SERVICE... --to user:NAME|group:NAME|id:NAME... [--key PUBLIC] "
     "--list|--read|--set|--share|--audit|--admin...",
     "give users and groups of this system, and identities, rights to places"},
    {"revoke", NULL, run_revoke, OPTIONS_CHANGE | OPTION_FROM_WHOM | OPTION_RIGHTS, 1, MANY, false,
     "revoke /|ENV|ENV/SERVICE... --from user:NAME|group:NAME|id:NAME... "
     "[--list|--read|--set|--share|--audit|--admin]...",
     "take rights back; without any: all that were given there"},
    {"grants", NULL, run_grants, 0, 0, 1, false,
     "grants [/|ENV|ENV/SERVICE|user:NAME|group:NAME|id:NAME]", "who may do what"},
    {"identity", "new", run_identity_new,
     OPTION_OUT | OPTION_PASSPHRASE | OPTION_PASSPHRASE_FILE | OPTION_KEY_FILE | OPTION_CREDENTIAL |
         OPTION_SHARES,
     1, 1, false,
     "identity new NAME [--out FILE] [--passphrase] [--passphrase-file FILE|-] "
     "[--key-file FILE] [--systemd-credential [NAME]] [--shares K/N]",
     "make an identity, and print its public half"},
    {"identity", "show", run_identity_show, OPTION_SSH, 0, 1, false,
     "identity show [FILE|--ssh FILE.pub|ssh-agent[:KEY]]",
     "who an identity is, and what opens it"},
    {"identity", "passphrase", run_identity_passphrase,
     OPTIONS_OPENER | OPTION_NEW_PASSPHRASE | OPTION_ADD_KEY_FILE | OPTION_RM_SLOT, 0, 1, false,
     "identity passphrase [FILE] [--new-passphrase-file FILE|-|--add-key-file FILE|--rm-slot N] "
     "[--passphrase-file FILE|-] [--key-file FILE]",
     "set or change an identity's passphrase, or another thing that opens it"},
    {"identity", "export", run_identity_export, OPTION_PUBLIC | OPTION_SSH, 0, 1, false,
     "identity export --public [FILE|--ssh FILE.pub|ssh-agent[:KEY]]",
     "print an identity's public half"},
    {"identity", "test", run_identity_test, OPTIONS_OPENER, 0, 1, false,
     "identity test [FILE] [--passphrase-file FILE|-] [--key-file FILE]",
     "whether an identity opens with what is at hand"},
    {"identity", "unlock", run_identity_unlock, OPTION_PASSPHRASE_FILE, 0, 0, false,
     "identity unlock [--passphrase-file FILE|-]",
     "open the identity of the server that runs with its passphrase"},
    {"identity", "combine", run_identity_combine,
     OPTION_OUT | OPTION_PASSPHRASE | OPTION_PASSPHRASE_FILE | OPTION_KEY_FILE | OPTION_CREDENTIAL,
     1, 16, false,
     "identity combine SHARE... [--out FILE] [--passphrase] [--passphrase-file FILE|-] "
     "[--key-file FILE] [--systemd-credential [NAME]]",
     "make an identity's file from its shares"},
    {"rotate", "keys", run_rotate_keys, OPTIONS_CHANGE | OPTION_REENCRYPT, 1, MANY, false,
     "rotate keys ENV|ENV/SERVICE... [--reencrypt]", "new keys for all who hold the old ones"},
    {"rotate", "list", run_rotate_list, 0, 0, 1, false, "rotate list [ENV[/SERVICE]]",
     "secrets to be changed, because somebody knows them who may not any more"},
    {"rotate", "value", run_rotate_value, OPTIONS_CHANGE | OPTION_GENERATE, 1, 1, false,
     "rotate value ENV/SERVICE/KEY --generate BYTES [--keep-previous KEY] [--run COMMAND]",
     "a new random secret, set once a command has taken it"},
    {"schema", "set", run_schema_set, OPTIONS_CHANGE | OPTION_ENV, 1, MANY, false,
     "schema set FILE... [--env ENV]",
     "set what services declare of their keys, for all or for one"},
    {"schema", "show", run_schema_show, 0, 1, 1, false, "schema show [ENV/]SERVICE",
     "the schema that is in force for a service"},
    {"schema", "rm", run_schema_remove, OPTIONS_CHANGE, 1, MANY, false,
     "schema rm [ENV/]SERVICE...", "remove schemas, and the defaults that they have"},
    {"schema", "promote", run_schema_promote, OPTIONS_CHANGE, 3, MANY, false,
     "schema promote ENV ENV SERVICE...", "set in the second what is in force in the first"},
    {"schema", "infer", run_schema_infer, 0, 1, 1, false, "schema infer ENV/SERVICE",
     "a first draft of a schema, from what is there"},
    {"check", NULL, run_check, OPTION_AGAINST | OPTION_PARITY | OPTION_JUNIT, 0, 1, false,
     "check [ENV[/SERVICE]] [--against FILE]... [--parity ENV,ENV...] [--junit FILE|-]",
     "everything that is wrong, at once"},
    {"log", NULL, run_log, OPTION_NUMBER | OPTION_AUTHOR | OPTION_SINCE | OPTION_UNTIL | OPTION_KEY,
     0, 1, false, "log [PATH] [-n N] [--author TEXT] [--since WHEN] [--until WHEN] [--key PATTERN]",
     "who changed what, when, why"},
    {"show", NULL, run_show, 0, 1, 1, false, "show REV|TAG", "one commit, secrets masked"},
    {"blame", NULL, run_blame, 0, 1, 1, false, "blame ENV[/SERVICE[/KEY]]",
     "who changed last what is in effect"},
    {"audit", "verify", run_audit_verify, OPTION_IDENTITY_FILE | OPTION_HEAD | OPTIONS_OPENER, 0, 0,
     false,
     "audit verify [--identity FILE] [--passphrase-file FILE|-] [--key-file FILE] [--head N:CHAIN]",
     "whether the audit record is whole, and against whom"},
    {"audit", "follow", run_audit_follow,
     OPTION_PATH | OPTION_WHO | OPTION_SINCE | OPTION_NUMBER | OPTION_FROM, 0, 0, false,
     "audit follow [--path PATH] [--who USER] [--from POSITION] [-n N]",
     "lines of the audit record as they come"},
    {"audit", "auditor", run_audit_auditor, 0, 1, 1, false, "audit auditor PUBLIC",
     "name the identity that checks the audit record from here on"},
    {"audit", NULL, run_audit, OPTION_PATH | OPTION_WHO | OPTION_SINCE | OPTION_NUMBER, 0, 0, false,
     "audit [--path PATH] [--since WHEN] [--who USER] [-n N]",
     "who read which secret, who was refused, what began and ended"},
    {"tag", NULL, run_tag, OPTIONS_CHANGE | OPTION_RM, 0, 2, false,
     "tag [NAME [REV|TAG]] | tag --rm NAME", "name a revision; without any: list the names"},
    {"purge", NULL, run_purge, OPTIONS_CHANGE, 1, 1, false,
     "purge ENV/SERVICE[/KEY]@REV|TAG -m WHY",
     "destroy the value that a key had, or a schema, for good; the history still verifies"},
    {"compact", NULL, run_compact, OPTIONS_CHANGE | OPTION_KEEP, 0, 1, false,
     "compact [ENV[/SERVICE]] --keep TIME|REV|TAG [-m WHY]",
     "destroy all values that were replaced before then, but what a tag shows"},
    {"diff", NULL, run_diff, OPTION_AS_OF | OPTION_TO | OPTION_STRICT, 1, 2, false,
     "diff PATH[@REV] PATH[@REV] | diff PATH --from REV [--to REV] [--strict]",
     "what differs between two places, or two revisions of one"},
    {"promote", NULL, run_promote, OPTIONS_VALUES, 2, MANY, false,
     "promote ENV/SERVICE ENV/SERVICE [KEY...] [--new] [--allow-equal] | promote ENV ENV",
     "define what one environment defines in another one, secrets only if they are named"},
    {"rollback", NULL, run_rollback,
     OPTIONS_CHANGE | OPTION_TO | OPTION_WITH_SECRETS | OPTION_ALLOW_EQUAL, 1, 1, false,
     "rollback ENV[/SERVICE[/KEY]] --to REV|TAG [--with-secrets] [--allow-equal]",
     "set what was defined at a place as of a revision, in a new commit"},
    {"import", NULL, run_import,
     OPTIONS_VALUES | OPTION_FORMAT | OPTION_SECRET_KEY | OPTION_PLAIN_KEY | OPTION_GUESS |
         OPTION_TREE | OPTION_VERBOSE | OPTION_TTL | OPTION_DOTENV,
     0, 2, false,
     "import ENV/SERVICE FILE [--format dotenv|json] [--secret KEY]... [--plain KEY]... "
     "[--guess-secrets] [--ttl TIME] [--allow-equal] | import --format compose FILE "
     "[--dotenv FILE] ENV | import --format kubernetes FILE ENV | import --tree FILE",
     "set a service's keys from a file, a whole environment, or a whole tree from JSON lines"},
    {"export", NULL, run_export,
     OPTION_FORMAT | OPTION_REVEAL | OPTION_NO_SECRETS | OPTION_STRICT | OPTION_FILE, 0, 1, false,
     "export ENV/SERVICE [--format dotenv|json|shell] [--reveal|--no-secrets] | export [PATH] "
     "--format yaml [--reveal|--no-secrets] | export ENV --format compose-override [--file FILE]",
     "print all values of a service, or what is defined anywhere as a file for apply"},
    {"apply", NULL, run_apply, OPTIONS_VALUES | OPTION_PRUNE | OPTION_VERBOSE, 1, 1, false,
     "apply FILE|- [--prune] [--new] [--allow-equal] [-v]",
     "make true what a file says of environments and services, in one commit"},
    {"edit", NULL, run_edit, OPTIONS_VALUES | OPTION_REVEAL, 1, 1, false,
     "edit ENV/SERVICE [--reveal] [--new] [--allow-equal]",
     "change what a service defines in an editor, in one commit"},
    {"exec", NULL, run_exec, OPTION_ONLY | OPTION_PRISTINE | OPTION_STRICT, 2, MANY, true,
     "exec ENV/SERVICE [--only KEY,KEY] [--pristine] [--strict] -- COMMAND [ARGUMENT]...",
     "run a command with the values as environment variables"},
    {"watch", NULL, run_watch, OPTION_FROM, 1, MANY, false,
     "watch PATH... [--from REV] [-- COMMAND [ARGUMENT]...]",
     "print changes as they happen, or run a command after them"},
    {"mount", NULL, run_mount, OPTIONS_VIEW | OPTION_IDMAP | OPTION_FOREGROUND | OPTION_PREPARE, 1,
     2, false,
     "mount [ENV[/SERVICE]] DIR [--layout tree|flat] [--uid UID] [--gid GID] [--mode MODE] "
     "[--at REV|TAG] [--history] [--masked] [--cache] [--idmap] [--foreground] | mount --prepare "
     "DIR",
     "mount everything, an environment or a service, starting a server if none runs"},
    {"umount", NULL, run_umount, 0, 1, 1, false, "umount DIR", "take a mount away"},
    {"attach", NULL, run_enter, OPTIONS_VIEW | OPTION_PID | OPTION_NO_IDMAP, 2, 2, false,
     "attach --pid PID ENV[/SERVICE] DIR [--layout tree|flat] [--uid UID] [--gid GID] "
     "[--mode MODE] [--at REV|TAG] [--history] [--masked] [--cache] [--no-idmap]",
     "mount in the namespace of a process: into a container that runs"},
    {"views", "move", run_view_move, OPTION_TO | OPTION_DRY_RUN, 1, 1, false,
     "views move ID|DIR --to REV|TAG|live",
     "hold what is mounted at a revision, or have it follow the newest again"},
    {"views", NULL, run_views, 0, 0, 1, false, "views [ENV[/SERVICE]]",
     "what is mounted, of what and where"},
    {"wait", NULL, run_wait, OPTION_TIMEOUT, 1, 1, false, "wait DIR [--timeout SECONDS]",
     "wait until a mount of emsa's stands and answers"},
    {"status", NULL, run_status, OPTION_METRICS, 0, 0, false, "status [--metrics]",
     "the store, the server of it, and how it fares"},
    {"doctor", NULL, run_doctor, 0, 0, 0, false, "doctor",
     "what protects the store on this machine, and what is missing"},
    {"verify", NULL, run_verify, OPTION_VERBOSE | OPTION_ACCEPT_HEAD | OPTION_REBUILD, 0, 0, false,
     "verify [--accept-head | --rebuild]",
     "prove from the files alone that the store is what was written"},
    {"stop", NULL, run_stop, 0, 0, 0, false, "stop", "end the server of this store"},
    {"relay", NULL, run_relay, 0, 0, 0, false, "relay",
     "the far side of --host: calls from another machine, over ssh"},
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

/* "add, cp, ls or rm" */
static int wanted_second(const char *word)
{
    char words[128] = "";
    size_t count = 0, at = 0;
    for (size_t i = 0; i < command_count; i++)
        count += strcmp(commands[i].name, word) == 0;
    for (size_t i = 0; i < command_count; i++) {
        if (strcmp(commands[i].name, word) != 0)
            continue;
        const char *between = at == 0 ? "" : at + 1 == count ? " and " : ", ";
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s", between, commands[i].sub);
        at++;
    }
    return error_set(ERR_INVALID, "'%s' wants one of %s next: 'emsa help %s' shows how", word,
                     words, word);
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
