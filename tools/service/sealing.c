/* For whom a value is sealed outside of the store (store/sealed.h): a public key, which is no
 * secret from who may know that the service is there. */
#include "store/error.h"
#include "store/sealed.h"
#include "tools/service/find.h"
#include "tools/service/hex.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"

int verb_seal_key(struct request *request)
{
    struct snapshot *snapshot;
    struct environment environment;
    struct service service;
    struct sealed_for owner;
    struct path path;
    char text[PATH_TEXT_MAX], id[2 * STORE_ID_SIZE + 1], key[2 * SEALED_KEY_SIZE + 1];
    int error = parameter_path(request->call->parameters, "path", &path);
    if (error == 0 && path_depth(&path) != PATH_SERVICE)
        error = error_set(ERR_INVALID, "'%s' is no service: write ENVIRONMENT/SERVICE",
                          path_text(&path, text));
    if (error == 0)
        error = request_snapshot(request, &snapshot);
    if (error == 0)
        error = find_service(snapshot, &environment, &service, &path);
    if (error < 0)
        return error;
    const int found = sealed_for(snapshot, &owner, environment.id, service.id);
    if (found != 0)
        return found < 0 ? found
                         : error_set(ERR_CORRUPT, "'%s' has no key pair", path_text(&path, text));
    hex_text(id, owner.store_id, STORE_ID_SIZE);
    hex_text(key, owner.public_key, SEALED_KEY_SIZE);
    request->call->reply =
        json_pack("{s:s, s:I, s:I, s:I, s:s}", "store", id, "environment",
                  (json_int_t)owner.environment, "service", (json_int_t)owner.service, "generation",
                  (json_int_t)owner.generation, "key", key);
    return 0;
}
