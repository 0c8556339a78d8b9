/*
 * One look at every record: by LMDB's pages themselves (pages_internal.h), and not through LMDB,
 * which looks where a page says and knows of no other way. Of each tree that what its branches say
 * is so: the keys of each page ascend, and lie between those that stand beside the way to it. Then
 * each comparison on LMDB's way down comes out as it should, so that every record is found by its
 * key, and what a key that isn't there leads to follows from its neighbours. And of all pages, that
 * none has two uses, is of the wrong kind, or has no end (pages.h).
 *
 * Trees are looked at in parts (each a page that points to leaves) by several threads: nobody
 * writes meanwhile, so all of them see the same.
 *
 * That a body fits its hash need not be known to tell that nothing was changed: the sums are of the
 * hashes, and who reads a body looks whether it fits. So that is left out where it takes long (see
 * env_whole_look).
 *
 * All of it is in guards, so that no damage brings the process down.
 */
#include "store/db/whole.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/crypto/whole_many.h"
#include "store/db/guard.h"
#include "store/db/internal.h"
#include "store/db/pages_internal.h"
#include "store/db/txn.h"
#include "store/error.h"
#include "store/worker.h"

#define EXPLAINED_MAX 10 /* damaged records whose sums are tried in all ways: 2^10 */
#define THREADS_MAX 8
#define PAGES_A_THREAD 1024u /* fewer are not worth one more */
#define UNREADABLE "a page of the file can't be read"

struct part { /* of the tree of a database */
    enum database database;
    unsigned depth;
    uint64_t page;
    struct pages_range range;
};

struct seal_record {
    enum whole_seal seal;
    uint8_t body[WHOLE_BODY_SIZE];
};

struct looking { /* all threads' */
    struct pages pages;
    const struct whole_keys *keys; /* or NULL */
    bool bodies;                   /* are held against their hashes */
    struct part *parts;
    size_t count, room;
    atomic_size_t next;         /* to be looked at */
    uint64_t entries[DB_COUNT]; /* as the tree of trees has it */
    bool is_known[DB_COUNT];
    bool no_memory;
};

struct looker { /* one thread's */
    struct pages_walk walk;
    struct looking *looking;
    enum database database, unsound_in; /* DB_COUNT: the file */
    const char *unsound;
    uint64_t records[DB_COUNT], damaged;
    bool is_log_damaged;
    struct whole_many many;
    struct whole_sums sums; /* of it, once all were added */
    /* of damaged records: what the sum lacks if it was the hash beside the body that was hit */
    struct whole_sum shifts[EXPLAINED_MAX];
    struct seal_record seal;
    bool has_head;
    uint8_t head[RECORD_HASH_SIZE]; /* that closes its record; zeros: there is none */
};

/* --- a record --- */

static const uint8_t *tail_of(MDB_val record)
{
    return (const uint8_t *)record.mv_data + record.mv_size - RECORD_HASH_SIZE;
}

static void note_damaged(struct looker *looker, MDB_val key, MDB_val record)
{
    const struct whole_keys *keys = looker->looking->keys;
    uint8_t hash[RECORD_HASH_SIZE];
    looker->is_log_damaged |=
        looker->database == DB_META || looker->database == DB_COMMIT || looker->database == DB_LOG;
    if (keys && record.mv_size >= RECORD_HASH_SIZE && looker->damaged < EXPLAINED_MAX) {
        struct whole_sum *shift = &looker->shifts[looker->damaged];
        hash_record(hash, database_name(looker->database), key.mv_data, key.mv_size, record.mv_data,
                    record.mv_size - RECORD_HASH_SIZE);
        *shift = whole_record(keys, hash);
        whole_take(shift, whole_record(keys, tail_of(record)));
    }
    looker->damaged++;
}

static bool is_key(MDB_val key, MDB_val other)
{
    return key.mv_size == other.mv_size && memcmp(key.mv_data, other.mv_data, key.mv_size) == 0;
}

static void note_seal(struct seal_record *out, const struct whole_keys *keys, MDB_val key,
                      MDB_val record)
{
    const uint8_t *body = record.mv_data;
    const bool fits = record.mv_size == WHOLE_BODY_SIZE + RECORD_HASH_SIZE;
    if (!whole_is_right(DB_META, key, record))
        out->seal = SEAL_DAMAGED;
    else if (keys && fits && body[0] == WHOLE_FORMAT &&
             memcmp(body + 2 + WHOLE_NONCE_SIZE, keys->id, WHOLE_ID_SIZE) == 0)
        out->seal = SEAL_OWN;
    else
        out->seal = SEAL_OTHERS;
    if (out->seal == SEAL_OWN)
        memcpy(out->body, body, WHOLE_BODY_SIZE);
}

