#include "tools/service/operation_rights.h"

#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/service/parameter.h"
#include "tools/service/right_words.h"

static int who_member(json_t *operation, const struct path *path, const char **out)
{
    char text[PATH_TEXT_MAX];
    *out = NULL;
    int error = parameter_text(operation, "who", out);
    if (error == 0 && *out == NULL)
        return error_set(ERR_INVALID, "the operation on '%s' has no 'who'", path_text(path, text));
    return error;
}

static int rights_member(json_t *operation, const struct path *path, unsigned *out)
{
    json_t *words = json_object_get(operation, "rights"), *word;
    char text[PATH_TEXT_MAX];
    size_t index;
    *out = 0;
    if (words == NULL || json_is_null(words))
        return 0;
    if (!json_is_array(words))
        return error_set(ERR_INVALID, "the 'rights' to '%s' are no list", path_text(path, text));
    json_array_foreach(words, index, word)
    {
        const unsigned right = rights_of_word(json_string_value(word));
        if (right == 0)
            return error_set(ERR_INVALID,
                             "there is no such right to '%s': use list, read, set, "
                             "share, audit or admin",
                             path_text(path, text));
        *out |= right;
    }
    return 0;
}

/* The public keys that come with an identity's name. */
static int add_identity(struct change *change, json_t *operation, const char *who)
{
    const char *key = NULL;
    int error = parameter_text(operation, "key", &key);
    if (error < 0 || key == NULL)
        return error;
    if (!principal_is_identity(who))
        return error_set(ERR_INVALID, "'%s' has no key: identities have (id:NAME)", who);
    return change_identity(change, who + strlen(PRINCIPAL_IDENTITY), key);
}

int operation_grant(struct change *change, json_t *operation, const struct path *path,
                    struct stream *stream)
{
    const char *who = NULL;
    unsigned rights = 0;
    (void)stream;
    int error = who_member(operation, path, &who);
    if (error == 0)
        error = rights_member(operation, path, &rights);
    if (error == 0)
        error = add_identity(change, operation, who);
    return error < 0 ? error : change_grant(change, path, who, rights);
}

int operation_revoke(struct change *change, json_t *operation, const struct path *path,
                     struct stream *stream)
{
    const char *who = NULL;
    unsigned rights = 0;
    (void)stream;
    int error = who_member(operation, path, &who);
    if (error == 0)
        error = rights_member(operation, path, &rights);
    return error < 0 ? error : change_revoke(change, path, who, rights);
}

int operation_rotate(struct change *change, json_t *operation, const struct path *path,
                     struct stream *stream)
{
    bool reencrypt = false;
    (void)stream;
    int error = parameter_bool(operation, "reencrypt", &reencrypt);
    return error < 0 ? error : change_rotate(change, path, reencrypt);
}
