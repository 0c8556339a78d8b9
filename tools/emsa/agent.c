#include "tools/emsa/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/bytes.h"
#include "store/codec.h"
#include "store/error.h"
#include "tools/common/address.h"
#include "tools/common/descriptor.h"
#include "tools/emsa/base64.h"

#define LIST_MILLISECONDS 10000
#define SIGN_MILLISECONDS 60000
#define ANSWER_MAX 262144u /* as OpenSSH has it */
#define QUESTION_MAX 4096u
#define PUB_FILE_MAX 16384u
#define DATA_MAX 8192u /* of a public key, in base64 */

enum kind { /* of messages */
            AGENT_FAILURE = 5,
            AGENT_LIST = 11,
            AGENT_LISTED = 12,
            AGENT_SIGN = 13,
            AGENT_SIGNED = 14
};

bool agent_is_named(const char *text, const char **which)
{
    const size_t size = sizeof AGENT_WORD - 1;
    if (text == NULL || strncmp(text, AGENT_WORD, size) != 0 ||
        (text[size] != '\0' && text[size] != ':'))
        return false;
    *which = text[size] == ':' && text[size + 1] != '\0' ? text + size + 1 : NULL;
    return true;
}

static int no_agent(const char *why)
{
    error_set(ERR_NOT_FOUND, "there is no ssh-agent to sign: %s", why);
    return error_add(ERR_NOT_FOUND,
                     "start one: 'eval \"$(ssh-agent)\"', then 'ssh-add'; or name a file: --sign "
                     "FILE");
}

int agent_open(struct agent *out)
{
    struct address address;
    const char *path = getenv("SSH_AUTH_SOCK");
    *out = (struct agent){
        .fd = -1, .list_patience = LIST_MILLISECONDS, .sign_patience = SIGN_MILLISECONDS};
    if (path == NULL || path[0] == '\0')
        return no_agent("$SSH_AUTH_SOCK is not set");
    int error = address_make(&address, path);
    if (error == -ERR_NOT_FOUND)
        return no_agent("nothing is at $SSH_AUTH_SOCK");
    if (error < 0)
        return error;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool failed =
        fd < 0 || connect(fd, (const struct sockaddr *)&address.name, address.size) < 0;
    const int reason = errno;
    address_release(&address);
    if (!failed) {
        out->fd = fd;
        return 0;
    }
    descriptor_close(&fd);
    return reason == ENOENT || reason == ECONNREFUSED || reason == ENOTSOCK
               ? no_agent("nobody answers at $SSH_AUTH_SOCK")
               : error_system(reason, "cannot reach the ssh-agent at '%s'", path);
}

void agent_close(struct agent *agent)
{
    descriptor_close(&agent->fd);
}

/* --- messages --- */

static int hung_up(void)
{
    return error_set(ERR_IO, "the ssh-agent hung up");
}

static int no_agent_talk(void)
{
    return error_set(ERR_IO, "what answers at $SSH_AUTH_SOCK does not speak as an ssh-agent");
}

static int send_all(const struct agent *agent, const unsigned char *data, size_t size,
                    int64_t deadline)
{
    while (size > 0) {
        const ssize_t sent = descriptor_send(agent->fd, data, size, NULL, 0);
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
            continue;
        }
        if (sent < 0 && errno != EAGAIN)
            return hung_up();
        const int late = descriptor_wait(agent->fd, POLLOUT, deadline);
        if (late != 0)
            return late < 0 ? late : error_set(ERR_IO, "the ssh-agent does not read");
    }
    return 0;
}

static int receive_all(const struct agent *agent, unsigned char *out, size_t size, int64_t deadline)
{
    while (size > 0) {
        const int late = descriptor_wait(agent->fd, POLLIN, deadline);
        if (late != 0)
            return late < 0 ? late : error_set(ERR_IO, "the ssh-agent does not answer");
        size_t fds;
        int is_cut;
        const ssize_t count = descriptor_receive(agent->fd, out, size, NULL, 0, &fds, &is_cut);
        if (count < 0 && errno == EAGAIN)
            continue;
        if (count <= 0)
            return hung_up();
        out += count;
        size -= (size_t)count;
    }
    return 0;
}

static void put_big(struct bytes *out, size_t value)
{
    const unsigned char bytes[] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                   (unsigned char)(value >> 8), (unsigned char)value};
    bytes_append(out, bytes, sizeof bytes);
}

static void put_string(struct bytes *out, const void *data, size_t size)
{
    put_big(out, size);
    bytes_append(out, data, size);
}

