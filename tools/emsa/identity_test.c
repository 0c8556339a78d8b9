/* identity test: whether a file opens, what of the store is opened with it, and that this was
 * tried.
 *
 * That an identity which opens everything was tried is recorded as a tag of the revision at which
 * it was ("tested-NAME"): a commit like any other, so it is signed, verified, dated, in every
 * backup and there again after each restore, and no file beside the store has to be kept with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/identity.h"
#include "tools/emsa/output.h"
#include "tools/emsa/passphrase.h"
#include "tools/service/hex.h"

struct opened {               /* what came of trying it with a store */
    json_t *reply;            /* borrowed; NULL: with none */
    json_t *places, *missing; /* owned: those that it opens, environments that it does not */
    size_t environments;      /* that there are */
    json_int_t recorded;      /* the revision; 0: it was not */
};

static void release(struct opened *opened)
{
    json_decref(opened->places);
    json_decref(opened->missing);
}

static int damaged(void)
{
    return error_set(ERR_CORRUPT, "the server's answer is none that this command knows");
}

static bool read_number(uint32_t *out, json_t *object, const char *name)
{
    const json_int_t value = json_integer_value(json_object_get(object, name));
    *out = (uint32_t)value;
    return value >= 0 && value <= UINT32_MAX;
}

/* Opens the key of one place. */
static int try_key(struct opened *opened, const struct identity *identity,
                   const uint8_t store_id[static 16], json_t *item)
{
    struct identity_key key;
    const char *path = output_member(item, "path");
    const bool is_environment = path[0] != '\0' && strchr(path, '/') == NULL;
    if (!read_number(&key.environment, item, "environment") ||
        !read_number(&key.service, item, "service") ||
        !read_number(&key.generation, item, "generation") ||
        hex_bytes(key.public_key, sizeof key.public_key, output_member(item, "public")) < 0)
        return damaged();
    opened->environments += is_environment;
    if (!json_is_true(json_object_get(item, "held"))) {
        if (is_environment)
            json_array_append_new(opened->missing, json_string(path));
        return 0;
    }
    if (hex_bytes(key.wrapped, sizeof key.wrapped, output_member(item, "wrapped")) < 0)
        return damaged();
    if (path[0] != '\0')
        json_array_append_new(opened->places, json_string(path));
    return identity_opens(identity, store_id, &key);
}

static int try_keys(struct opened *opened, const struct identity *identity)
{
    uint8_t store_id[16];
    size_t index;
    json_t *item;
    if (hex_bytes(store_id, sizeof store_id, output_member(opened->reply, "store_id")) < 0)
        return damaged();
    json_array_foreach(json_object_get(opened->reply, "keys"), index, item)
    {
        const int error = try_key(opened, identity, store_id, item);
        if (error < 0)
            return error;
    }
    if (json_is_true(json_object_get(opened->reply, "everything")) &&
        json_array_size(opened->missing) > 0)
        return error_set(ERR_CORRUPT,
                         "it may read everything, and has no key of '%s': 'emsa "
                         "verify' tells more",
                         json_string_value(json_array_get(opened->missing, 0)));
    return 0;
}

/* A store that is not there, or does not tell, leaves the file's own test. */
static int ask(struct session *session, struct answer *answer, struct opened *opened,
               const struct identity *identity)
{
    char text[IDENTITY_TEXT_MAX];
    identity_public(identity, text);
    const int error = session_ask(session, "io.emsa.IdentityKeys",
                                  json_pack("{s:s}", "public", text), NULL, 0, answer);
    if (error == 0) {
        opened->reply = answer->reply;
        return 0;
    }
    const bool is_absent = error == -ERR_NOT_FOUND && session->client == NULL;
    if (!is_absent && error != -ERR_DENIED)
        return error;
    output_note(is_absent ? "there is no store here: what it opens of one was not tried (--store)"
                          : "what it opens of the store is told to those who may list everything, "
                            "and was not tried");
    error_clear();
    return 0;
}

