#include "tools/emsa/identity_share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "store/identity_share.h"
#include "tools/common/descriptor.h"
#include "tools/emsa/command.h"
#include "tools/emsa/identity.h"
#include "tools/emsa/input.h"
#include "tools/emsa/output.h"

#define LINES_MAX (64u << 10)

struct shares {
    struct secret lines[IDENTITY_SHARES_MAX];
    unsigned needed, count;
};

/* "2/3" */
static int parse(struct shares *shares, const char *text, const char *option)
{
    unsigned needed, count;
    char end;
    if (sscanf(text, "%2u/%2u%c", &needed, &count, &end) != 2)
        return error_set(ERR_INVALID, "'%s' of --%s is not such as 2/3: how many of how many", text,
                         option);
    shares->needed = needed;
    shares->count = count;
    return 0;
}

static int write_all(int fd, const struct secret *line)
{
    for (size_t at = 0; at < line->size;) {
        ssize_t done = write(fd, line->data + at, line->size - at);
        if (done < 0 && errno != EINTR)
            return errno;
        at += done > 0 ? (size_t)done : 0;
    }
    return fsync(fd) < 0 ? errno : 0;
}

static int write_file(const char *path, const struct secret *line)
{
    int fd DESCRIPTOR_CLEANUP =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return error_set(ERR_REFUSED, "'%s' exists, and no share is ever overwritten", path);
    if (fd < 0)
        return error_system(errno, "cannot make '%s'", path);
    int failed = write_all(fd, line);
    if (failed == 0)
        return 0;
    unlink(path);
    return error_system(failed, "cannot write '%s'", path);
}

static int share_path(char out[static PATH_MAX], const char *base, unsigned number)
{
    return snprintf(out, PATH_MAX, "%s.%u", base, number) < PATH_MAX
               ? 0
               : error_set(ERR_INVALID, "the path '%.64s...' is too long", base);
}

void identity_shares_unlink(const char *base, unsigned count)
{
    char path[PATH_MAX];
    for (unsigned number = 1; number <= count; number++)
        if (share_path(path, base, number) == 0)
            unlink(path);
}

static int write_files(const struct shares *shares, const char *base)
{
    char path[PATH_MAX];
    for (unsigned made = 0; made < shares->count; made++) {
        int error = share_path(path, base, made + 1);
        if (error == 0)
            error = write_file(path, &shares->lines[made]);
        if (error < 0) {
            identity_shares_unlink(base, made);
            return error;
        }
    }
    return 0;
}

static int write_lines(const struct shares *shares)
{
    int error = 0;
    for (unsigned i = 0; i < shares->count && error == 0; i++)
        error = output_bytes(shares->lines[i].data, shares->lines[i].size);
    return error;
}

int identity_shares_write(struct share_count *out, const struct identity *identity,
                          const char *wanted, const char *option, const char *base)
{
    struct shares shares = {0};
    int error = parse(&shares, wanted, option);
    if (error == 0)
        error = identity_share_make(shares.lines, identity, shares.needed, shares.count);
    if (error == 0)
        error = base == NULL ? write_lines(&shares) : write_files(&shares, base);
    for (unsigned i = 0; i < IDENTITY_SHARES_MAX; i++)
        secret_release(&shares.lines[i]);
    if (error == 0)
        *out = (struct share_count){shares.needed, shares.count};
    return error;
}

static int tell(const struct session *session, struct share_count shares, const char *base,
                const struct identity *identity)
{
    char public_text[IDENTITY_TEXT_MAX], first[PATH_MAX];
    identity_public(identity, public_text);
    int error = share_path(first, base, 1);
    if (error < 0)
        return error;
    if (session->options.json)
        return output_json(json_pack("{s:s, s:s, s:i, s:i, s:s}", "name", identity_name(identity),
                                     "public", public_text, "needed", (int)shares.needed, "shares",
                                     (int)shares.count, "file", first));
    printf("identity   id:%s\nshares     %u, of which any %u give it back: %s and those that "
           "follow\n"
           "           Take each to another place, and try them: emsa identity combine\n"
           "public     %s\n",
           identity_name(identity), shares.count, shares.needed, first, public_text);
    return 0;
}

int identity_make_shares(struct session *session, const struct identity *identity)
{
    const struct options *options = &session->options;
    char usual[IDENTITY_NAME_MAX + sizeof ".share"];
    struct share_count made;
    if (options->passphrase || options->passphrase_file != NULL || options->key_file != NULL ||
        options->credential != NULL)
        return error_set(ERR_INVALID, "shares open with each other only: without --passphrase, "
                                      "--key-file and --systemd-credential");
    snprintf(usual, sizeof usual, "%s.share", identity_name(identity));
    const char *base = options->out != NULL ? options->out : usual;
    const bool is_printed = strcmp(base, "-") == 0;
    const int error =
        identity_shares_write(&made, identity, options->shares, "shares", is_printed ? NULL : base);
    return error < 0 || is_printed ? error : tell(session, made, base, identity);
}

/* A file with a slip in it is named; whether its shares are enough is asked of all together. */
static int check_alone(const struct secret *text, const char *path)
{
    struct identity *identity = NULL;
    const int error = identity_share_combine(&identity, text);
    identity_free(identity);
    if (error == -ERR_CORRUPT)
        return error_add(ERR_CORRUPT, "that is in '%s'", path);
    error_clear();
    return 0;
}

static int add_lines(struct secret *all, const char *path)
{
    SECRET_CLEANUP struct secret text = {0};
    int error = read_whole(&text, path, LINES_MAX);
    if (error == 0)
        error = check_alone(&text, path);
    if (error == 0)
        error = secret_grow(all, all->size + text.size + 1);
    if (error < 0)
        return error;
    if (text.size > 0)
        memcpy(all->data + all->size, text.data, text.size);
    all->size += text.size;
    all->data[all->size++] = '\n';
    return 0;
}

int run_identity_combine(struct session *session)
{
    const struct texts *files = &session->options.arguments;
    SECRET_CLEANUP struct secret all = {0};
    struct identity *identity = NULL;
    int error = 0;
    for (size_t i = 0; i < files->count && error == 0; i++)
        error = add_lines(&all, files->list[i]);
    if (error == 0)
        error = identity_share_combine(&identity, &all);
    if (error == 0)
        error = identity_make_file(session, identity);
    identity_free(identity);
    return error;
}
