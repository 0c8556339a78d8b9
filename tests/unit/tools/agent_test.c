/* An ssh-agent that is none, says too much, too little or something else, or nothing at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/bytes.h"
#include "store/error.h"
#include "store/request.h"
#include "store/secret.h"
#include "tools/emsa/agent.h"

#define MESSAGE "emsa-caller-1 and what follows"
#define ANSWER_MAX 300000

static struct identity *identity; /* plays the agent's key */
static struct agent agent;
static struct agent_key key;
static int other_end;

static int begin(void **state)
{
    int ends[2];
    (void)state;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    agent = (struct agent){.fd = ends[0], .list_patience = 5000, .sign_patience = 5000};
    other_end = ends[1];
    identity_signing_key(identity, key.key);
    return 0;
}

static int end(void **state)
{
    (void)state;
    agent_close(&agent);
    close(other_end);
    return 0;
}

static int begin_all(void **state)
{
    (void)state;
    return secret_setup(1 << 20) != 0 || identity_new(&identity) != 0 ? -1 : 0;
}

static int end_all(void **state)
{
    (void)state;
    identity_free(identity);
    secret_teardown();
    return 0;
}

static void put_number(struct bytes *out, size_t number)
{
    const unsigned char four[] = {(unsigned char)(number >> 24), (unsigned char)(number >> 16),
                                  (unsigned char)(number >> 8), (unsigned char)number};
    bytes_append(out, four, 4);
}

static void put_text(struct bytes *out, const void *text, size_t size)
{
    put_number(out, size);
    bytes_append(out, text, size);
}

static void put_key(struct bytes *out, const char *comment)
{
    unsigned char data[SSH_KEY_DATA_SIZE];
    ssh_key_write(data, key.key);
    put_text(out, data, sizeof data);
    put_text(out, comment, strlen(comment));
}

/* What was asked is of no interest, and is to leave room for more. */
static void drain(void)
{
    unsigned char asked[4096];
    while (recv(other_end, asked, sizeof asked, MSG_DONTWAIT) > 0)
        ;
}

/* What the agent is going to answer, or the beginning of it. */
static void answer(const struct bytes *body, size_t size)
{
    struct bytes whole = BYTES_INIT(ANSWER_MAX);
    put_number(&whole, body->size);
    bytes_append(&whole, body->data, size);
    assert_int_equal(write(other_end, whole.data, whole.size), whole.size);
    bytes_release(&whole);
}

static struct bytes listed(size_t count)
{
    struct bytes body = BYTES_INIT(ANSWER_MAX);
    bytes_append(&body, "\14", 1);
    put_number(&body, count);
    return body;
}

static struct bytes signed_by(const char *type, const void *message, size_t size)
{
    struct bytes body = BYTES_INIT(ANSWER_MAX), signature = BYTES_INIT(ANSWER_MAX);
    uint8_t bytes[SIGNATURE_SIZE];
    identity_sign(identity, bytes, message, size);
    put_text(&signature, type, strlen(type));
    put_text(&signature, bytes, sizeof bytes);
    bytes_append(&body, "\16", 1);
    put_text(&body, signature.data, signature.size);
    bytes_release(&signature);
    return body;
}

static int finds(struct bytes *body, const char *which)
{
    struct agent_key found;
    answer(body, body->size);
    bytes_release(body);
    int error = agent_find(&agent, &found, which);
    drain();
    if (error == 0)
        assert_memory_equal(found.key, key.key, SSH_KEY_SIZE);
    return error;
}

static int signs(struct bytes *body)
{
    uint8_t out[SSH_SIGNATURE_SIZE];
    answer(body, body->size);
    bytes_release(body);
    int error = agent_sign(&agent, out, &key, MESSAGE, strlen(MESSAGE));
    drain();
    return error;
}

static void its_keys(void **state)
{
    char fingerprint[SSH_FINGERPRINT_MAX];
    (void)state;
    ssh_key_fingerprint(fingerprint, key.key);
    const char *const names[] = {NULL, "alice", fingerprint};
    for (size_t i = 0; i < 3; i++) {
        struct bytes body = listed(2);
        put_text(&body, "\0\0\0\7ssh-rsa and its numbers", 26);
        put_text(&body, "an old one", 10);
        put_key(&body, "alice");
        assert_int_equal(finds(&body, names[i]), 0);
    }
    struct bytes none = listed(0);
    assert_int_equal(finds(&none, NULL), -ERR_NOT_FOUND);
    struct bytes one = listed(1);
    put_key(&one, "alice");
    assert_int_equal(finds(&one, "bob"), -ERR_NOT_FOUND);
    struct bytes two = listed(2);
    put_key(&two, "alice");
    put_key(&two, "alice");
    assert_int_equal(finds(&two, "alice"), -ERR_CONFLICT);
    struct bytes rsa = listed(1);
    put_text(&rsa, "\0\0\0\7ssh-rsa and its numbers", 26);
    put_text(&rsa, "old", 3);
    assert_int_equal(finds(&rsa, "old"), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "Ed25519"));
}

