#include "tools/emsa/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/ttl.h"
#include "tools/service/right_words.h"

struct option_row {
    const char *name;
    char letter;
    const char *argument; /* what it is, NULL for a flag */
    option_bits bit;      /* 0: every verb takes it */
};

static const struct option_row rows[] = {
    {"store", 0, "DIR", 0},
    {"host", 0, "URL", 0},
    {"sign", 0, "FILE", 0},
    {"json", 0, NULL, 0},
    {"help", 'h', NULL, 0},
    {"reason", 'm', "WHY", OPTION_REASON},
    {"if-rev", 0, "N", OPTION_IF_REV},
    {"dry-run", 0, NULL, OPTION_DRY_RUN},
    {"reveal", 0, NULL, OPTION_REVEAL},
    {"secret", 0, NULL, OPTION_SECRET},
    {"secret", 0, "KEY", OPTION_SECRET_KEY},
    {"plain", 0, "KEY", OPTION_PLAIN_KEY},
    {"guess-secrets", 0, NULL, OPTION_GUESS},
    {"raw", 0, NULL, OPTION_RAW},
    {"file", 0, "FILE", OPTION_FILE},
    {"secret-file", 0, "KEY=FILE", OPTION_SECRET_FILE},
    {"new", 0, NULL, OPTION_NEW},
    {"all", 0, NULL, OPTION_ALL},
    {"format", 0, "FORMAT", OPTION_FORMAT},
    {"tree", 0, "FILE", OPTION_TREE},
    {"dotenv", 0, "FILE", OPTION_DOTENV},
    {"only", 0, "KEY,KEY", OPTION_ONLY},
    {"pristine", 0, NULL, OPTION_PRISTINE},
    {"strict", 0, NULL, OPTION_STRICT},
    {"cache", 0, NULL, OPTION_CACHE},
    {"foreground", 0, NULL, OPTION_FOREGROUND},
    {"masked", 0, NULL, OPTION_MASKED},
    {"number", 'n', "N", OPTION_NUMBER},
    {"verbose", 'v', NULL, OPTION_VERBOSE},
    {"no-secrets", 0, NULL, OPTION_NO_SECRETS},
    {"ttl", 0, "TIME", OPTION_TTL},
    {"metrics", 0, NULL, OPTION_METRICS},
    {"from", 0, "REV", OPTION_FROM},
    {"template", 0, NULL, OPTION_TEMPLATE},
    {"sealed", 0, NULL, OPTION_SEALED},
    {"reencrypt", 0, NULL, OPTION_REENCRYPT},
    {"with", 0, "SERVICE", OPTION_WITH},
    {"value", 0, "TEXT", OPTION_VALUE},
    {"protected", 0, NULL, OPTION_PROTECTED},
    {"signed", 0, NULL, OPTION_SIGNED},
    {"base", 0, "ENV", OPTION_BASE},
    {"allow-equal", 0, NULL, OPTION_ALLOW_EQUAL},
    {"apply", 0, NULL, OPTION_APPLY},
    {"prune", 0, NULL, OPTION_PRUNE},
    {"override", 0, "RULE,RULE", OPTION_OVERRIDE},
    {"env", 0, "ENV", OPTION_ENV},
    {"against", 0, "FILE", OPTION_AGAINST},
    {"parity", 0, "ENV,ENV", OPTION_PARITY},
    {"junit", 0, "FILE", OPTION_JUNIT},
    {"to", 0, "REV", OPTION_TO},
    {"with-secrets", 0, NULL, OPTION_WITH_SECRETS},
    {"from", 0, "REV", OPTION_AS_OF},
    {"author", 0, "TEXT", OPTION_AUTHOR},
    {"since", 0, "WHEN", OPTION_SINCE},
    {"until", 0, "WHEN", OPTION_UNTIL},
    {"key", 0, "PATTERN", OPTION_KEY},
    {"rm", 0, NULL, OPTION_RM},
    {"keep", 0, "TIME|REV", OPTION_KEEP},
    {"generate", 0, "BYTES", OPTION_GENERATE},
    {"keep-previous", 0, "KEY", OPTION_GENERATE},
    {"run", 0, "COMMAND", OPTION_GENERATE},
    {"to", 0, "WHO", OPTION_TO_WHOM},
    {"from", 0, "WHO", OPTION_FROM_WHOM},
    {"list", 0, NULL, OPTION_RIGHTS},
    {"read", 0, NULL, OPTION_RIGHTS},
    {"set", 0, NULL, OPTION_RIGHTS},
    {"share", 0, NULL, OPTION_RIGHTS},
    {"audit", 0, NULL, OPTION_RIGHTS},
    {"admin", 0, NULL, OPTION_RIGHTS},
    {"path", 0, "PATH", OPTION_PATH},
    {"who", 0, "USER", OPTION_WHO},
    {"identity", 0, "FILE", OPTION_IDENTITY_FILE},
    {"head", 0, "N:CHAIN", OPTION_HEAD},
    {"auditor", 0, "PUBLIC", OPTION_AUDITOR},
    {"layout", 0, "tree|flat", OPTION_LAYOUT},
    {"uid", 0, "UID", OPTION_UID},
    {"gid", 0, "GID", OPTION_GID},
    {"mode", 0, "MODE", OPTION_MODE},
    {"history", 0, NULL, OPTION_HISTORY},
    {"at", 0, "REV", OPTION_AT},
    {"prepare", 0, NULL, OPTION_PREPARE},
    {"pid", 0, "PID", OPTION_PID},
    {"timeout", 0, "SECONDS", OPTION_TIMEOUT},
    {"idmap", 0, NULL, OPTION_IDMAP},
    {"no-idmap", 0, NULL, OPTION_NO_IDMAP},
    {"out", 0, "FILE", OPTION_OUT},
    {"passphrase", 0, NULL, OPTION_PASSPHRASE},
    {"passphrase-file", 0, "FILE", OPTION_PASSPHRASE_FILE},
    {"new-passphrase-file", 0, "FILE", OPTION_NEW_PASSPHRASE},
    {"key-file", 0, "FILE", OPTION_KEY_FILE},
    {"add-key-file", 0, "FILE", OPTION_ADD_KEY_FILE},
    {"systemd-credential", 0, "[NAME]", OPTION_CREDENTIAL},
    {"rm-slot", 0, "N", OPTION_RM_SLOT},
    {"public", 0, NULL, OPTION_PUBLIC},
    {"ssh", 0, "KEY", OPTION_SSH},
    {"shares", 0, "K/N", OPTION_SHARES},
    {"recovery", 0, "FILE", OPTION_RECOVERY},
    {"recovery-shares", 0, "K/N", OPTION_RECOVERY_SHARES},
    {"recovery-public", 0, "PUBLIC", OPTION_RECOVERY_PUBLIC},
    {"no-recovery", 0, NULL, OPTION_NO_RECOVERY},
    {"accept-head", 0, NULL, OPTION_ACCEPT_HEAD},
    {"rebuild", 0, NULL, OPTION_REBUILD},
};
#define ROWS (sizeof rows / sizeof rows[0])