/* Asks with a message of that kind and these contents; the answer's kind, and what follows it. */
static int ask(const struct agent *agent, enum kind kind, const struct bytes *contents,
               struct bytes *answer, int patience)
{
    struct bytes question BYTES_CLEANUP = BYTES_INIT(QUESTION_MAX);
    unsigned char head[4];
    const unsigned char byte = (unsigned char)kind;
    const int64_t deadline = deadline_in(patience);
    put_big(&question, contents->size + 1);
    bytes_append(&question, &byte, 1);
    bytes_append(&question, contents->data, contents->size);
    int error = question.error;
    if (error == 0)
        error = send_all(agent, question.data, question.size, deadline);
    if (error == 0)
        error = receive_all(agent, head, sizeof head, deadline);
    if (error < 0)
        return error;
    const size_t size =
        (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (size == 0 || size > ANSWER_MAX)
        return no_agent_talk();
    unsigned char *room = bytes_reserve(answer, size);
    if (room == NULL)
        return error_set(ERR_NOMEM, "no memory for an ssh-agent's answer");
    error = receive_all(agent, room, size, deadline);
    if (error == 0)
        answer->size += size;
    return error;
}

/* --- keys --- */

static void set_comment(struct agent_key *key, const unsigned char *text, size_t size)
{
    size_t used = 0;
    while (used < size && used < AGENT_COMMENT_MAX && text[used] != '\0')
        used++;
    memcpy(key->comment, text, used);
    key->comment[used] = '\0';
}

int agent_key_parse(struct agent_key *out, const char *text, size_t size)
{
    unsigned char room[DATA_MAX];
    struct secret data = {.data = room};
    const char *end = text + size, *newline = memchr(text, '\n', size);
    if (newline != NULL)
        end = newline > text && newline[-1] == '\r' ? newline - 1 : newline;
    const char *blank = memchr(text, ' ', (size_t)(end - text));
    const char *digits = blank != NULL ? blank + 1 : end;
    const char *after = memchr(digits, ' ', (size_t)(end - digits));
    if (after == NULL)
        after = end;
    data.size = (size_t)(after - digits);
    if (data.size <= sizeof room)
        memcpy(room, digits, data.size);
    if (data.size == 0 || data.size > sizeof room || base64_decode(&data, data.size) < 0) {
        error_clear();
        return error_set(ERR_INVALID, "this is no public key of ssh: one is 'ssh-ed25519 AAAA... "
                                      "COMMENT', as in ~/.ssh/id_ed25519.pub");
    }
    int error = ssh_key_read(out->key, data.data, data.size);
    if (error == 0)
        set_comment(out, (const unsigned char *)after + (after < end),
                    (size_t)(end - after) - (after < end));
    return error;
}

int agent_key_load(struct agent_key *out, const char *path)
{
    char text[PUB_FILE_MAX];
    size_t size = 0;
    int fd DESCRIPTOR_CLEANUP = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_system(errno, "cannot open the public key '%s'", path);
    for (ssize_t count = 1; count > 0 && size < sizeof text;) {
        count = read(fd, text + size, sizeof text - size);
        if (count < 0 && errno == EINTR)
            count = 1;
        else if (count < 0)
            return error_system(errno, "cannot read the public key '%s'", path);
        else
            size += (size_t)count;
    }
    int error = agent_key_parse(out, text, size);
    return error < 0 ? error_add((enum error_code) - error, "that is '%s'", path) : 0;
}

struct wanted {
    const char *name; /* a comment or a fingerprint; NULL: whichever there is */
    bool has_key;     /* of a file */
    uint8_t key[SSH_KEY_SIZE];
    struct agent_key *out;
    unsigned found, others; /* others: of types that are no identity */
};

static bool is_wanted(const struct wanted *wanted, const struct agent_key *key)
{
    char fingerprint[SSH_FINGERPRINT_MAX];
    if (wanted->has_key)
        return memcmp(wanted->key, key->key, SSH_KEY_SIZE) == 0;
    ssh_key_fingerprint(fingerprint, key->key);
    return wanted->name == NULL || strcmp(wanted->name, key->comment) == 0 ||
           strcmp(wanted->name, fingerprint) == 0;
}

static void look_at(struct wanted *wanted, const unsigned char *data, size_t size,
                    const unsigned char *comment, size_t comment_size)
{
    struct agent_key key;
    set_comment(&key, comment, comment_size);
    if (ssh_key_read(key.key, data, size) < 0) {
        error_clear();
        wanted->others +=
            !wanted->has_key && (wanted->name == NULL || strcmp(wanted->name, key.comment) == 0);
        return;
    }
    if (!is_wanted(wanted, &key))
        return;
    if (wanted->found++ == 0)
        *wanted->out = key;
}

static int look_through(struct wanted *wanted, const struct bytes *answer)
{
    struct decoder in = DECODER(answer->data, answer->size);
    const bool is_list = take_u8(&in) == AGENT_LISTED;
    const unsigned char *count = take_bytes(&in, 4);
    if (!is_list || count == NULL)
        return no_agent_talk();
    size_t left =
        (size_t)count[0] << 24 | (size_t)count[1] << 16 | (size_t)count[2] << 8 | count[3];
    for (; left > 0; left--) {
        size_t size, comment_size;
        const unsigned char *data = ssh_string(&in, &size);
        const unsigned char *comment = ssh_string(&in, &comment_size);
        if (in.failed || data == NULL || comment == NULL)
            return no_agent_talk();
        look_at(wanted, data, size, comment, comment_size);
    }
    return 0;
}

static int not_one(const struct wanted *wanted, const char *which)
{
    if (wanted->found > 1)
        return error_set(
            ERR_CONFLICT,
            "the ssh-agent has %u such Ed25519 keys: name one by its file, its comment "
            "or its fingerprint (ssh-add -l): --sign " AGENT_WORD ":KEY",
            wanted->found);
    if (wanted->others > 0)
        return error_set(ERR_INVALID, "the ssh-agent's key is of another type, and an identity is "
                                      "an Ed25519 key ('ssh-keygen -t ed25519' makes one)");
    error_set(ERR_NOT_FOUND, which == NULL ? "the ssh-agent has no Ed25519 key"
                                           : "the ssh-agent has no such Ed25519 key");
    return error_add(ERR_NOT_FOUND, "'ssh-add -l' lists what it has, 'ssh-add FILE' gives it one; "
                                    "a locked one shows none ('ssh-add -X')");
}

int agent_find(struct agent *agent, struct agent_key *out, const char *which)
{
    struct bytes nothing = BYTES_INIT(0), answer BYTES_CLEANUP = BYTES_INIT(ANSWER_MAX);
    struct agent_key found, of_file;
    struct wanted wanted = {.name = which, .out = &found};
    if (which != NULL && access(which, F_OK) == 0) {
        int error = agent_key_load(&of_file, which);
        if (error < 0)
            return error;
        wanted.has_key = true;
        memcpy(wanted.key, of_file.key, SSH_KEY_SIZE);
    }
    int error = ask(agent, AGENT_LIST, &nothing, &answer, agent->list_patience);
    if (error == 0)
        error = look_through(&wanted, &answer);
    if (error == 0 && wanted.found != 1)
        error = not_one(&wanted, which);
    if (error == 0)
        *out = found;
    return error;
}

int agent_sign(struct agent *agent, uint8_t out[static SSH_SIGNATURE_SIZE],
               const struct agent_key *key, const void *message, size_t size)
{
    struct bytes question BYTES_CLEANUP = BYTES_INIT(QUESTION_MAX);
    struct bytes answer BYTES_CLEANUP = BYTES_INIT(ANSWER_MAX);
    unsigned char data[SSH_KEY_DATA_SIZE];
    ssh_key_write(data, key->key);
    put_string(&question, data, sizeof data);
    put_string(&question, message, size);
    put_big(&question, 0); /* no flags */
    int error = question.error != 0
                    ? question.error
                    : ask(agent, AGENT_SIGN, &question, &answer, agent->sign_patience);
    if (error < 0)
        return error;
    struct decoder in = DECODER(answer.data, answer.size);
    const uint8_t kind = take_u8(&in);
    if (kind == AGENT_FAILURE)
        return error_set(ERR_DENIED, "the ssh-agent does not sign: it was locked, or whoever it "
                                     "asked said no");
    size_t signature_size;
    const unsigned char *signature = ssh_string(&in, &signature_size);
    if (kind != AGENT_SIGNED || signature == NULL || in.left > 0)
        return no_agent_talk();
    if (ssh_signature_read(out, signature, signature_size) < 0)
        return no_agent_talk();
    return ssh_key_signed(key->key, out, message, size)
               ? 0
               : error_set(ERR_IO, "what the ssh-agent gave is no signature by its key");
}
