#include "tools/service/proof.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/request.h"
#include "tools/service/hex.h"
#include "tools/service/holdings.h"
#include "tools/service/parameter.h"
#include "tools/service/signing.h"
#include "tools/service/verb.h"

bool proof_counts(const struct proof *proof, const char *method, json_t *parameters)
{
    struct signature signature;
    bool is_dry = false, given = false, is_seeded;
    if (proof == NULL || !proof->is_proven || !request_is_signable(method))
        return true;
    if (parameter_bool(parameters, "dry_run", &is_dry) == 0 && is_dry)
        return true;
    /* What is wrong with a parameter is told when it is read; that the signature is good, too. */
    bool is_whole = signing_parameter(parameters, &signature, &given, &is_seeded) == 0;
    error_clear();
    return is_whole && given && memcmp(signature.key, proof->key, SIGNING_KEY_SIZE) == 0;
}

int verb_caller_challenge(struct request *request)
{
    char id[2 * STORE_ID_SIZE + 1], challenge[2 * CALLER_CHALLENGE_SIZE + 1];
    struct caller *caller = &request->call->caller;
    struct proof *proof = caller->proof;
    hex_text(id, store_id(request->service->store), STORE_ID_SIZE);
    request->call->reply =
        json_pack("{s:s, s:I}", "store", id, "uid", (json_int_t)(uint32_t)caller->uid);
    if (proof == NULL) /* in-process: of the store's owner, who holds all rights */
        return 0;
    if (getrandom(proof->challenge, sizeof proof->challenge, 0) != (ssize_t)sizeof proof->challenge)
        return error_system(errno, "cannot have random bytes");
    proof->is_asked = true;
    hex_text(challenge, proof->challenge, sizeof proof->challenge);
    json_object_set_new(request->call->reply, "challenge", json_string(challenge));
    return 0;
}

static int read_claim(struct request *request, struct caller_claim *claim,
                      uint8_t signature[static SIGNATURE_SIZE])
{
    json_t *parameters = request->call->parameters;
    const char *key = NULL, *text = NULL;
    int error = parameter_text(parameters, "key", &key);
    if (error == 0)
        error = parameter_text(parameters, "signature", &text);
    if (error < 0)
        return error;
    if (hex_bytes(claim->key, SIGNING_KEY_SIZE, key) < 0 ||
        hex_bytes(signature, SIGNATURE_SIZE, text) < 0)
        return error_set(ERR_INVALID,
                         "a proof has a 'key' and a 'signature', of %d and %d bytes in "
                         "hex digits",
                         SIGNING_KEY_SIZE, SIGNATURE_SIZE);
    memcpy(claim->store_id, store_id(request->service->store), STORE_ID_SIZE);
    claim->uid = request->call->caller.uid;
    return 0;
}

/* The name of the identity that was proven; none: the store knows no such key. */
static int reply(struct request *request, const uint8_t key[static SIGNING_KEY_SIZE])
{
    struct known_identity known;
    struct snapshot *snapshot;
    int error = request_snapshot(request, &snapshot);
    if (error < 0)
        return error;
    const int found = grant_signer(snapshot, &known, key);
    if (found < 0)
        return found;
    request->call->reply = json_object();
    if (found == 0)
        json_object_set_new(request->call->reply, "identity", json_string(known.name));
    return 0;
}

int verb_caller_prove(struct request *request)
{
    struct caller_claim claim;
    uint8_t signature[SIGNATURE_SIZE];
    struct proof *proof = request->call->caller.proof;
    int error = read_claim(request, &claim, signature);
    if (error < 0)
        return error;
    if (proof == NULL)
        return error_set(ERR_REFUSED, "who opens the store itself has nothing to prove");
    if (!proof->is_asked)
        return error_set(ERR_REFUSED,
                         "there is no challenge to answer: each is good for one answer, on the "
                         "connection that it was asked for on");
    memcpy(claim.challenge, proof->challenge, CALLER_CHALLENGE_SIZE);
    *proof = (struct proof){0};
    if (!caller_is_proven(&claim, signature)) {
        audit_denied(request->service, &request->call->caller, request->verb->name, "");
        return error_set(ERR_DENIED,
                         "the signature is none of that key for this connection to this store: "
                         "somebody stands in between, or the client is of another version");
    }
    memcpy(proof->key, claim.key, SIGNING_KEY_SIZE);
    proof->is_proven = true;
    return reply(request, claim.key);
}
