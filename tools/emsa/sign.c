#include "tools/emsa/sign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "store/error.h"
#include "store/identity_file.h"
#include "store/request.h"
#include "store/sealed.h"
#include "tools/emsa/passphrase.h"
#include "tools/emsa/prove.h"
#include "tools/service/hex.h"
#include "tools/service/schema_json.h"
#include "tools/service/signing.h"

#define NOTHING "none"
#define PREFIX "io.emsa."

/* What was named, or NULL: what stands beside the store. */
static const char *named(const struct session *session)
{
    const char *said = session->options.sign;
    if (said == NULL)
        said = getenv("EMSA_SIGN_IDENTITY");
    return said != NULL && said[0] != '\0' ? said : NULL;
}

bool sign_is_named(const struct session *session)
{
    const char *path = named(session);
    return path != NULL && strcmp(path, NOTHING) != 0;
}

static int open_agent(struct session *session, const char *which)
{
    int error = agent_open(&session->sign.agent);
    if (error < 0)
        return error;
    error = agent_find(&session->sign.agent, &session->sign.agent_key, which);
    if (error < 0)
        agent_close(&session->sign.agent);
    session->sign.is_open = session->sign.is_agent = error == 0;
    return error;
}

int sign_open(struct session *session)
{
    const char *path = named(session), *said = session->options.sign;
    if (said != NULL && said[0] == '\0') /* of a variable that is not set: another would sign */
        return error_set(ERR_INVALID, "--sign names nothing: give a file, ssh-agent, or none");
    if (session->sign.is_open || (path != NULL && strcmp(path, NOTHING) == 0))
        return 0;
    if (path == NULL && session->options.host != NULL) /* what stands here is another store's */
        return 0;
    const char *which;
    if (agent_is_named(path, &which))
        return open_agent(session, which);
    int error = identity_open(&session->sign.fd, path != NULL ? path : session->place.identity);
    session->sign.is_open = error == 0;
    if (error == 0)
        return 0;
    if (path != NULL)
        return error_add((enum error_code) - error,
                         "it was to sign: name another one (--sign FILE, $EMSA_SIGN_IDENTITY), or "
                         "'none'");
    error_clear(); /* most who change something have no business with the store's own */
    return 0;
}

void sign_close(struct session *session)
{
    if (session->sign.is_agent)
        agent_close(&session->sign.agent);
    else if (session->sign.is_open)
        close(session->sign.fd);
    identity_free(session->sign.kept);
    session->sign.kept = NULL;
    session->sign.is_open = session->sign.is_agent = false;
}

void sign_release(struct signing_pieces *pieces)
{
    free(pieces->pieces);
    secret_release(&pieces->seed);
    *pieces = (struct signing_pieces){0};
}

/* --- values --- */

struct values { /* the call's, one after the other */
    const uint8_t *seed;
    const struct piece *pieces;
    size_t count, index, offset;
    struct secret scratch;
};

/* The next size bytes, where they lie if they lie in one piece. */
static int take(struct values *values, size_t size, const unsigned char **out)
{
    while (values->index < values->count && values->offset == values->pieces[values->index].size) {
        values->index++;
        values->offset = 0;
    }
    *out = (const unsigned char *)"";
    if (size == 0)
        return 0;
    const struct piece *piece =
        values->index < values->count ? &values->pieces[values->index] : NULL;
    if (piece != NULL && piece->size - values->offset >= size) {
        *out = (const unsigned char *)piece->data + values->offset;
        values->offset += size;
        return 0;
    }
    secret_release(&values->scratch);
    int error = secret_alloc(&values->scratch, size);
    for (size_t have = 0; error == 0 && have < size;) {
        if (values->index == values->count)
            return error_set(ERR_INVALID, "a call has fewer values than it says");
        piece = &values->pieces[values->index];
        const size_t part =
            piece->size - values->offset < size - have ? piece->size - values->offset : size - have;
        if (part > 0)
            memcpy(values->scratch.data + have, (const unsigned char *)piece->data + values->offset,
                   part);
        have += part;
        values->offset += part;
        if (values->offset == piece->size) {
            values->index++;
            values->offset = 0;
        }
    }
    *out = values->scratch.data;
    return error;
}

