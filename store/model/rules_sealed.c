/* Secrets that come as sealed texts: opened where they are judged, and from there on as any secret
 * that somebody set. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/crypto/sealed_open.h"
#include "store/log/state.h"
#include "store/model/resolve.h"
#include "store/model/rules_internal.h"
#include "store/model/value.h"

int judge_is_of_text(struct judge *judge, const struct spot *spot, const struct wish *wish)
{
    const unsigned char *envelope;
    size_t size;
    if (!wish->data_key.size || spot->kind != ENTRY_SECRET || spot->since == judge->index->rev)
        return 0;
    const struct definition definition = spot_definition(spot);
    const int error = value_sealed(judge->index->txn, &envelope, &size, &definition);
    if (error)
        return error;
    const struct place place = value_place(judge->store, &definition);
    return envelope_has_key(envelope, size, &place, wish->data_key.data);
}

/* A wish as if the value had been given. What it holds is the gather's. NULL: *error says why. */
static struct wish *open_text(struct judge *judge, int *error, const struct wish *wish)
{
    char why[ERROR_TEXT_MAX / 4];
    struct wish *made = gather_keep(judge->gather);
    *error = made ? 0 : -ERR_NOMEM;
    if (!made)
        return NULL;
    *made = *wish;
    made->kind = OPERATION_SET_SECRET;
    made->sealed = NULL;
    *error = sealed_open(judge->store->keyring, judge->index->txn, &made->secret, &made->data_key,
                         wish->sealed);
    made->size = made->secret.size;
    if (!*error)
        return made;
    snprintf(why, sizeof why, "%s", error_text());
    if (*error == -ERR_NO_KEY)
        error_set(ERR_NO_KEY,
                  "'%s/%s/%s' cannot be set by a sealed text now: %s: whoever has the identity "
                  "unlocks it",
                  wish->environment, wish->service, wish->key, why);
    else
        error_set((enum error_code) - *error, "'%s/%s/%s': %s", wish->environment, wish->service,
                  wish->key, why);
    return NULL;
}

/* Whoever held an earlier key, and may read no more, can open the text all the same. */
static int note_generation(struct judge *judge, const struct wish *wish)
{
    const struct sealed *sealed = wish->sealed;
    struct recipient newest;
    struct change_note note = {.is_of_asked = true, .path = sealed->path};
    const int found =
        state_public_key(judge->index->txn, &newest, sealed->environment, sealed->service);
    if (found || newest.generation == sealed->generation)
        return found < 0 ? found : 0;
    snprintf(note.text, sizeof note.text,
             "was sealed for key %" PRIu32 " of the service, whose newest is %" PRIu32
             ": who held that one can open the text; seal the value anew (emsa seal)",
             sealed->generation, newest.generation);
    return judge_note(judge, &note);
}

int judge_sealed(struct judge *judge, const struct wish *wish)
{
    struct environment environment;
    struct service service;
    bool refused;
    int error;
    const int found = judge_find_service(judge, &environment, &service, wish, &refused);
    if (found > 0)
        return refused ? 0 : judge_no_service(judge, wish, environment.id);
    if (found)
        return found;
    if (wish->sealed->environment != environment.id || wish->sealed->service != service.id)
        return judge_refuse(judge, ERR_REFUSED,
                            "'%s/%s/%s': the text was sealed for an environment '%s' that was "
                            "removed since: seal the value anew (emsa seal)",
                            wish->environment, wish->service, wish->key, wish->environment);
    const struct wish *made = open_text(judge, &error, wish);
    if (made)
        error = note_generation(judge, wish);
    return error ? error : judge_set(judge, made);
}
