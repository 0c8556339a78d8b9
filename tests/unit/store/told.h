/* What a commit came to, as text: one line for each outcome, in their order, "+prod/web/A", with a
 * "!" behind a secret. */
#ifndef EMSA_TESTS_UNIT_STORE_TOLD_H
#define EMSA_TESTS_UNIT_STORE_TOLD_H

#include "tests/unit/store/model_support.h"

#include "store/history.h"

#define TOLD_MAX 4096

static inline void told_of(struct model *model, char out[static TOLD_MAX], uint64_t rev)
{
    struct outcome outcome;
    size_t size = 0;
    int found;
    out[0] = '\0';
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    for (uint32_t i = 0; !(found = history_outcome(model->snapshot, &outcome, rev, i)); i++) {
        char text[PATH_TEXT_MAX];
        struct path path;
        assert_int_equal(history_outcome_path(model->snapshot, &path, &outcome), 0);
        size += (size_t)snprintf(out + size, TOLD_MAX - size, "%c%s%s\n", outcome.mark,
                                 path_text(&path, text), outcome.is_secret ? "!" : "");
        assert_true(size < TOLD_MAX);
    }
    assert_int_equal(found, NOT_THERE);
    snapshot_end(model->snapshot);
}

/* That a revision was told so. */
#define TOLD(model_, rev_, expected_)                                                              \
    do {                                                                                           \
        char told_[TOLD_MAX];                                                                      \
        told_of(model_, told_, rev_);                                                              \
        assert_string_equal(told_, expected_);                                                     \
    } while (0)

/* The entry and value of a path now; the value as text. */
static inline struct entry told_entry(struct model *model, char value[static TOLD_MAX],
                                      const char *path)
{
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(VALUE_MAX);
    struct entry entry = {0};
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const int found = sample_read(model->snapshot, &entry, &bytes, path);
    snapshot_end(model->snapshot);
    if (found)
        fail_msg("'%s': %d, %s", path, found, error_text());
    assert_true(bytes.size < TOLD_MAX);
    if (bytes.size)
        memcpy(value, bytes.data, bytes.size);
    value[bytes.size] = '\0';
    return entry;
}

/* That a path reads so, and is of that revision. */
#define READS(model_, path_, value_, rev_)                                                         \
    do {                                                                                           \
        char text_[TOLD_MAX];                                                                      \
        const struct entry entry_ = told_entry(model_, text_, path_);                              \
        assert_string_equal(text_, value_);                                                        \
        assert_int_equal(entry_.rev, rev_);                                                        \
    } while (0)

static inline bool told_gone(struct model *model, const char *path)
{
    BYTES_CLEANUP struct bytes bytes = BYTES_INIT(VALUE_MAX);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const int found = sample_read(model->snapshot, NULL, &bytes, path);
    snapshot_end(model->snapshot);
    return found == NOT_THERE;
}

/* A change that must be refused with a text that says something; the store stays as it was. */
static inline void told_refused(struct model *model, const char *reason, const char *says,
                                const struct sample_step steps[], size_t count)
{
    struct change_result result;
    const uint64_t rev = store_revision(model->store);
    const int error = sample_commit(model->store, &result, reason, 0, steps, count);
    if (error != ERR(ERR_REFUSED) || !strstr(error_text(), says))
        fail_msg("%d, '%s', not '%s'", error, error ? error_text() : "", says);
    assert_int_equal(store_revision(model->store), rev);
}
#define REFUSED(model_, says_, ...)                                                                \
    told_refused(model_, "why", says_, (const struct sample_step[]){__VA_ARGS__},                  \
                 sizeof((const struct sample_step[]){__VA_ARGS__}) / sizeof(struct sample_step))

#endif
