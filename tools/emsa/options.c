#include "tools/emsa/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/ttl.h"
#include "tools/service/right_words.h"

/* What an option is to its member of struct options. */
enum form {
    FORM_FLAG,   /* bool */
    FORM_TEXT,   /* const char * */
    FORM_NUMBER, /* uint64_t, and a bool that says it was given */
    FORM_LIST,   /* struct texts: one more each time */
    FORM_MODE,
    FORM_TTL,
    FORM_RIGHT, /* one of the rights, by its name */
};

struct option_row {
    const char *name;
    char letter;
    const char *argument; /* what it is, "[...]" if it may be left out; NULL for a flag */
    option_bits bit;      /* 0: every verb takes it */
    enum form form;
    size_t member; /* its offset; of those without one of their own 0 */
    size_t given;  /* the offset of the bool; 0: there is none */
};
#define FLAG(member) FORM_FLAG, offsetof(struct options, member), 0
#define TEXT(member) FORM_TEXT, offsetof(struct options, member), 0
#define LIST(member) FORM_LIST, offsetof(struct options, member), 0
#define NUMBER(member) FORM_NUMBER, offsetof(struct options, member), 0
#define NUMBER_GIVEN(member)                                                                       \
    FORM_NUMBER, offsetof(struct options, member), offsetof(struct options, has_##member)

static const struct option_row rows[] = {
    {"store", 0, "DIR", 0, TEXT(store)},
    {"host", 0, "URL", 0, TEXT(host)},
    {"sign", 0, "FILE", 0, TEXT(sign)},
    {"json", 0, NULL, 0, FLAG(json)},
    {"help", 'h', NULL, 0, FLAG(help)},
    {"reason", 'm', "WHY", OPTION_REASON, TEXT(reason)},
    {"if-rev", 0, "N", OPTION_IF_REV, NUMBER_GIVEN(if_rev)},
    {"dry-run", 0, NULL, OPTION_DRY_RUN, FLAG(dry_run)},
    {"reveal", 0, NULL, OPTION_REVEAL, FLAG(reveal)},
    {"secret", 0, NULL, OPTION_SECRET, FLAG(secret)},
    {"secret", 0, "KEY", OPTION_SECRET_KEY, LIST(secret_keys)},
    {"plain", 0, "KEY", OPTION_PLAIN_KEY, LIST(plain_keys)},
    {"guess-secrets", 0, NULL, OPTION_GUESS, FLAG(guess_secrets)},
    {"raw", 0, NULL, OPTION_RAW, FLAG(raw)},
    {"file", 0, "FILE", OPTION_FILE, TEXT(file)},
    {"secret-file", 0, "KEY=FILE", OPTION_SECRET_FILE, LIST(secret_files)},
    {"new", 0, NULL, OPTION_NEW, FLAG(allow_new)},
    {"all", 0, NULL, OPTION_ALL, FLAG(all)},
    {"format", 0, "FORMAT", OPTION_FORMAT, TEXT(format)},
    {"tree", 0, "FILE", OPTION_TREE, TEXT(tree)},
    {"dotenv", 0, "FILE", OPTION_DOTENV, TEXT(dotenv)},
    {"only", 0, "KEY,KEY", OPTION_ONLY, TEXT(only)},
    {"pristine", 0, NULL, OPTION_PRISTINE, FLAG(pristine)},
    {"strict", 0, NULL, OPTION_STRICT, FLAG(strict)},
    {"cache", 0, NULL, OPTION_CACHE, FLAG(cache)},
    {"foreground", 0, NULL, OPTION_FOREGROUND, FLAG(foreground)},
    {"masked", 0, NULL, OPTION_MASKED, FLAG(masked)},
    {"number", 'n', "N", OPTION_NUMBER, NUMBER(number)},
    {"verbose", 'v', NULL, OPTION_VERBOSE, FLAG(verbose)},
    {"no-secrets", 0, NULL, OPTION_NO_SECRETS, FLAG(no_secrets)},
    {"ttl", 0, "TIME", OPTION_TTL, FORM_TTL, 0, 0},
    {"metrics", 0, NULL, OPTION_METRICS, FLAG(metrics)},
    {"from", 0, "REV", OPTION_FROM, NUMBER_GIVEN(from)},
    {"template", 0, NULL, OPTION_TEMPLATE, FLAG(template)},
    {"sealed", 0, NULL, OPTION_SEALED, FLAG(sealed)},
    {"reencrypt", 0, NULL, OPTION_REENCRYPT, FLAG(reencrypt)},
    {"with", 0, "SERVICE", OPTION_WITH, LIST(with)},
    {"value", 0, "TEXT", OPTION_VALUE, TEXT(value)},
    {"protected", 0, NULL, OPTION_PROTECTED, FLAG(protect)},
    {"signed", 0, NULL, OPTION_SIGNED, FLAG(is_signed)},
    {"base", 0, "ENV", OPTION_BASE, TEXT(base)},
    {"allow-equal", 0, NULL, OPTION_ALLOW_EQUAL, FLAG(allow_equal)},
    {"apply", 0, NULL, OPTION_APPLY, FLAG(apply)},
    {"prune", 0, NULL, OPTION_PRUNE, FLAG(prune)},
    {"override", 0, "RULE,RULE", OPTION_OVERRIDE, TEXT(override)},
    {"env", 0, "ENV", OPTION_ENV, TEXT(environment)},
    {"against", 0, "FILE", OPTION_AGAINST, LIST(against)},
    {"parity", 0, "ENV,ENV", OPTION_PARITY, TEXT(parity)},
    {"junit", 0, "FILE", OPTION_JUNIT, TEXT(junit)},
    {"to", 0, "REV", OPTION_TO, TEXT(to)},
    {"with-secrets", 0, NULL, OPTION_WITH_SECRETS, FLAG(with_secrets)},
    {"from", 0, "REV", OPTION_AS_OF, TEXT(as_of)},
    {"author", 0, "TEXT", OPTION_AUTHOR, TEXT(author)},
    {"since", 0, "WHEN", OPTION_SINCE, TEXT(since)},
    {"until", 0, "WHEN", OPTION_UNTIL, TEXT(until)},
    {"key", 0, "PATTERN", OPTION_KEY, TEXT(key)},
    {"rm", 0, NULL, OPTION_RM, FLAG(remove)},
    {"keep", 0, "TIME|REV", OPTION_KEEP, TEXT(keep)},
    {"generate", 0, "BYTES", OPTION_GENERATE, NUMBER(generate)},
    {"keep-previous", 0, "KEY", OPTION_GENERATE, TEXT(keep_previous)},
    {"run", 0, "COMMAND", OPTION_GENERATE, TEXT(run)},
    {"to", 0, "WHO", OPTION_TO_WHOM, LIST(whom)},
    {"from", 0, "WHO", OPTION_FROM_WHOM, LIST(whom)},
    {"list", 0, NULL, OPTION_RIGHTS, FORM_RIGHT, 0, 0},
    {"read", 0, NULL, OPTION_RIGHTS, FORM_RIGHT, 0, 0},
    {"set", 0, NULL, OPTION_RIGHTS, FORM_RIGHT, 0, 0},
    {"share", 0, NULL, OPTION_RIGHTS, FORM_RIGHT, 0, 0},
    {"audit", 0, NULL, OPTION_RIGHTS, FORM_RIGHT, 0, 0},
    {"admin", 0, NULL, OPTION_RIGHTS, FORM_RIGHT, 0, 0},
    {"path", 0, "PATH", OPTION_PATH, TEXT(path)},
    {"who", 0, "USER", OPTION_WHO, TEXT(who)},
    {"identity", 0, "FILE", OPTION_IDENTITY_FILE, TEXT(identity)},
    {"head", 0, "N:CHAIN", OPTION_HEAD, TEXT(head)},
    {"auditor", 0, "PUBLIC", OPTION_AUDITOR, TEXT(auditor)},
    {"layout", 0, "tree|flat", OPTION_LAYOUT, TEXT(layout)},
    {"uid", 0, "UID", OPTION_UID, NUMBER_GIVEN(uid)},
    {"gid", 0, "GID", OPTION_GID, NUMBER_GIVEN(gid)},
    {"mode", 0, "MODE", OPTION_MODE, FORM_MODE, 0, 0},
    {"history", 0, NULL, OPTION_HISTORY, FLAG(history)},
    {"at", 0, "REV", OPTION_AT, TEXT(at)},
    {"prepare", 0, NULL, OPTION_PREPARE, FLAG(prepare)},
    {"pid", 0, "PID", OPTION_PID, NUMBER(pid)},
    {"timeout", 0, "SECONDS", OPTION_TIMEOUT, NUMBER_GIVEN(timeout)},
    {"idmap", 0, NULL, OPTION_IDMAP, FLAG(idmap)},
    {"no-idmap", 0, NULL, OPTION_NO_IDMAP, FLAG(no_idmap)},
    {"out", 0, "FILE", OPTION_OUT, TEXT(out)},
    {"passphrase", 0, NULL, OPTION_PASSPHRASE, FLAG(passphrase)},
    {"passphrase-file", 0, "FILE", OPTION_PASSPHRASE_FILE, TEXT(passphrase_file)},
    {"new-passphrase-file", 0, "FILE", OPTION_NEW_PASSPHRASE, TEXT(new_passphrase)},
    {"key-file", 0, "FILE", OPTION_KEY_FILE, TEXT(key_file)},
    {"add-key-file", 0, "FILE", OPTION_ADD_KEY_FILE, TEXT(add_key_file)},
    {"systemd-credential", 0, "[NAME]", OPTION_CREDENTIAL, TEXT(credential)},
    {"rm-slot", 0, "N", OPTION_RM_SLOT, NUMBER(rm_slot)},
    {"public", 0, NULL, OPTION_PUBLIC, FLAG(public)},
    {"ssh", 0, "KEY", OPTION_SSH, TEXT(ssh)},
    {"shares", 0, "K/N", OPTION_SHARES, TEXT(shares)},
    {"recovery", 0, "FILE", OPTION_RECOVERY, TEXT(recovery)},
    {"recovery-shares", 0, "K/N", OPTION_RECOVERY_SHARES, TEXT(recovery_shares)},
    {"recovery-public", 0, "PUBLIC", OPTION_RECOVERY_PUBLIC, TEXT(recovery_public)},
    {"no-recovery", 0, NULL, OPTION_NO_RECOVERY, FLAG(no_recovery)},
    {"accept-head", 0, NULL, OPTION_ACCEPT_HEAD, FLAG(accept_head)},
    {"rebuild", 0, NULL, OPTION_REBUILD, FLAG(rebuild)},
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

/* text: NULL of a flag. */
static int apply(struct options *options, const struct option_row *row, const char *text)
{
    void *member = (char *)options + row->member;
    switch (row->form) {
    case FORM_FLAG:
        *(bool *)member = true;
        return 0;
    case FORM_TEXT:
        *(const char **)member = text;
        return 0;
    case FORM_NUMBER:
        if (row->given != 0)
            *(bool *)((char *)options + row->given) = true;
        return number(row->name, text, member);
    case FORM_LIST:
        return add_text(member, text);
    case FORM_MODE:
        return mode(text, &options->mode);
    case FORM_TTL:
        return ttl_parse(&options->ttl, text);
    case FORM_RIGHT:
        options->rights |= rights_of_word(row->name);
        return 0;
    }
    return error_set(ERR_INVALID, "--%s is of no form", row->name);
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
    if (row->argument == NULL)
        return apply(options, row, NULL);
    const bool may_be_alone = row->argument[0] == '[';
    const bool is_last = line->at == line->argc;
    if (argument == NULL && may_be_alone && (is_last || line->argv[line->at][0] == '-'))
        argument = "";
    if (argument == NULL && is_last)
        return error_set(ERR_INVALID, "the option '%.*s' wants a value: %s", shown, word,
                         row->argument);
    return apply(options, row, argument != NULL ? argument : line->argv[line->at++]);
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
