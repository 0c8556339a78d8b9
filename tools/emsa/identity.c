/* identity new, show and export: files of identities, without any store; and unlock. */
#include "tools/emsa/identity.h"

#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/agent.h"
#include "tools/emsa/command.h"
#include "tools/emsa/identity_share.h"
#include "tools/emsa/output.h"
#include "tools/emsa/passphrase.h"

const char *identity_path(const struct session *session)
{
    const struct texts *arguments = &session->options.arguments;
    return arguments->count > 0 ? arguments->list[0] : session->place.identity;
}

const char *identity_slot_text(char out[static IDENTITY_SLOT_TEXT_MAX], struct identity_slot slot)
{
    if (slot.kind == IDENTITY_PASSPHRASE)
        snprintf(out, IDENTITY_SLOT_TEXT_MAX, "a passphrase (%u passes over %u MiB)",
                 slot.cost.passes, slot.cost.memory >> 10);
    else
        snprintf(out, IDENTITY_SLOT_TEXT_MAX, "%s",
                 slot.kind == IDENTITY_KEY_FILE ? "a key file" : "nothing");
    return out;
}

static const char *slot_word(enum identity_slot_kind kind)
{
    return kind == IDENTITY_PASSPHRASE ? "passphrase"
           : kind == IDENTITY_KEY_FILE ? "key-file"
                                       : "plain";
}

static int slots_json(json_t **out, const struct identity_file *file)
{
    *out = json_array();
    for (size_t i = 0; i < identity_file_slot_count(file); i++) {
        const struct identity_slot slot = identity_file_slot(file, i);
        json_t *item = json_pack("{s:s}", "kind", slot_word(slot.kind));
        if (slot.kind == IDENTITY_PASSPHRASE) {
            json_object_set_new(item, "passes", json_integer(slot.cost.passes));
            json_object_set_new(item, "memory", json_integer((json_int_t)slot.cost.memory << 10));
        }
        if (item == NULL || json_array_append_new(*out, item) < 0)
            return error_set(ERR_NOMEM, "no memory to tell of an identity");
    }
    return 0;
}

static int tell_json(const struct identity_file *file, const char *path)
{
    char public_text[IDENTITY_TEXT_MAX];
    json_t *slots;
    identity_file_public(file, public_text);
    int error = slots_json(&slots, file);
    return error < 0
               ? error
               : output_json(json_pack("{s:s, s:s, s:s, s:o}", "name", identity_file_name(file),
                                       "public", public_text, "file", path, "slots", slots));
}

/* Who it is, where, and what opens it. */
static int tell(const struct session *session, const struct identity_file *file, const char *path)
{
    char public_text[IDENTITY_TEXT_MAX], slot[IDENTITY_SLOT_TEXT_MAX];
    if (session->options.json)
        return tell_json(file, path);
    identity_file_public(file, public_text);
    printf("identity   id:%s\nfile       %s\n", identity_file_name(file), path);
    for (size_t i = 0; i < identity_file_slot_count(file); i++)
        printf("slot %zu     opens with %s\n", i + 1,
               identity_slot_text(slot, identity_file_slot(file, i)));
    printf("public     %s\n", public_text);
    return 0;
}

static int add_key_file(struct identity_file *file, const struct identity *identity,
                        const char *path)
{
    SECRET_CLEANUP struct secret key = {0};
    int error = passphrase_key(&key, path);
    return error < 0 ? error
                     : identity_file_add(file, identity, IDENTITY_KEY_FILE, &key,
                                         (struct identity_cost){0});
}

static int add_passphrase(struct identity_file *file, const struct identity *identity,
                          const char *path)
{
    SECRET_CLEANUP struct secret passphrase = {0};
    int error = passphrase_read(&passphrase, path, identity_name(identity), true);
    return error < 0 ? error
                     : identity_file_add(file, identity, IDENTITY_PASSPHRASE, &passphrase,
                                         IDENTITY_COST_USUAL);
}

static int add_slots(struct identity_file *file, const struct identity *identity,
                     const struct options *options)
{
    char credential[PATH_MAX];
    int error = 0;
    if (options->key_file != NULL)
        error = add_key_file(file, identity, options->key_file);
    if (error == 0 && options->credential != NULL) {
        error = passphrase_credential(credential, options->credential);
        if (error == 0)
            error = add_key_file(file, identity, credential);
    }
    if (error == 0 && (options->passphrase || options->passphrase_file != NULL))
        error = add_passphrase(file, identity, options->passphrase_file);
    if (error == 0 && identity_file_slot_count(file) == 0)
        error = identity_file_add(file, identity, IDENTITY_PLAIN, NULL, (struct identity_cost){0});
    return error;
}