const char *options_listed(unsigned n, option_bits bits, bool *taken)
{
    if (n >= ROWS)
        return NULL;
    *taken = rows[n].bit == 0 || (rows[n].bit & bits) != 0;
    return rows[n].name;
}

static int add_text(struct texts *texts, const char *text)
{
    const char **list = realloc(texts->list, (texts->count + 1) * sizeof *list);
    if (list == NULL)
        return error_set(ERR_NOMEM, "no memory for the command line");
    texts->list = list;
    texts->list[texts->count++] = text;
    return 0;
}

static int number(const char *name, const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] < '0' || text[0] > '9' ||
        value > INT64_MAX)
        return error_set(ERR_INVALID, "'%s' of --%s is not a whole number", text, name);
    *out = value;
    return 0;
}

static bool *flag(struct options *options, option_bits bit)
{
    switch (bit) {
    case OPTION_DRY_RUN:
        return &options->dry_run;
    case OPTION_REVEAL:
        return &options->reveal;
    case OPTION_SECRET:
        return &options->secret;
    case OPTION_GUESS:
        return &options->guess_secrets;
    case OPTION_RAW:
        return &options->raw;
    case OPTION_NEW:
        return &options->allow_new;
    case OPTION_ALL:
        return &options->all;
    case OPTION_PRISTINE:
        return &options->pristine;
    case OPTION_STRICT:
        return &options->strict;
    case OPTION_CACHE:
        return &options->cache;
    case OPTION_FOREGROUND:
        return &options->foreground;
    case OPTION_MASKED:
        return &options->masked;
    case OPTION_VERBOSE:
        return &options->verbose;
    case OPTION_METRICS:
        return &options->metrics;
    case OPTION_TEMPLATE:
        return &options->template;
    case OPTION_SEALED:
        return &options->sealed;
    case OPTION_REENCRYPT:
        return &options->reencrypt;
    case OPTION_PROTECTED:
        return &options->protect;
    case OPTION_SIGNED:
        return &options->is_signed;
    case OPTION_ALLOW_EQUAL:
        return &options->allow_equal;
    case OPTION_APPLY:
        return &options->apply;
    case OPTION_PRUNE:
        return &options->prune;
    case OPTION_WITH_SECRETS:
        return &options->with_secrets;
    case OPTION_RM:
        return &options->remove;
    case OPTION_HISTORY:
        return &options->history;
    case OPTION_PREPARE:
        return &options->prepare;
    case OPTION_ACCEPT_HEAD:
        return &options->accept_head;
    case OPTION_REBUILD:
        return &options->rebuild;
    case OPTION_IDMAP:
        return &options->idmap;
    case OPTION_NO_IDMAP:
        return &options->no_idmap;
    case OPTION_NO_RECOVERY:
        return &options->no_recovery;
    case OPTION_PASSPHRASE:
        return &options->passphrase;
    case OPTION_PUBLIC:
        return &options->public;
    default:
        return &options->no_secrets;
    }
}