static int schema_digest(struct values *values, uint8_t out[static HASH_SIZE], uint32_t number,
                         json_t *given)
{
    struct bytes text BYTES_CLEANUP = BYTES_INIT(SCHEMA_SIZE_MAX);
    struct schema schema;
    uint8_t salt[16];
    int error = schema_parse(&schema, given, "the schema");
    if (error < 0)
        return error;
    schema_encode(&text, &schema);
    schema_release(&schema);
    if (text.error == 0)
        request_digest(out, salt, values->seed, number, OPERATION_SCHEMA_SET, text.data, text.size);
    return text.error;
}

/* It stands in the text, for who knows no value. */
static int sealed_digest(uint8_t out[static HASH_SIZE], const void *text, size_t size)
{
    struct sealed sealed;
    int error = sealed_read(&sealed, text, size);
    if (error == 0)
        memcpy(out, sealed.digest, HASH_SIZE);
    sealed_release(&sealed);
    return error;
}

static int digest(void *arg, uint8_t out[static HASH_SIZE], uint32_t number,
                  enum operation_kind kind, json_t *given, size_t size)
{
    struct values *values = arg;
    const unsigned char *value = (const unsigned char *)json_string_value(given);
    uint8_t salt[16];
    if (kind == OPERATION_SCHEMA_SET)
        return schema_digest(values, out, number, given);
    if (value != NULL)
        size = json_string_length(given);
    int error = value != NULL ? 0 : take(values, size, &value);
    if (error < 0)
        return error;
    if (kind == SIGNING_SEALED)
        return sealed_digest(out, value, size);
    if (kind == OPERATION_SET_SECRET)
        request_digest_secret(out, values->seed, number, value, size);
    else
        request_digest(out, salt, values->seed, number, kind, value, size);
    return 0;
}

/* --- the call --- */

/* Which store it is asked of: once, for it stays the same as long as this process. */
static int find_store(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct client *client;
    if (session->sign.has_store_id)
        return 0;
    json_t *nothing = json_object();
    int error = session_client(session, &client);
    if (error == 0)
        error = client_ask(client, PREFIX "StoreId", nothing, NULL, 0, &answer);
    json_decref(nothing);
    if (error == 0 && hex_bytes(session->sign.store_id, STORE_ID_SIZE,
                                json_string_value(json_object_get(answer.reply, "id"))) < 0)
        error = error_set(ERR_IO, "the server does not say which store it serves");
    if (error == 0)
        error = prove_store(session, session->sign.store_id);
    session->sign.has_store_id = error == 0;
    return error;
}

static int draw_seed(struct signing_pieces *out, const struct piece *pieces, size_t count)
{
    int error = secret_alloc(&out->seed, REQUEST_SEED_SIZE);
    if (error < 0)
        return error;
    if (getrandom(out->seed.data, REQUEST_SEED_SIZE, 0) != REQUEST_SEED_SIZE)
        return error_system(errno, "cannot have random bytes");
    out->pieces = malloc((count + 1) * sizeof *out->pieces);
    if (out->pieces == NULL)
        return error_set(ERR_NOMEM, "no memory to sign");
    out->pieces[0] = (struct piece){out->seed.data, REQUEST_SEED_SIZE};
    if (count > 0)
        memcpy(out->pieces + 1, pieces, count * sizeof *pieces);
    out->count = count + 1;
    return 0;
}

/* One that somebody named and that is locked: opened with its key file, or the passphrase that is
 * asked for, once, and kept until the end. */
