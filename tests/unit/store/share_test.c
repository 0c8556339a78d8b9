/* Identities in shares: any so many give it back, fewer do not, and a slip of the hand is told. */
#include "tests/unit/store/crypto_support.h"

#include "store/identity_share.h"
#include "store/secret.h"

/* Shares 1 to 3 of the seed 00 01 .. 1f, made in Python from store/FORMAT.md with the coefficients
 * a0 a1 .. bf. */
static const char *const known[] = {
    "emsa-share-1 2 1 90ac581ce9e1e4d7 "
    "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0 2301948d alice\n",
    "emsa-share-1 2 2 90ac581ce9e1e4d7 "
    "5b585d5e57545152434045464f4c494a6b686d6e67646162737075767f7c797a 64c797ef alice\n",
    "emsa-share-1 2 3 90ac581ce9e1e4d7 "
    "fbf9fffdf3f1f7f5ebe9efede3e1e7e5dbd9dfddd3d1d7d5cbc9cfcdc3c1c7c5 95570753 alice\n"};

static void add(struct secret *all, const void *data, size_t size)
{
    assert_int_equal(secret_grow(all, all->size + size + 1), 0);
    memcpy(all->data + all->size, data, size);
    all->size += size;
}

static int combine(char text[static IDENTITY_TEXT_MAX], const struct secret *lines)
{
    struct identity *identity = NULL;
    const int error = identity_share_combine(&identity, lines);
    if (!error)
        identity_public(identity, text);
    identity_free(identity);
    return error;
}

static void known_shares_give_the_known_identity(void **state)
{
    (void)state;
    for (int left = 0; left < 3; left++) {
        SECRET_CLEANUP struct secret all = {0};
        char text[IDENTITY_TEXT_MAX];
        add(&all, "# printed\r\n\n", 12);
        for (int i = 0; i < 3; i++)
            if (i != left)
                add(&all, known[i], strlen(known[i]));
        assert_int_equal(combine(text, &all), 0);
        assert_string_equal(text,
                            "emsa1af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e"
                            "0c451ec63c00278c91ecec21eaf40127262ca190d0167b1c28f698569985e998");
    }
}

static void any_so_many_are_enough(void **state)
{
    (void)state;
    static const struct {
        unsigned needed, count;
    } rows[] = {{2, 2}, {2, 3}, {3, 5}, {5, 16}, {16, 16}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct secret lines[IDENTITY_SHARES_MAX] = {0};
        struct identity *identity;
        char text[IDENTITY_TEXT_MAX], found[IDENTITY_TEXT_MAX];
        assert_int_equal(identity_new_named(&identity, "recovery"), 0);
        identity_public(identity, text);
        assert_int_equal(identity_share_make(lines, identity, rows[i].needed, rows[i].count), 0);
        for (unsigned first = 0; first < rows[i].count; first++) {
            SECRET_CLEANUP struct secret all = {0}, few = {0};
            for (unsigned k = 0; k < rows[i].needed; k++) {
                const struct secret *line = &lines[(first + k) % rows[i].count];
                add(&all, line->data, line->size);
                if (k > 0)
                    add(&few, line->data, line->size);
            }
            assert_int_equal(combine(found, &all), 0);
            assert_string_equal(found, text);
            assert_int_equal(combine(found, &few), ERR(ERR_NO_KEY));
            assert_non_null(strstr(error_text(), "1 more"));
        }
        for (unsigned k = 0; k < rows[i].count; k++)
            secret_release(&lines[k]);
        identity_free(identity);
    }
}

/* Every bit of a line that counts; case is none of it, and neither is the name's end. */
static void every_slip_is_told(void **state)
{
    (void)state;
    const size_t length = strlen(known[0]) - 1;
    for (size_t at = 0; at < length; at++)
        for (int bit = 0; bit < 8; bit++) {
            SECRET_CLEANUP struct secret all = {0};
            char text[IDENTITY_TEXT_MAX];
            add(&all, known[0], strlen(known[0]));
            add(&all, known[1], strlen(known[1]));
            const unsigned char was = all.data[at];
            all.data[at] = (unsigned char)(was ^ (1 << bit));
            const bool is_case = bit == 5 && ((was >= 'a' && was <= 'f')) &&
                                 at >= strlen("emsa-share-1 2 1 ") && at < length - strlen("alice");
            const int error = combine(text, &all);
            if (is_case)
                assert_int_equal(error, 0);
            else
                assert_true(error < 0);
        }
}

static void shares_of_others_are_told(void **state)
{
    (void)state;
    struct secret mine[2] = {{0}, {0}}, again[2] = {{0}, {0}}, theirs[2] = {{0}, {0}};
    struct identity *identity, *other;
    SECRET_CLEANUP struct secret mixed = {0}, twice = {0}, strange = {0}, nothing = {0};
    char text[IDENTITY_TEXT_MAX];
    assert_int_equal(identity_new_named(&identity, "recovery"), 0);
    assert_int_equal(identity_new_named(&other, "recovery"), 0);
    assert_int_equal(identity_share_make(mine, identity, 2, 2), 0);
    assert_int_equal(identity_share_make(again, identity, 2, 2), 0);
    assert_int_equal(identity_share_make(theirs, other, 2, 2), 0);
    add(&mixed, mine[0].data, mine[0].size);
    add(&mixed, again[1].data, again[1].size);
    assert_int_equal(combine(text, &mixed), ERR(ERR_CORRUPT));
    add(&twice, mine[0].data, mine[0].size);
    add(&twice, mine[0].data, mine[0].size);
    assert_int_equal(combine(text, &twice), ERR(ERR_NO_KEY));
    add(&strange, mine[0].data, mine[0].size);
    add(&strange, theirs[1].data, theirs[1].size);
    assert_int_equal(combine(text, &strange), ERR(ERR_INVALID));
    add(&nothing, "# nothing\n", 10);
    assert_int_equal(combine(text, &nothing), ERR(ERR_NO_KEY));
    for (int i = 0; i < 2; i++) {
        secret_release(&mine[i]);
        secret_release(&again[i]);
        secret_release(&theirs[i]);
    }
    static const unsigned bad[][2] = {{1, 3}, {0, 0}, {4, 3}, {2, 17}, {17, 17}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(identity_share_make(mine, identity, bad[i][0], bad[i][1]),
                         ERR(ERR_INVALID));
    identity_free(identity);
    identity_free(other);
}

static void an_identity_is_tried(void **state)
{
    (void)state;
    struct identity *identity;
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(identity_try(identity), 0);
    identity_free(identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_shares_give_the_known_identity),
        cmocka_unit_test(any_so_many_are_enough),
        cmocka_unit_test(every_slip_is_told),
        cmocka_unit_test(shares_of_others_are_told),
        cmocka_unit_test(an_identity_is_tried),
    };
    return cmocka_run_group_tests(tests, start_secrets, end_secrets);
}