/* As chmod takes it. */
static int mode(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 8);
    if (errno != 0 || end == text || *end != '\0' || text[0] < '0' || text[0] > '7' || value == 0 ||
        value > 0777)
        return error_set(ERR_INVALID, "'%s' of --mode is no mode, such as 0400", text);
    *out = value;
    return 0;
}

/* 1: it is none of a view's. */
static int apply_view(struct options *options, const struct option_row *row, const char *text)
{
    switch (row->bit) {
    case OPTION_LAYOUT:
        options->layout = text;
        return 0;
    case OPTION_AT:
        options->at = text;
        return 0;
    case OPTION_UID:
        options->has_uid = true;
        return number(row->name, text, &options->uid);
    case OPTION_GID:
        options->has_gid = true;
        return number(row->name, text, &options->gid);
    case OPTION_MODE:
        return mode(text, &options->mode);
    case OPTION_PID:
        return number(row->name, text, &options->pid);
    case OPTION_TIMEOUT:
        options->has_timeout = true;
        return number(row->name, text, &options->timeout);
    default:
        return 1;
    }
}

/* 1: it is none of an identity's. */
static int apply_identity(struct options *options, const struct option_row *row, const char *text)
{
    switch (row->bit) {
    case OPTION_OUT:
        options->out = text;
        return 0;
    case OPTION_PASSPHRASE_FILE:
        options->passphrase_file = text;
        return 0;
    case OPTION_NEW_PASSPHRASE:
        options->new_passphrase = text;
        return 0;
    case OPTION_KEY_FILE:
        options->key_file = text;
        return 0;
    case OPTION_ADD_KEY_FILE:
        options->add_key_file = text;
        return 0;
    case OPTION_SSH:
        options->ssh = text;
        return 0;
    case OPTION_CREDENTIAL:
        options->credential = text;
        return 0;
    case OPTION_SHARES:
        options->shares = text;
        return 0;
    case OPTION_RECOVERY:
    case OPTION_RECOVERY_SHARES:
    case OPTION_RECOVERY_PUBLIC:
        *(row->bit == OPTION_RECOVERY          ? &options->recovery
          : row->bit == OPTION_RECOVERY_SHARES ? &options->recovery_shares
                                               : &options->recovery_public) = text;
        return 0;
    case OPTION_RM_SLOT:
        return number(row->name, text, &options->rm_slot);
    default:
        return 1;
    }
}

static int apply_generation(struct options *options, const struct option_row *row, const char *text)
{
    if (strcmp(row->name, "generate") == 0)
        return number(row->name, text, &options->generate);
    if (strcmp(row->name, "run") == 0)
        options->run = text;
    else
        options->keep_previous = text;
    return 0;
}