static int unlock(struct session *session, const char *path, const struct identity_file *file)
{
    const struct passphrase_ways ways = {.ask = true};
    int error = passphrase_open(&session->sign.kept, file, &ways);
    return error == -ERR_INVALID
               ? error_set(ERR_NO_KEY,
                           "identity '%s' is locked, and there is no terminal to ask for its "
                           "passphrase: a key file opens it without ('emsa identity passphrase "
                           "--add-key-file', $EMSA_IDENTITY_KEY)",
                           path)
               : error;
}

/* What signs, until it is given back. For the store's own nobody is asked: it is opened with
 * nothing, or with the key file that is at hand. */
static int lend(struct session *session, struct identity **out)
{
    static const struct passphrase_ways at_hand = {.ask = false};
    const char *path = named(session);
    struct identity_file *file;
    int error = 0;
    if (session->sign.kept == NULL) {
        error = identity_file_read(&file, session->sign.fd,
                                   path != NULL ? path : session->place.identity);
        if (error < 0)
            return error;
        if (identity_file_has(file, IDENTITY_PLAIN))
            error = identity_file_open(out, file, NULL);
        else
            error = path != NULL ? unlock(session, path, file)
                                 : passphrase_open(&session->sign.kept, file, &at_hand);
        identity_file_free(file);
        if (error < 0 && path == NULL)
            return error_set(ERR_NO_KEY, "identity '%s' is locked", session->place.identity);
    }
    if (error == 0 && session->sign.kept != NULL)
        *out = session->sign.kept;
    return error;
}

static void give_back(const struct session *session, struct identity *identity)
{
    if (identity != session->sign.kept)
        identity_free(identity);
}

int sign_key(struct session *session, uint8_t key[static SIGNING_KEY_SIZE])
{
    struct identity *identity;
    if (session->sign.is_agent) {
        memcpy(key, session->sign.agent_key.key, SIGNING_KEY_SIZE);
        return 0;
    }
    int error = lend(session, &identity);
    if (error < 0)
        return error;
    identity_signing_key(identity, key);
    give_back(session, identity);
    return 0;
}

int sign_message(struct session *session, uint8_t out[static SIGNATURE_SIZE], const void *message,
                 size_t size)
{
    struct identity *identity;
    if (session->sign.is_agent)
        return agent_sign(&session->sign.agent, out, &session->sign.agent_key, message, size);
    int error = lend(session, &identity);
    if (error < 0)
        return error;
    identity_sign(identity, out, message, size);
    give_back(session, identity);
    return 0;
}

static int sign_text(struct session *session, struct signature *signature, const struct bytes *text)
{
    unsigned char message[REQUEST_MESSAGE_SIZE];
    request_message(message, signature->text_hash, text->data, text->size);
    int error = sign_key(session, signature->key);
    return error < 0 ? error : sign_message(session, signature->bytes, message, sizeof message);
}

int sign_call(struct session *session, const char *method, json_t *parameters,
              const struct piece *pieces, size_t count, struct signing_pieces *out)
{
    const char *name = method + strlen(PREFIX);
    struct bytes text BYTES_CLEANUP = BYTES_INIT(REQUEST_TEXT_MAX);
    struct signature signature;
    *out = (struct signing_pieces){0};
    if (!session->sign.is_open || strncmp(method, PREFIX, strlen(PREFIX)) != 0 ||
        !request_is_signable(name))
        return 0;
    const bool has_values = signing_has_values(name, parameters);
    struct values values = {.pieces = pieces, .count = count};
    int error = find_store(session);
    if (error == 0 && has_values)
        error = draw_seed(out, pieces, count);
    values.seed = out->seed.data;
    if (error == 0)
        error = signing_text(&text, session->sign.store_id, name, parameters, digest, &values);
    secret_release(&values.scratch);
    if (error == 0)
        error = sign_text(session, &signature, &text);
    if (error == -ERR_NO_KEY && named(session) == NULL) { /* nobody asked for it to be opened */
        error_clear();
        sign_release(out);
        return 0;
    }
    return error < 0 ? error : signing_add(parameters, &signature, has_values);
}