int identity_make_file(struct session *session, const struct identity *identity)
{
    struct identity_file *file;
    char usual[IDENTITY_NAME_MAX + sizeof ".identity"];
    const char *path = session->options.out;
    if (path == NULL) {
        snprintf(usual, sizeof usual, "%s.identity", identity_name(identity));
        path = usual;
    }
    int error = identity_file_new(&file, identity);
    if (error < 0)
        return error;
    error = add_slots(file, identity, &session->options);
    if (error == 0)
        error = identity_file_create(file, identity, path);
    if (error == 0)
        error = tell(session, file, path);
    identity_file_free(file);
    return error;
}

int run_identity_new(struct session *session)
{
    const struct options *options = &session->options;
    const char *name = options->arguments.list[0];
    struct identity *identity;
    if (strncmp(name, "id:", 3) == 0)
        name += 3;
    int error = identity_new_named(&identity, name);
    if (error < 0)
        return error;
    error = options->shares != NULL ? identity_make_shares(session, identity)
                                    : identity_make_file(session, identity);
    identity_free(identity);
    return error;
}

/* A key of ssh, from its file or from an agent that has it, and the identity that it is. */
static int find_ssh_key(struct agent_key *key, char public_text[static IDENTITY_TEXT_MAX],
                        const struct session *session)
{
    struct agent agent;
    const char *which, *named = session->options.ssh;
    if (session->options.arguments.count > 0)
        return error_set(ERR_INVALID, "it is a file of an identity or --ssh, not both");
    int error = 0;
    if (agent_is_named(named, &which)) {
        error = agent_open(&agent);
        if (error == 0)
            error = agent_find(&agent, key, which);
        agent_close(&agent);
    } else {
        error = agent_key_load(key, named);
    }
    return error < 0 ? error : ssh_key_public(public_text, key->key);
}

static int show_ssh_key(const struct session *session)
{
    struct agent_key key;
    char public_text[IDENTITY_TEXT_MAX], fingerprint[SSH_FINGERPRINT_MAX];
    char comment[4 * AGENT_COMMENT_MAX + 1];
    int error = find_ssh_key(&key, public_text, session);
    if (error < 0)
        return error;
    ssh_key_fingerprint(fingerprint, key.key);
    output_tame(comment, sizeof comment, key.comment);
    if (session->options.json)
        return output_json(json_pack("{s:s, s:s, s:s}", "fingerprint", fingerprint, "comment",
                                     comment, "public", public_text));
    printf("ssh key    %s\ncomment    %s\nsigns      by its ssh-agent (--sign ssh-agent); opens "
           "nothing\npublic     %s\n",
           fingerprint, comment, public_text);
    return 0;
}

static int export_ssh_key(const struct session *session)
{
    struct agent_key key;
    char public_text[IDENTITY_TEXT_MAX];
    int error = find_ssh_key(&key, public_text, session);
    if (error < 0)
        return error;
    if (session->options.json)
        return output_json(json_pack("{s:s}", "public", public_text));
    printf("%s\n", public_text);
    return 0;
}

int run_identity_show(struct session *session)
{
    struct identity_file *file;
    if (session->options.ssh != NULL)
        return show_ssh_key(session);
    const char *path = identity_path(session);
    int error = identity_file_load(&file, path);
    if (error < 0)
        return error;
    error = tell(session, file, path);
    identity_file_free(file);
    return error;
}

int run_identity_export(struct session *session)
{
    struct identity_file *file;
    char public_text[IDENTITY_TEXT_MAX];
    if (!session->options.public)
        return error_set(ERR_INVALID,
                         "only an identity's public half is exported: 'emsa identity export "
                         "--public'; its file is copied as any other, and 'emsa identity new "
                         "--shares' divides one");
    if (session->options.ssh != NULL)
        return export_ssh_key(session);
    int error = identity_file_load(&file, identity_path(session));
    if (error < 0)
        return error;
    identity_file_public(file, public_text);
    if (session->options.json)
        error = output_json(
            json_pack("{s:s, s:s}", "name", identity_file_name(file), "public", public_text));
    else
        printf("%s\n", public_text);
    identity_file_free(file);
    return error;
}

int run_identity_unlock(struct session *session)
{
    SECRET_CLEANUP struct secret passphrase = {0};
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct options *options = &session->options;
    int error = passphrase_read(&passphrase, options->passphrase_file, "of the server", false);
    if (error < 0)
        return error;
    const struct piece piece = {passphrase.data, passphrase.size};
    error =
        session_ask(session, "io.emsa.UnlockIdentity",
                    json_pack("{s:I}", "size", (json_int_t)passphrase.size), &piece, 1, &answer);
    if (error < 0)
        return error;
    if (options->json)
        return output_json(json_incref(answer.reply));
    printf(json_is_true(json_object_get(answer.reply, "was_open"))
               ? "secrets can be opened already\n"
               : "secrets can be opened, until the daemon ends\n");
    return 0;
}