/* 1: it is none of audit's. */
static int apply_audit(struct options *options, const struct option_row *row, const char *text)
{
    switch (row->bit) {
    case OPTION_PATH:
        options->path = text;
        return 0;
    case OPTION_WHO:
        options->who = text;
        return 0;
    case OPTION_IDENTITY_FILE:
        options->identity = text;
        return 0;
    case OPTION_HEAD:
        options->head = text;
        return 0;
    case OPTION_AUDITOR:
        options->auditor = text;
        return 0;
    default:
        return 1;
    }
}

static int apply_text(struct options *options, const struct option_row *row, const char *text)
{
    switch (row->bit) {
    case 0:
        if (strcmp(row->name, "sign") == 0)
            options->sign = text;
        else
            *(strcmp(row->name, "host") == 0 ? &options->host : &options->store) = text;
        return 0;
    case OPTION_REASON:
        options->reason = text;
        return 0;
    case OPTION_IF_REV:
        options->has_if_rev = true;
        return number(row->name, text, &options->if_rev);
    case OPTION_FROM:
        options->has_from = true;
        return number(row->name, text, &options->from);
    case OPTION_NUMBER:
        return number(row->name, text, &options->number);
    case OPTION_TTL:
        return ttl_parse(&options->ttl, text);
    case OPTION_FILE:
        options->file = text;
        return 0;
    case OPTION_FORMAT:
        options->format = text;
        return 0;
    case OPTION_TREE:
        options->tree = text;
        return 0;
    case OPTION_DOTENV:
        options->dotenv = text;
        return 0;
    case OPTION_ONLY:
        options->only = text;
        return 0;
    case OPTION_VALUE:
        options->value = text;
        return 0;
    case OPTION_BASE:
        options->base = text;
        return 0;
    case OPTION_OVERRIDE:
        options->override = text;
        return 0;
    case OPTION_ENV:
        options->environment = text;
        return 0;
    case OPTION_PARITY:
        options->parity = text;
        return 0;
    case OPTION_JUNIT:
        options->junit = text;
        return 0;
    case OPTION_AGAINST:
        return add_text(&options->against, text);
    case OPTION_TO:
        options->to = text;
        return 0;
    case OPTION_AS_OF:
        options->as_of = text;
        return 0;
    case OPTION_AUTHOR:
        options->author = text;
        return 0;
    case OPTION_SINCE:
        options->since = text;
        return 0;
    case OPTION_KEEP:
        options->keep = text;
        return 0;
    case OPTION_UNTIL:
        options->until = text;
        return 0;
    case OPTION_KEY:
        options->key = text;
        return 0;
    case OPTION_GENERATE:
        return apply_generation(options, row, text);
    case OPTION_TO_WHOM:
    case OPTION_FROM_WHOM:
        return add_text(&options->whom, text);
    case OPTION_WITH:
        return add_text(&options->with, text);
    case OPTION_SECRET_KEY:
        return add_text(&options->secret_keys, text);
    case OPTION_PLAIN_KEY:
        return add_text(&options->plain_keys, text);
    default:
        return add_text(&options->secret_files, text);
    }
}

static void apply_flag(struct options *options, const struct option_row *row)
{
    if (row->bit == OPTION_RIGHTS)
        options->rights |= rights_of_word(row->name);
    else if (row->bit != 0)
        *flag(options, row->bit) = true;
    else if (strcmp(row->name, "json") == 0)
        options->json = true;
    else
        options->help = true;
}

/* What is being read: argv, and how far. */
struct line {
    int argc;
    char **argv;
    int at;
    const struct command *command; /* NULL before the verb */
};

static const char *learn_more(const struct line *line)
{
    return line->command != NULL ? line->command->name : "";
}

static const struct option_row *find_row(const struct line *line, const char *name, size_t length,
                                         char letter)
{
    option_bits taken = line->command == NULL ? 0 : line->command->options;
    for (size_t i = 0; i < ROWS; i++) {
        bool named = letter != 0 ? rows[i].letter == letter
                                 : strlen(rows[i].name) == length &&
                                       strncmp(rows[i].name, name, length) == 0;
        if (named && (rows[i].bit == 0 || (rows[i].bit & taken) != 0))
            return &rows[i];
    }
    return NULL;
}