static void look_at(struct looker *looker, MDB_val key, MDB_val record)
{
    const struct looking *looking = looker->looking;
    if (looker->database == DB_META && is_key(key, whole_seal_key())) {
        note_seal(&looker->seal, looking->keys, key, record);
        return;
    }
    if (looker->database == DB_META && is_key(key, whole_head_key()) &&
        record.mv_size >= RECORD_HASH_SIZE) {
        memcpy(looker->head, tail_of(record), RECORD_HASH_SIZE);
        looker->has_head = true;
    }
    if (record.mv_size < RECORD_HASH_SIZE ||
        (looking->bodies && !whole_is_right(looker->database, key, record)))
        note_damaged(looker, key, record);
    if (!looking->keys)
        return;
    whole_many_name(&looker->many, database_name(looker->database), key.mv_data, key.mv_size);
    if (record.mv_size >= RECORD_HASH_SIZE)
        whole_many_record(&looker->many, tail_of(record));
}

static struct looker *looker_of(struct pages_walk *walk)
{
    return (struct looker *)(void *)walk; /* its first member */
}

static void visit_record(struct pages_walk *walk, unsigned flags, MDB_val key, MDB_val record)
{
    struct looker *looker = looker_of(walk);
    if (flags & ~NODE_BIG)
        pages_wrong(walk, "a record is of the wrong kind");
    else if (record.mv_size > RECORD_MAX + RECORD_HASH_SIZE)
        pages_wrong(walk, "a record is longer than any is");
    else if (!walk->why) {
        looker->records[looker->database]++;
        look_at(looker, key, record);
    }
}

/* --- the parts of all trees --- */

/* Of what is wrong, the first thing that was met, and where. */
static void note_unsound(struct looker *looker)
{
    if (!looker->walk.why || looker->unsound)
        return;
    looker->unsound = looker->walk.why;
    looker->unsound_in = looker->database;
}

/* Inside of a guard, too: it is in reading that there are faults, and not in here. */
static void add_part(struct looking *looking, struct part part)
{
    if (looking->count == looking->room) {
        const size_t room = looking->room ? 2 * looking->room : 1024;
        struct part *parts = realloc(looking->parts, room * sizeof *parts);
        if (!parts) {
            looking->no_memory = true;
            return;
        }
        looking->parts = parts;
        looking->room = room;
    }
    looking->parts[looking->count++] = part;
}

/* What points to leaves, and a leaf that nothing else points to. */
static bool leave(struct pages_walk *walk, uint64_t number, const struct pages_range *range)
{
    const struct looker *looker = looker_of(walk);
    if (pages_height(walk->pages, number) > 1)
        return false;
    add_part(looker->looking, (struct part){looker->database, walk->depth, number, *range});
    return true;
}

static void visit_nothing(struct pages_walk *walk, unsigned flags, MDB_val key, MDB_val data)
{
    (void)walk;
    (void)flags;
    (void)key;
    (void)data;
}

/* DB_COUNT: none of ours. */
static enum database database_of(MDB_val name)
{
    for (int i = 0; i < DB_COUNT; i++) {
        const char *known = database_name((enum database)i);
        if (name.mv_size == strlen(known) && memcmp(name.mv_data, known, name.mv_size) == 0)
            return (enum database)i;
    }
    return DB_COUNT;
}

static const struct pages_range all;

/* Of a database that is none of ours only its pages count. */
static void divide_tree(struct looker *looker, uint64_t root)
{
    struct pages_walk *walk = &looker->walk;
    const bool is_ours = looker->database != DB_COUNT;
    walk->visit = is_ours ? visit_record : visit_nothing;
    walk->is_ordered = is_ours;
    walk->leave = is_ours ? leave : NULL;
    if (root != PAGES_NONE && !(is_ours && leave(walk, root, &all)))
        pages_walk(walk, root, &all);
}

/* In the tree of trees. */
static void visit_tree(struct pages_walk *walk, unsigned flags, MDB_val key, MDB_val data)
{
    struct looker *looker = looker_of(walk);
    struct looking *looking = looker->looking;
    struct pages_tree tree;
    const enum database database = database_of(key);
    if (!pages_tree(&tree, flags, data) || (database != DB_COUNT && tree.flags)) {
        pages_wrong(walk, "a database is of another kind");
        return;
    }
    if (database != DB_COUNT) {
        looking->is_known[database] = true;
        looking->entries[database] = tree.entries;
    }
    looker->database = database;
    divide_tree(looker, tree.root);
    note_unsound(looker);
    looker->database = DB_COUNT;
    walk->visit = visit_tree;
    walk->is_ordered = true;
    walk->leave = NULL;
}