static void its_signature(void **state)
{
    struct bytes body = signed_by("ssh-ed25519", MESSAGE, strlen(MESSAGE));
    (void)state;
    assert_int_equal(signs(&body), 0);
    body = signed_by("ssh-ed25519", "something else", 14);
    assert_int_equal(signs(&body), -ERR_IO);
    body = signed_by("ssh-rsa", MESSAGE, strlen(MESSAGE));
    assert_int_equal(signs(&body), -ERR_IO);
    body = BYTES_INIT(1);
    bytes_append(&body, "\5", 1);
    assert_int_equal(signs(&body), -ERR_DENIED);
}

/* Each beginning of a good answer, and each with a byte of it changed. */
static void pieces(void **state)
{
    struct bytes list = listed(1), signature = signed_by("ssh-ed25519", MESSAGE, strlen(MESSAGE));
    (void)state;
    put_key(&list, "alice");
    const struct bytes *const good[] = {&list, &signature};
    for (size_t kind = 0; kind < 2; kind++)
        for (size_t size = 0; size < good[kind]->size; size++) {
            struct bytes body = BYTES_INIT(ANSWER_MAX);
            bytes_append(&body, good[kind]->data, size);
            assert_true((kind == 0 ? finds(&body, NULL) : signs(&body)) < 0);
            if (size == 0) /* no message at all */
                continue;
            body = BYTES_INIT(ANSWER_MAX);
            bytes_append(&body, good[kind]->data, good[kind]->size);
            body.data[size - 1] ^= 0x81;
            if (kind == 1)
                assert_true(signs(&body) < 0);
            else
                bytes_release(&body);
        }
    bytes_release(&list);
    bytes_release(&signature);
}

static void noise(void **state)
{
    (void)state;
    srandom(1);
    for (int i = 0; i < 20000; i++) {
        struct bytes body = BYTES_INIT(ANSWER_MAX);
        bytes_append(&body, i % 2 ? "\14\0\0" : "\16\0\0", 3);
        for (long left = random() % 64; left > 0; left--) {
            const unsigned char byte =
                random() % 3 ? (unsigned char)(random() % 12) : random() & 0xff;
            bytes_append(&body, &byte, 1);
        }
        struct agent_key found;
        uint8_t out[SSH_SIGNATURE_SIZE];
        answer(&body, body.size);
        if (i % 2)
            (void)agent_find(&agent, &found, NULL);
        else
            assert_true(agent_sign(&agent, out, &key, MESSAGE, strlen(MESSAGE)) < 0);
        bytes_release(&body);
        drain();
    }
}

static void sizes(void **state)
{
    struct agent_key found;
    static const unsigned char wrong[][4] = {{0, 0, 0, 0}, {0, 4, 0, 1}, {255, 255, 255, 255}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(write(other_end, wrong[i], 4), 4);
        assert_int_equal(agent_find(&agent, &found, NULL), -ERR_IO);
    }
}

static void silence(void **state)
{
    struct agent_key found;
    uint8_t out[SSH_SIGNATURE_SIZE];
    (void)state;
    agent.list_patience = agent.sign_patience = 1;
    assert_int_equal(agent_find(&agent, &found, NULL), -ERR_IO);
    assert_int_equal(agent_sign(&agent, out, &key, MESSAGE, strlen(MESSAGE)), -ERR_IO);
    struct bytes list = listed(1);
    put_key(&list, "alice");
    answer(&list, list.size - 1); /* it stops in the middle */
    bytes_release(&list);
    assert_int_equal(agent_find(&agent, &found, NULL), -ERR_IO);
    agent.list_patience = -1;
    (void)shutdown(other_end, SHUT_RDWR);
    assert_int_equal(agent_find(&agent, &found, NULL), -ERR_IO);
}

static void files(void **state)
{
    static const char good[] = "ssh-ed25519 "
                               "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4"
                               "f al ice\r\nmore";
    static const char *const wrong[] = {
        "",
        "\n",
        " ",
        "ssh-ed25519",
        "ssh-ed25519 ",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHQ==",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4fAAAA",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAABAABAgM= old",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE\n"};
    struct agent_key found;
    (void)state;
    assert_int_equal(agent_key_parse(&found, good, sizeof good - 1), 0);
    assert_string_equal(found.comment, "al ice");
    for (int i = 0; i < SSH_KEY_SIZE; i++)
        assert_int_equal(found.key[i], i);
    assert_int_equal(agent_key_parse(&found, good, 80), 0);
    assert_string_equal(found.comment, "");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(agent_key_parse(&found, wrong[i], strlen(wrong[i])), -ERR_INVALID);
}

/* A key that is no point of the curve, or one of the few that give everybody's secrets away. */
static void no_keys(void **state)
{
    char text[IDENTITY_TEXT_MAX];
    uint8_t point[SSH_KEY_SIZE] = {1};
    (void)state;
    assert_int_equal(ssh_key_public(text, point), -ERR_INVALID);
    memset(point, 0xff, sizeof point);
    assert_int_equal(ssh_key_public(text, point), -ERR_INVALID);
    assert_int_equal(ssh_key_public(text, key.key), 0);
    assert_int_equal(strlen(text), IDENTITY_PUBLIC_LENGTH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(its_keys), TEST(its_signature), TEST(pieces),
                                       TEST(noise),    TEST(sizes),         TEST(silence),
                                       TEST(files),    TEST(no_keys)};
    return cmocka_run_group_tests(tests, begin_all, end_all);
}