/* One option, with its argument from behind '=' or from the next word. */
static int read_option(struct options *options, struct line *line)
{
    const char *word = line->argv[line->at++];
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    size_t length = is_long ? strcspn(name, "=") : 1;
    const char *argument = is_long ? (name[length] == '=' ? name + length + 1 : NULL)
                                   : (name[1] != '\0' ? name + 1 : NULL);
    const struct option_row *row = find_row(line, name, length, is_long ? 0 : name[0]);
    int shown = (int)(is_long ? length + 2 : 2);
    if (row == NULL)
        return error_set(ERR_INVALID, "no option '%.*s' here: 'emsa help %s' lists what there is",
                         shown, word, learn_more(line));
    if (row->argument == NULL && argument != NULL)
        return error_set(ERR_INVALID, "the option '%.*s' takes no value", shown, word);
    if (row->argument == NULL) {
        apply_flag(options, row);
        return 0;
    }
    const bool may_be_alone = row->argument[0] == '[';
    const bool is_last = line->at == line->argc;
    if (argument == NULL && may_be_alone && (is_last || line->argv[line->at][0] == '-'))
        argument = "";
    if (argument == NULL && is_last)
        return error_set(ERR_INVALID, "the option '%.*s' wants a value: %s", shown, word,
                         row->argument);
    const char *text = argument != NULL ? argument : line->argv[line->at++];
    int outcome = apply_view(options, row, text);
    if (outcome == 1)
        outcome = apply_identity(options, row, text);
    if (outcome == 1)
        outcome = apply_audit(options, row, text);
    return outcome == 1 ? apply_text(options, row, text) : outcome;
}

/* Options and arguments after the verb. Where the verb runs another command, its words are not
 * ours. */
static int read_words(struct options *options, struct line *line)
{
    bool ended = false;
    while (line->at < line->argc) {
        const char *word = line->argv[line->at];
        if (!ended && strcmp(word, "--") == 0) {
            ended = true;
            options->has_dashes = true;
            options->before_dashes = options->arguments.count;
            line->at++;
            continue;
        }
        int error;
        if (!ended && word[0] == '-' && word[1] != '\0') {
            error = read_option(options, line);
        } else {
            error = add_text(&options->arguments, word);
            line->at++;
            if (line->command->runs && options->arguments.count == 2)
                ended = true;
        }
        if (error < 0)
            return error;
    }
    return 0;
}

static int read_verb(struct line *line)
{
    const char *word = line->argv[line->at++];
    if (strcmp(word, "--version") == 0)
        word = "version";
    const char *second = line->at < line->argc ? line->argv[line->at] : NULL;
    const struct command *found = command_find(word, second);
    if (found == NULL && second != NULL &&
        (strcmp(second, "--help") == 0 || strcmp(second, "-h") == 0)) {
        line->argv[line->at] = line->argv[line->at - 1]; /* 'identity --help': 'help identity' */
        found = command_find("help", NULL);
    }
    if (found == NULL)
        return command_unknown(word, second);
    if (found->sub != NULL)
        line->at++;
    line->command = found;
    return 0;
}

static int check_count(const struct options *options, const struct command *command)
{
    size_t count = options->arguments.count;
    if (options->help || (count >= command->least && count <= command->most))
        return 0;
    error_set(ERR_INVALID,
              count < command->least ? "something is missing after '%s%s%s'"
                                     : "there is too much after '%s%s%s'",
              command->name, command->sub != NULL ? " " : "",
              command->sub != NULL ? command->sub : "");
    return error_add(ERR_INVALID, "usage: emsa %s", command->synopsis);
}

int options_parse(struct options *out, const struct command **command, int argc, char *argv[])
{
    struct line line = {.argc = argc, .argv = argv, .at = 1};
    int error = 0;
    *out = (struct options){0};
    *command = NULL;
    while (error == 0 && line.at < argc && argv[line.at][0] == '-' && argv[line.at][1] != '\0' &&
           strcmp(argv[line.at], "--version") != 0)
        error = read_option(out, &line);
    if (error == 0 && line.at < argc)
        error = read_verb(&line);
    if (error == 0 && line.command != NULL)
        error = read_words(out, &line);
    if (error == 0 && line.command != NULL)
        error = check_count(out, line.command);
    if (error == 0)
        *command = line.command;
    return error;
}

void options_release(struct options *options)
{
    free(options->secret_keys.list);
    free(options->plain_keys.list);
    free(options->secret_files.list);
    free(options->with.list);
    free(options->against.list);
    free(options->whom.list);
    free(options->arguments.list);
    *options = (struct options){0};
}