static int record(struct session *session, struct opened *opened)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const char *name = output_member(opened->reply, "name");
    char tag[IDENTITY_TESTED_MAX], reason[192];
    identity_tested_tag(tag, name);
    snprintf(reason, sizeof reason, "id:%s was tested: it opens all of %zu environments", name,
             opened->environments);
    json_t *parameters = json_pack("{s:s, s:s}", "name", tag, "reason", reason);
    int error = parameters == NULL ? error_set(ERR_NOMEM, "no memory for a change")
                                   : session_terms(session, parameters, "");
    if (error < 0) {
        json_decref(parameters);
        return error;
    }
    error = session_ask(session, "io.emsa.Tag", parameters, NULL, 0, &answer);
    if (error == 0)
        opened->recorded = json_integer_value(json_object_get(answer.reply, "rev"));
    return error;
}

void identity_tested_tag(char out[static IDENTITY_TESTED_MAX], const char *name)
{
    snprintf(out, IDENTITY_TESTED_MAX, IDENTITY_TESTED "%s", name);
    for (char *at = out; *at != '\0'; at++)
        if (tag_check(at, 1) < 0 && strchr("_.-0123456789", *at) == NULL)
            *at = '_';
    error_clear();
}

static void print_places(const char *what, json_t *places)
{
    size_t index;
    json_t *place;
    json_array_foreach(places, index, place)
        printf("%s%s", index == 0 ? what : ", ", json_string_value(place));
    if (json_array_size(places) > 0)
        printf("\n");
}

static void print(const struct opened *opened, const struct identity *identity)
{
    printf("identity '%s' opens, and what is sealed for it can be opened\n",
           identity_name(identity));
    if (opened->reply == NULL)
        return;
    if (json_is_true(json_object_get(opened->reply, "everything"))) {
        printf("here       id:%s, which opens all of %zu environments, and those that come later\n",
               output_member(opened->reply, "name"), opened->environments);
    } else {
        printf("here       id:%s%s\n", output_member(opened->reply, "name"),
               json_array_size(opened->places) > 0 ? "" : ", which opens nothing");
        print_places("opens      ", opened->places);
        print_places("does not   ", opened->missing);
    }
    if (opened->recorded > 0)
        printf("recorded   in revision %lld\n", (long long)opened->recorded);
}

static int print_json(const struct opened *opened, const struct identity *identity)
{
    json_t *object = json_pack("{s:s, s:b}", "name", identity_name(identity), "opens", 1);
    if (opened->reply != NULL && object != NULL) {
        json_object_set_new(object, "known", json_string(output_member(opened->reply, "name")));
        json_object_set(object, "everything", json_object_get(opened->reply, "everything"));
        json_object_set(object, "places", opened->places);
        json_object_set(object, "missing", opened->missing);
        if (opened->recorded > 0)
            json_object_set_new(object, "recorded", json_integer(opened->recorded));
    }
    return output_json(object);
}

/* One that opens everything and lies elsewhere: the store's own is tried all the time. */
static bool is_recovery(const struct session *session, const struct opened *opened)
{
    return opened->reply != NULL && json_is_true(json_object_get(opened->reply, "everything")) &&
           strcmp(identity_path(session), session->place.identity) != 0;
}

static int test(struct session *session, const struct identity *identity)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct opened opened = {.places = json_array(), .missing = json_array()};
    int error = identity_try(identity);
    if (error == 0)
        error = ask(session, &answer, &opened, identity);
    if (error == 0 && opened.reply != NULL)
        error = try_keys(&opened, identity);
    if (error == 0 && is_recovery(session, &opened) && record(session, &opened) < 0) {
        output_note("it was tested, and that could not be recorded: %s", error_text());
        error_clear();
    }
    if (error == 0 && session->options.json)
        error = print_json(&opened, identity);
    else if (error == 0)
        print(&opened, identity);
    release(&opened);
    return error;
}

int run_identity_test(struct session *session)
{
    const struct options *options = &session->options;
    const struct passphrase_ways ways = {
        .key_path = options->key_file, .passphrase_path = options->passphrase_file, .ask = true};
    struct identity *identity;
    int error = passphrase_load(&identity, identity_path(session), &ways);
    if (error < 0)
        return error;
    error = test(session, identity);
    identity_free(identity);
    return error;
}
