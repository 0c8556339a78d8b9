/* What the tests of values that are destroyed share. */
#ifndef EMSA_TESTS_UNIT_STORE_PURGE_SUPPORT_H
#define EMSA_TESTS_UNIT_STORE_PURGE_SUPPORT_H

#include "tests/unit/store/model_support.h"

#include "store/rebuild.h"
#include "store/verify.h"

#define WHY "it was pasted into a ticket"

/* The revision, or the failure; *line is the first line of what was done. */
static inline int64_t destroy(struct model *model, struct change_line *line, bool is_purge,
                              const char *path, uint64_t rev, const char *why)
{
    struct change *change;
    struct change_result result;
    const struct change_terms terms = sample_terms(why, 0);
    const struct path place = sample_path(path);
    assert_int_equal(change_new(&change, model->store), 0);
    int error = is_purge ? change_purge(change, &place, rev) : change_compact(change, &place, rev);
    if (!error)
        error = change_commit(change, &terms, &result);
    change_free(change);
    if (error)
        return error;
    const int64_t made = (int64_t)result.rev;
    assert_int_equal(result.count, 1);
    if (line)
        *line = result.lines[0];
    change_result_release(&result);
    return made;
}

static inline int64_t purge(struct model *model, const char *path, uint64_t rev)
{
    struct change_line line;
    const int64_t made = destroy(model, &line, true, path, rev, WHY);
    if (made > 0) {
        assert_int_equal(line.subject, CHANGE_PURGE);
        assert_int_equal(line.mark, '-');
    }
    return made;
}

/* How many values went. */
static inline uint64_t compact(struct model *model, const char *path, uint64_t rev)
{
    struct change_line line;
    const int64_t made = destroy(model, &line, false, path, rev, WHY);
    if (made < 0)
        fail_msg("%s", error_text());
    assert_int_equal(line.subject, CHANGE_COMPACT);
    assert_int_equal(line.mark, line.values ? '-' : '=');
    return line.values;
}

/* What a key's value as of a revision reads as: 0 and the text, or the failure. */
static inline int read_at(struct model *model, const char *path, uint64_t rev, char text[static 64])
{
    SECRET_CLEANUP struct secret scratch = {0};
    struct entry entry;
    uint32_t environment, service;
    const unsigned char *data;
    size_t size;
    const struct path place = sample_path(path);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    int found = history_environment(model->snapshot, &environment, place.environment, rev);
    if (!found)
        found = history_service(model->snapshot, &service, environment, place.service, rev);
    if (!found)
        found = history_entry(model->snapshot, &entry, environment, service, place.key, rev);
    if (!found)
        found = snapshot_value(model->snapshot, &data, &size, &entry, &scratch);
    if (!found) {
        assert_true(size < 64);
        memcpy(text, data, size);
        text[size] = '\0';
    }
    snapshot_end(model->snapshot);
    return found;
}

static inline void reads(struct model *model, const char *path, uint64_t rev, const char *text)
{
    char found[64];
    const int error = read_at(model, path, rev, found);
    if (error)
        fail_msg("%s@%lu: %s", path, (unsigned long)rev, error_text());
    assert_string_equal(found, text);
}

static inline void is_gone(struct model *model, const char *path, uint64_t rev, uint64_t by)
{
    char found[64], words[64];
    assert_int_equal(read_at(model, path, rev, found), ERR(ERR_PURGED));
    snprintf(words, sizeof words, "was destroyed by revision %lu, ", (unsigned long)by);
    assert_non_null(strstr(error_text(), words));
    assert_non_null(strstr(error_text(), ": " WHY));
}

static inline void verifies(struct model *model)
{
    if (sample_verify(model->store, true))
        fail_msg("%s", error_text());
}

static inline void refused(struct model *model, enum error_code code, const char *path,
                           uint64_t rev, const char *says)
{
    const int64_t error = destroy(model, NULL, true, path, rev, WHY);
    if (error != ERR(code) || !strstr(error_text(), says))
        fail_msg("%s@%lu: %ld '%s'", path, (unsigned long)rev, (long)error, error_text());
}

struct found {
    unsigned count;
    char first[512];
};

static inline void keep(void *arg, const char *text)
{
    struct found *found = arg;
    if (!found->count++)
        snprintf(found->first, sizeof found->first, "%s", text);
}

struct edit {
    void (*edit)(struct txn *);
    const char *says; /* what verification finds first */
};

/* Each of these, made to the store as it is now, is found. */
static inline void edits_are_found(struct model *model, const struct edit edits[], size_t count)
{
    char good[TRIAL_PATH_MAX];
    model_close(model);
    trial_copy_folder(trial_path(good, model->folder, "good"), model->path);
    for (size_t i = 0; i < count; i++) {
        struct found found = {0};
        struct verify_report report;
        const struct verify_options options = {.fault = keep, .arg = &found};
        model_close(model);
        trial_copy_folder(model->path, good);
        model_edit(model, edits[i].edit);
        model->store = sample_open(model->path, true);
        assert_int_equal(snapshot_new(&model->snapshot, model->store), 0);
        assert_int_equal(verify_store(model->store, &options, &report), ERR(ERR_CORRUPT));
        if (!strstr(found.first, edits[i].says))
            fail_msg("edit %zu: the first fault is '%s'", i, found.first);
    }
}
#define EDITS_ARE_FOUND(model, edits)                                                              \
    edits_are_found(model, edits, sizeof(edits) / sizeof(edits)[0])

/* What is derived follows from what is left: made anew it comes to the same, byte for byte. */
static inline void rebuilds(struct model *model)
{
    struct rebuild_report report;
    struct rebuild_options options = {.path = model->path};
    model_close(model);
    assert_int_equal(sample_identity(&options.identity, model->path), 0);
    if (store_rebuild(&options, &report))
        fail_msg("%s", error_text());
    assert_int_equal(report.wrong, 0);
    model->store = sample_open(model->path, true);
    assert_int_equal(snapshot_new(&model->snapshot, model->store), 0);
}

/* Whether these bytes stand in the store's file, whatever page that is in. */
static inline bool in_file(const struct model *model, const char *text)
{
    char path[TRIAL_PATH_MAX];
    unsigned char piece[4096];
    BYTES_CLEANUP struct bytes all = BYTES_INIT((size_t)1 << 30);
    size_t size;
    FILE *file = fopen(trial_path(path, model->path, "data.mdb"), "rb");
    assert_non_null(file);
    while ((size = fread(piece, 1, sizeof piece, file)) > 0)
        bytes_append(&all, piece, size);
    fclose(file);
    assert_int_equal(all.error, 0);
    return memmem(all.data, all.size, text, strlen(text)) != NULL;
}

static inline void scrubs(struct model *model)
{
    uint64_t left = 1;
    assert_int_equal(store_scrub(model->store, &left), 0);
    assert_int_equal(left, 0);
}

#endif
