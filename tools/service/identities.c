/* Which keys of the store an identity has: sealed for it, so of use to nobody else. */
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "tools/service/hex.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"

static int add_text(json_t *object, const char *name, const uint8_t *data, size_t size)
{
    char text[2 * IDENTITY_WRAPPED_SIZE + 1];
    hex_text(text, data, size);
    return json_object_set_new(object, name, json_string(text));
}

static int add(void *arg, const struct held_key *held)
{
    char text[PATH_TEXT_MAX];
    const struct identity_key *key = &held->key;
    json_t *object =
        json_pack("{s:s, s:b, s:I, s:I, s:I}", "path", path_text(&held->path, text), "held",
                  (int)held->is_held, "environment", (json_int_t)key->environment, "service",
                  (json_int_t)key->service, "generation", (json_int_t)key->generation);
    if (object == NULL || add_text(object, "public", key->public_key, sizeof key->public_key) ||
        (held->is_held && add_text(object, "wrapped", key->wrapped, sizeof key->wrapped)) ||
        json_array_append_new(arg, object) < 0)
        return error_set(ERR_NOMEM, "no memory for a list");
    return 0;
}

int verb_identity_keys(struct request *request)
{
    struct known_identity known;
    struct grant grant;
    char store_text[2 * STORE_ID_SIZE + 1], principal[PRINCIPAL_MAX + 1];
    const char *public_text = NULL;
    struct snapshot *snapshot;
    int found = parameter_text(request->call->parameters, "public", &public_text);
    if (found == 0 && public_text == NULL)
        found = error_set(ERR_INVALID, "an identity's public text is missing (public)");
    if (found == 0)
        found = request_snapshot(request, &snapshot);
    if (found == 0)
        found = grant_identity_of(snapshot, &known, public_text);
    if (found < 0)
        return found;
    if (found > 0)
        return error_set(ERR_NOT_FOUND, "this store does not know the identity: it opens nothing "
                                        "here (emsa grant PLACE --to id:NAME --key PUBLIC)");
    snprintf(principal, sizeof principal, PRINCIPAL_IDENTITY "%s", known.name);
    found = grant_at(snapshot, &grant, 0, 0, principal);
    if (found < 0)
        return found;
    const bool reads_all = found == 0 && (grant.rights & GRANT_READ) != 0;
    json_t *keys = json_array();
    if (keys == NULL)
        return error_set(ERR_NOMEM, "no memory for a list");
    found = grant_each_key(snapshot, public_text, add, keys);
    if (found < 0) {
        json_decref(keys);
        return found;
    }
    hex_text(store_text, store_id(request->service->store), STORE_ID_SIZE);
    request->call->reply = json_pack(
        "{s:I, s:s, s:s, s:b, s:o}", "rev", (json_int_t)snapshot_revision(snapshot), "name",
        known.name, "store_id", store_text, "everything", (int)reads_all, "keys", keys);
    return 0;
}
