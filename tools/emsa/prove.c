#include "tools/emsa/prove.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/caller.h"
#include "store/error.h"
#include "tools/emsa/known.h"
#include "tools/emsa/sign.h"
#include "tools/service/hex.h"
#include "tools/service/proof.h"
#include "tools/service/service.h"

#define METHOD(name) SERVICE_INTERFACE "." name
#define NOBODY 65534u /* as whom a user is seen that a user namespace does not have */
#define UID_MAP "/proc/self/uid_map"

struct way { /* one of the two */
    struct client *client;
    struct varlink *link;
};

static int ask(const struct way *way, const char *method, json_t *parameters, struct answer *out)
{
    int error = parameters == NULL    ? error_set(ERR_NOMEM, "no memory to prove who this is")
                : way->client != NULL ? client_ask_bare(way->client, method, parameters, out)
                                      : client_link_ask(way->link, method, parameters, out);
    json_decref(parameters);
    return error;
}

bool prove_is_wanted(const struct session *session)
{
    return session->sign.is_open && sign_is_named(session);
}

int prove_store(const struct session *session, const uint8_t store_id[static STORE_ID_SIZE])
{
    const struct options *options = &session->options;
    char id[2 * STORE_ID_SIZE + 1];
    const char *wanted = getenv("EMSA_STORE_ID");
    hex_text(id, store_id, STORE_ID_SIZE);
    if (wanted == NULL || wanted[0] == '\0' || strcmp(wanted, id) == 0)
        return options->host != NULL ? known_store(options->host, options->store, store_id) : 0;
    error_set(ERR_REFUSED, "the server says that its store is %s, and $EMSA_STORE_ID is '%.64s'",
              id, wanted);
    return error_add(ERR_REFUSED, "nothing was signed: see who answers there ('emsa status --json' "
                                  "tells a store's id)");
}

/* As whom those outside of this process's user namespace see the user. */
static uint32_t seen_from_outside(uint32_t uid)
{
    uint32_t inside, outside, count, seen = uid;
    FILE *map = fopen(UID_MAP, "re");
    if (map == NULL)
        return uid;
    while (fscanf(map, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside, &count) == 3)
        if (uid - inside < count)
            seen = outside + (uid - inside);
    fclose(map);
    return seen;
}

/* A server on this machine sees this very user at the other end, or somebody stands in between who
 * would use the answer as this user's. (Over ssh, it is the far side's user that it sees.) */
static int check_user(uint32_t uid)
{
    const uint32_t self = geteuid();
    if (uid == self || uid == seen_from_outside(self))
        return 0;
    if (uid == NOBODY) {
        error_set(ERR_REFUSED,
                  "the server sees uid %u here, as it does everybody whom its user namespace does "
                  "not have: any of them could stand in between, and nothing was signed",
                  NOBODY);
        return error_add(ERR_REFUSED,
                         "run this where the server's user namespace has uid %" PRIu32
                         ", or as nobody but that user (--sign none)",
                         self);
    }
    return error_set(ERR_REFUSED,
                     "the server takes this process for uid %" PRIu32 ", which is uid %" PRIu32
                     ": somebody stands in between, and nothing was signed",
                     uid, self);
}

/* Positive 2: there is nothing to prove. */
static int take_challenge(struct session *session, const struct way *way,
                          struct caller_claim *claim)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = ask(way, METHOD(PROOF_CHALLENGE), json_object(), &answer);
    if (error != 0)
        return error;
    const char *challenge = json_string_value(json_object_get(answer.reply, "challenge"));
    json_t *uid = json_object_get(answer.reply, "uid");
    if (hex_bytes(claim->store_id, STORE_ID_SIZE,
                  json_string_value(json_object_get(answer.reply, "store"))) < 0)
        return error_set(ERR_IO, "the server does not say which store it serves");
    memcpy(session->sign.store_id, claim->store_id, STORE_ID_SIZE);
    session->sign.has_store_id = true;
    if (challenge == NULL)
        return 2;
    if (hex_bytes(claim->challenge, CALLER_CHALLENGE_SIZE, challenge) < 0 || !json_is_integer(uid))
        return error_set(ERR_IO, "the server asks for a proof that nobody can give");
    claim->uid = (uint32_t)json_integer_value(uid);
    error = prove_store(session, claim->store_id);
    if (error == 0 && session->options.host == NULL)
        error = check_user(claim->uid);
    return error;
}

static int give(const struct way *way, const struct caller_claim *claim,
                const uint8_t signature[static SIGNATURE_SIZE])
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    char key[2 * SIGNING_KEY_SIZE + 1], text[2 * SIGNATURE_SIZE + 1];
    hex_text(key, claim->key, SIGNING_KEY_SIZE);
    hex_text(text, signature, SIGNATURE_SIZE);
    return ask(way, METHOD(PROOF_ANSWER), json_pack("{s:s, s:s}", "key", key, "signature", text),
               &answer);
}

static int prove(struct session *session, const struct way *way)
{
    struct caller_claim claim;
    unsigned char message[CALLER_MESSAGE_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
    int error = take_challenge(session, way, &claim);
    if (error != 0)
        return error == 2 ? 0 : error;
    error = sign_key(session, claim.key);
    if (error < 0)
        return error;
    caller_message(message, &claim);
    error = sign_message(session, signature, message, sizeof message);
    return error < 0 ? error : give(way, &claim, signature);
}

int prove_to(void *session, struct client *client)
{
    const struct way way = {.client = client};
    return prove(session, &way);
}

int prove_over(struct session *session, struct varlink *link)
{
    const struct way way = {.link = link};
    return prove(session, &way);
}