static int divide(void *arg)
{
    struct looker *looker = arg;
    struct pages_walk *walk = &looker->walk;
    pages_find_head(walk->pages);
    if (walk->pages->why) {
        pages_wrong(walk, walk->pages->why);
        return 0;
    }
    walk->visit = visit_tree;
    walk->is_ordered = true;
    pages_walk(walk, walk->pages->main_root, &all);
    for (int i = 0; i < DB_COUNT; i++)
        if (!looker->looking->is_known[i])
            pages_wrong(walk, "a database is not there");
    return 0;
}

/* --- threads --- */

static int look_at_parts(void *arg)
{
    struct looker *looker = arg;
    struct looking *looking = looker->looking;
    size_t at;
    while ((at = atomic_fetch_add(&looking->next, 1)) < looking->count && !looker->walk.why) {
        const struct part *part = &looking->parts[at];
        looker->database = part->database;
        looker->walk.depth = part->depth;
        pages_walk(&looker->walk, part->page, &part->range);
        note_unsound(looker);
    }
    return 0;
}

static int look_at_free(void *arg)
{
    struct looker *looker = arg;
    looker->database = DB_COUNT;
    looker->walk.depth = 0;
    looker->walk.is_ordered = false;
    pages_walk_free(&looker->walk);
    return 0;
}

/* One that has found something has the others stop. */
static void run(struct looker *looker, int (*work)(void *))
{
    if (guard_call(work, looker))
        pages_wrong(&looker->walk, UNREADABLE);
    note_unsound(looker);
    if (looker->unsound)
        atomic_store(&looker->looking->next, SIZE_MAX / 2);
}

static void *run_parts(void *arg)
{
    struct looker *looker = arg;
    run(looker, look_at_parts);
    if (looker->looking->keys) {
        whole_many_end(&looker->many);
        looker->sums = looker->many.sums;
    }
    return NULL;
}

static void begin(struct looker *looker, struct looking *looking)
{
    *looker = (struct looker){.looking = looking, .database = DB_COUNT};
    looker->walk =
        (struct pages_walk){.pages = &looking->pages, .is_ordered = true, .visit = visit_record};
    whole_many_begin(&looker->many, looking->keys);
}

static size_t threads_for(const struct pages *pages)
{
    cpu_set_t set;
    const size_t processors = sched_getaffinity(0, sizeof set, &set) ? 1 : (size_t)CPU_COUNT(&set);
    const size_t most = processors < THREADS_MAX ? processors : THREADS_MAX;
    const size_t threads = 1 + pages->last / PAGES_A_THREAD;
    return threads < most ? threads : most;
}

static void add_findings(struct looker *to, const struct looker *from)
{
    if (!to->unsound) {
        to->unsound = from->unsound;
        to->unsound_in = from->unsound_in;
    }
    for (int i = 0; i < DB_COUNT; i++)
        to->records[i] += from->records[i];
    for (uint64_t i = 0; i < from->damaged; i++, to->damaged++)
        if (i < EXPLAINED_MAX && to->damaged < EXPLAINED_MAX)
            to->shifts[to->damaged] = from->shifts[i];
    to->is_log_damaged |= from->is_log_damaged;
    whole_add(&to->sums.names, from->sums.names);
    whole_add(&to->sums.records, from->sums.records);
    if (from->seal.seal != SEAL_NONE)
        to->seal = from->seal;
    if (from->has_head)
        memcpy(to->head, from->head, RECORD_HASH_SIZE);
}

/* The first is the caller's own thread, and has what all of them found in the end. */
static void look_beside(struct looker lookers[static THREADS_MAX], struct looking *looking)
{
    pthread_t threads[THREADS_MAX];
    const size_t wanted = threads_for(&looking->pages);
    size_t started = 1;
    for (; started < wanted; started++) {
        begin(&lookers[started], looking);
        if (!worker_start(&threads[started], run_parts, &lookers[started]))
            break;
    }
    lookers[0].walk.visit = visit_record;
    lookers[0].walk.leave = NULL;
    run_parts(&lookers[0]);
    for (size_t i = 1; i < started; i++) {
        pthread_join(threads[i], NULL);
        add_findings(&lookers[0], &lookers[i]);
    }
}

static void look(struct looker lookers[static THREADS_MAX], struct looking *looking)
{
    struct looker *first = &lookers[0];
    begin(first, looking);
    run(first, divide);
    if (!first->unsound && !looking->no_memory)
        look_beside(lookers, looking);
    for (int i = 0; i < DB_COUNT && !first->unsound; i++)
        if (first->records[i] != looking->entries[i]) {
            first->database = (enum database)i;
            pages_wrong(&first->walk, "it does not have as many records as it says");
            note_unsound(first);
        }
    if (!first->unsound)
        run(first, look_at_free);
}

/* --- what comes of it --- */

/* Of each damaged record either the hash that it bears is the one that was written, or the one that
 * its body has; where they are few, all ways are tried. */
static bool is_explained(const struct looker *looker, const struct whole_sums *claimed)
{
    const uint64_t damaged = looker->damaged;
    if (damaged > EXPLAINED_MAX)
        return false;
    for (unsigned way = 0; way < 1u << damaged; way++) {
        struct whole_sum sum = looker->sums.records;
        for (unsigned i = 0; i < damaged; i++)
            if (way & 1u << i)
                whole_add(&sum, looker->shifts[i]);
        if (whole_equal(sum, claimed->records))
            return true;
    }
    return false;
}

/* What the seal says, which is ours. */
static struct whole_sums read_seal(struct whole_finding *out, const struct whole_keys *keys,
                                   const struct seal_record *seal,
                                   const uint8_t head[static RECORD_HASH_SIZE])
{
    static const struct whole_sums none;
    const uint8_t *body = seal->body, *nonce = body + 2, *id = nonce + WHOLE_NONCE_SIZE;
    struct whole_sums claimed;
    whole_show(&claimed, keys, id + WHOLE_ID_SIZE, body[1], nonce, head);
    out->is_unsure = body[1] == WHOLE_KIND_UNSURE && whole_equal(claimed.names, none.names) &&
                     whole_equal(claimed.records, none.records);
    if (body[1] != WHOLE_KIND_SUMS)
        claimed = (struct whole_sums){{1, 0}, {1, 0}}; /* agrees with nothing */
    return claimed;
}

static void judge(struct whole_finding *out, const struct looker *looker)
{
    const struct looking *looking = looker->looking;
    *out = (struct whole_finding){.is_sound = !looker->unsound,
                                  .has_bodies = looking->bodies,
                                  .damaged = looker->damaged,
                                  .is_log_damaged = looker->is_log_damaged,
                                  .seal = looker->seal.seal,
                                  .sums = looker->sums};
    for (int i = 0; i < DB_COUNT; i++)
        out->records += looker->records[i];
    if (looker->unsound && looker->unsound_in == DB_COUNT)
        (void)snprintf(out->unsound, sizeof out->unsound, "the file: %s", looker->unsound);
    else if (looker->unsound)
        (void)snprintf(out->unsound, sizeof out->unsound, "database '%s': %s",
                       database_name(looker->unsound_in), looker->unsound);
    if (!out->is_sound || out->seal != SEAL_OWN)
        return;
    const struct whole_sums claimed = read_seal(out, looking->keys, &looker->seal, looker->head);
    if (out->is_unsure)
        return;
    out->names_agree = whole_equal(looker->sums.names, claimed.names);
    out->records_agree = is_explained(looker, &claimed);
    if (out->names_agree && out->records_agree)
        out->sums = claimed;
}

int env_whole_look(struct env *env, struct whole_finding *out, bool bodies)
{
    struct looker lookers[THREADS_MAX];
    struct looking looking = {.keys = env->whole.keys, .bodies = bodies};
    const int error = pages_open(&looking.pages, env);
    if (error)
        return error;
    look(lookers, &looking);
    pages_close(&looking.pages);
    free(looking.parts);
    if (looking.no_memory)
        return error_set(ERR_NOMEM, "no memory to look at the records of the store");
    judge(out, &lookers[0]);
    return 0;
}

/* --- the seal alone --- */

struct resuming {
    struct env *env;
    struct seal_record seal;
    uint8_t head[RECORD_HASH_SIZE];
};

static int find_seal(void *arg)
{
    struct resuming *resuming = arg;
    const MDB_dbi meta = resuming->env->handles[DB_META];
    MDB_val key = whole_seal_key(), record;
    MDB_txn *txn;
    int failed = mdb_txn_begin(resuming->env->mdb, NULL, MDB_RDONLY, &txn);
    if (failed)
        return failed;
    failed = mdb_get(txn, meta, &key, &record);
    if (!failed) {
        note_seal(&resuming->seal, resuming->env->whole.keys, key, record);
        failed = whole_read_head(resuming->head, txn, meta);
    }
    mdb_txn_abort(txn);
    return failed;
}

bool env_whole_resume(struct env *env)
{
    struct whole_finding finding = {.is_sound = true};
    struct resuming resuming = {.env = env};
    const int failed = env->whole.keys ? guard_call(find_seal, &resuming) : MDB_NOTFOUND;
    if (failed || resuming.seal.seal != SEAL_OWN)
        return false;
    finding.sums = read_seal(&finding, env->whole.keys, &resuming.seal, resuming.head);
    if (finding.is_unsure)
        return false;
    env_whole_trust(env, &finding);
    return true;
}
