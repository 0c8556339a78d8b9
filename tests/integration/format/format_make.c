/* A small store with every kind of operation and of derived record in it: format_make FOLDER makes
 * FOLDER/store, its pin and FOLDER/store.identity, and prints what its values must be at every
 * revision. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/expiry.h"
#include "store/grant.h"
#include "store/identity.h"
#include "store/pin.h"
#include "store/request.h"
#include "tests/support/store/declare.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define SECOND 1000000000ll
#define LATE (4000000000 * SECOND) /* 2096: no commit but those that end something is later */
#define LARGE 5000                 /* large enough to be padded in steps */

enum what {
    DO_ENVIRONMENT,
    DO_BASED, /* on the environment that text names */
    DO_GUARDED,
    DO_PASSING, /* for ttl seconds */
    DO_SERVICE,
    DO_PLAIN,
    DO_HIDDEN,
    DO_LINK,
    DO_TEMPLATE,
    DO_COPY,
    DO_COPY_THEN, /* as of revision ttl */
    DO_MOVE,
    DO_UNSET,
    DO_DROP,
    DO_SHARE,
    DO_UNSHARE,
    DO_LOCK,
    DO_UNLOCK,
    DO_SCHEMA, /* text: see declare.h; NULL: it goes */
    DO_TAG,    /* revision ttl */
    DO_UNTAG,
    DO_GRANT, /* rights ttl */
    DO_REVOKE,
    DO_KNOW, /* an identity, of that name */
    DO_ROTATE,
    DO_PURGE,  /* as of revision ttl */
    DO_COMPACT /* until revision ttl */
};

struct step {
    enum what what;
    const char *path;
    const char *text;
    uint64_t ttl;
};

static int set_hidden(struct change *change, const struct path *path, const char *text)
{
    struct secret secret = {0};
    MUST_DO(secret_copy(&secret, text, strlen(text)));
    return change_set_secret(change, path, &secret);
}

/* A new identity, which nobody keeps. */
static int make_known(struct change *change, const char *name)
{
    struct identity *identity;
    char text[IDENTITY_TEXT_MAX] = "";
    MUST_DO(identity_new(&identity));
    identity_public(identity, text);
    identity_free(identity);
    return change_identity(change, name, text);
}

static int gather_value(struct change *change, const struct step *step, const struct path *path)
{
    switch (step->what) {
    case DO_PLAIN:
        return change_set_plain(change, path, step->text, strlen(step->text));
    case DO_HIDDEN:
        return set_hidden(change, path, step->text);
    case DO_LINK:
        return change_set_link(change, path, step->text);
    case DO_TEMPLATE:
        return change_set_template(change, path, step->text, strlen(step->text));
    case DO_COPY:
        return change_copy(change, path, &(struct path[]){sample_path(step->text)}[0]);
    case DO_COPY_THEN:
        return change_copy_at(change, path, &(struct path[]){sample_path(step->text)}[0],
                              step->ttl);
    default:
        return change_move(change, path, &(struct path[]){sample_path(step->text)}[0]);
    }
}

static int set_schema(struct change *change, const struct path *path, const char *text)
{
    struct schema schema;
    if (!text)
        return change_schema_remove(change, path);
    declare(&schema, path->service, text);
    const int error = change_schema_set(change, path, &schema);
    schema_release(&schema);
    return error;
}

static int gather(struct change *change, const struct step *step)
{
    const struct path path = sample_path(step->path);
    const struct environment_terms terms = {.base = step->what == DO_BASED ? step->text : NULL,
                                            .is_protected = step->what == DO_GUARDED,
                                            .ttl = step->ttl};
    switch (step->what) {
    case DO_ENVIRONMENT:
    case DO_BASED:
    case DO_GUARDED:
    case DO_PASSING:
        return change_environment_add(change, step->path, &terms);
    case DO_SERVICE:
        return change_service_add(change, &path);
    case DO_UNSET:
        return change_remove(change, &path);
    case DO_DROP:
        return change_remove_all(change, &path);
    case DO_SHARE:
        return change_share(change, &path, step->text);
    case DO_UNSHARE:
        return change_unshare(change, &path, step->text);
    case DO_LOCK:
        return change_lock(change, &path);
    case DO_UNLOCK:
        return change_unlock(change, &path);
    case DO_SCHEMA:
        return set_schema(change, &path, step->text);
    case DO_TAG:
        return change_tag(change, step->text, step->ttl);
    case DO_UNTAG:
        return change_untag(change, step->text);
    case DO_GRANT:
        return change_grant(change, &path, step->text, (unsigned)step->ttl);
    case DO_REVOKE:
        return change_revoke(change, &path, step->text, (unsigned)step->ttl);
    case DO_KNOW:
        return make_known(change, step->text);
    case DO_ROTATE:
        return change_rotate(change, &path, false);
    case DO_PURGE:
        return change_purge(change, &path, step->ttl);
    case DO_COMPACT:
        return change_compact(change, &path, step->ttl);
    case DO_COPY_THEN:
        return gather_value(change, step, &path);
    default:
        break;
    }
    const int error = gather_value(change, step, &path);
    return error || !step->ttl ? error : change_ttl(change, step->ttl);
}

static void commit(struct store *store, int64_t now, const struct step steps[], size_t count)
{
    static uint64_t request;
    struct change *change;
    struct change_result result;
    struct change_terms terms = sample_terms("vectors", ++request);
    terms.now = now;
    terms.allow_equal = true;
    terms.override = OVERRIDE_SCHEMA; /* said only where it was needed */
    MUST_DO(change_new(&change, store));
    for (size_t i = 0; i < count; i++)
        MUST_DO(gather(change, &steps[i]));
    MUST_DO(change_commit(change, &terms, &result));
    MUST(result.committed, "'%s' and what follows changed nothing", steps[0].path);
    change_result_release(&result);
    change_free(change);
}
#define COMMIT_AT(store_, now_, ...)                                                               \
    commit(store_, now_, (const struct step[]){__VA_ARGS__},                                       \
           sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))
#define COMMIT(store_, ...) COMMIT_AT(store_, 0, __VA_ARGS__)

static void print_value(struct snapshot *snapshot, const char *environment, const char *service,
                        const struct entry *entry)
{
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data;
    size_t size;
    MUST_DO(snapshot_value(snapshot, &data, &size, entry, &scratch));
    printf("value %llu %s/%s/%s ", (unsigned long long)snapshot_revision(snapshot), environment,
           service, entry->key);
    for (size_t i = 0; i < size; i++)
        printf("%02x", data[i]);
    printf("%s\n", size ? "" : "-");
}

static void print_service(struct snapshot *snapshot, const char *environment,
                          const struct service *service)
{
    struct entry entry = {0};
    while (!snapshot_next_entry(snapshot, &entry, service->environment, service->id, entry.key))
        print_value(snapshot, environment, service->name, &entry);
}

/* What stands now is what must stand at this revision for ever. */
static void print(struct store *store)
{
    struct snapshot *snapshot;
    struct environment environment = {0};
    MUST_DO(snapshot_new(&snapshot, store));
    MUST_DO(snapshot_begin(snapshot));
    while (!snapshot_next_environment(snapshot, &environment, environment.name)) {
        struct service service = {0};
        while (!snapshot_next_service(snapshot, &service, environment.id, service.name))
            print_service(snapshot, environment.name, &service);
    }
    snapshot_end(snapshot);
    snapshot_free(snapshot);
}

/* What is set where it is read. */
static void set_plainly(struct store *store)
{
    char large[LARGE + 1] = {0};
    memset(large, 'L', LARGE);
    COMMIT(store, {DO_ENVIRONMENT, "prod"}, {DO_SERVICE, "prod/web"});
    COMMIT(store, {DO_PLAIN, "prod/billing/PORT", "8080"},
           {DO_HIDDEN, "prod/billing/PASSWORD", "s3cret"});
    print(store);
    COMMIT(store, {DO_PLAIN, "prod/billing/EMPTY", ""}, {DO_HIDDEN, "prod/web/NOTHING", ""},
           {DO_PLAIN, "prod/web/CERT", large}, {DO_HIDDEN, "prod/web/TOKEN", large});
    COMMIT(store, {DO_ENVIRONMENT, "dev"}, {DO_PLAIN, "dev/billing/PORT", "8"},
           {DO_HIDDEN, "dev/web/TOKEN", "a token of dev"}, {DO_PLAIN, "prod/billing/PORT", "10"},
           {DO_HIDDEN, "prod/billing/PASSWORD", "another s3cret"});
    COMMIT(store, {DO_PLAIN, "dev/web/MADE", "and gone"}, {DO_UNSET, "dev/web/MADE"},
           {DO_PLAIN, "dev/web/LEFT", "here"});
    print(store);
    COMMIT(store, {DO_DROP, "dev/web"}, {DO_SERVICE, "dev/web"}, {DO_UNSET, "prod/billing/PORT"},
           {DO_HIDDEN, "prod/billing/PORT", "12"});
    print(store);
    COMMIT(store, {DO_DROP, "dev"}, {DO_ENVIRONMENT, "dev"},
           {DO_HIDDEN, "dev/web/TOKEN", "of a new dev"});
    print(store);
}

/* What is set once and read in many places; more outcomes in one commit than a record holds. */
static void set_for_all(struct store *store)
{
    char path[PATH_TEXT_MAX];
    struct change *change;
    struct change_result result;
    const struct change_terms terms = sample_terms("many", 0);
    COMMIT(store, {DO_BASED, "preview", "dev"}, {DO_SERVICE, "dev/billing"},
           {DO_SERVICE, "preview/billing"});
    MUST_DO(change_new(&change, store));
    for (int i = 0; i < 23; i++) {
        snprintf(path, sizeof path, "all/web/K%02d", i);
        const struct path key = sample_path(path);
        MUST_DO(change_set_plain(change, &key, path, strlen(path)));
    }
    MUST_DO(change_commit(change, &terms, &result));
    change_result_release(&result);
    change_free(change);
    print(store);
    COMMIT(store, {DO_PLAIN, "all/shared/HOST", "db.example"},
           {DO_PLAIN, "dev/web/K00", "all/web/K00"}, {DO_PLAIN, "dev/web/K01", "of dev"},
           {DO_PLAIN, "preview/web/K01", "of preview"}, {DO_UNSET, "all/web/K02"});
    COMMIT(store, {DO_UNSET, "dev/web/K00"}, {DO_UNSET, "preview/web/K01"},
           {DO_PLAIN, "all/web/K01", "new"});
    COMMIT(store, {DO_DROP, "preview/web"}, {DO_SERVICE, "preview/web"});
    print(store);
}

/* What refers to what else. */
static void refer(struct store *store)
{
    COMMIT(store, {DO_SHARE, "prod/billing/PASSWORD", "web"}, {DO_SHARE, "all/web/K03", "*"},
           {DO_LINK, "prod/web/PASSWORD", "billing/PASSWORD"},
           {DO_LINK, "all/billing/K03", "web/K03"}, {DO_PLAIN, "all/billing/PORT", "5432"},
           {DO_TEMPLATE, "all/billing/URL", "pg://${shared/HOST}:${PORT|url}/$$${K03|json}"});
    print(store);
    COMMIT(store, {DO_HIDDEN, "prod/billing/PASSWORD", "a third \"one\""},
           {DO_TEMPLATE, "prod/web/ALL", "${PASSWORD|base64} ${PASSWORD|json} ${PASSWORD|url}"},
           {DO_PLAIN, "dev/shared/HOST", "dev.example"}, {DO_PLAIN, "all/web/K03", "changed"});
    print(store);
    COMMIT(store, {DO_COPY, "dev/billing/MINE", "prod/billing/PASSWORD"},
           {DO_COPY, "dev/billing/URL", "all/billing/URL"},
           {DO_MOVE, "prod/web/SECRET", "prod/web/TOKEN"}, {DO_SHARE, "dev/billing/MINE", "web"},
           {DO_SHARE, "prod/billing/PASSWORD", "*"}, {DO_UNSHARE, "prod/billing/PASSWORD", "web"});
    print(store);
    COMMIT(store, {DO_LOCK, "prod/billing/PASSWORD"}, {DO_LOCK, "dev/web"}, {DO_LOCK, "preview"},
           {DO_LOCK, "all"}, {DO_GUARDED, "vault"}, {DO_HIDDEN, "vault/web/KEY", "of the vault"});
    COMMIT(store, {DO_UNLOCK, "all"}, {DO_UNLOCK, "preview"}, {DO_UNLOCK, "dev/web"},
           {DO_DROP, "dev/billing"}, {DO_PLAIN, "all/shared/HOST", "db2.example"});
    print(store);
}

/* What was, set again, and what revisions are called. */
static void look_back(struct store *store)
{
    COMMIT(store, {DO_COPY_THEN, "prod/billing/OLD_PORT", "prod/billing/PORT", 4},
           {DO_COPY_THEN, "prod/web/OLD_PASSWORD", "prod/billing/PASSWORD", 3},
           {DO_COPY_THEN, "dev/web/OLD", "dev/web/LEFT", 6}, {DO_TAG, "", "release-1.0", 3},
           {DO_TAG, "", "before", 2});
    COMMIT(store, {DO_TAG, "", "release-1.0", 4}, {DO_UNTAG, "", "before"},
           {DO_TAG, "", "before.2", 2});
    print(store);
}

/* Keys that go, some with something beneath, one that goes on, one whose end was taken back, one
 * that ends far away; an environment that goes. */
static void expire(struct store *store)
{
    struct expiry_result gone;
    COMMIT_AT(store, LATE, {DO_PLAIN, "prod/web/SOON", "for 30 s", 30},
              {DO_HIDDEN, "prod/web/SOON_TOO", "for 20 s", 20},
              {DO_PLAIN, "prod/web/LATER", "a day", 86400},
              {DO_PLAIN, "prod/web/KEPT", "not for long", 30},
              {DO_HIDDEN, "prod/web/MOVED", "on", 30},
              {DO_PLAIN, "prod/web/K04", "over that of all", 30}, {DO_PASSING, "passing", NULL, 25},
              {DO_PLAIN, "passing/web/K05", "passing"});
    COMMIT_AT(store, LATE, {DO_HIDDEN, "prod/web/MOVED", "on and on", 3600},
              {DO_PLAIN, "prod/web/KEPT", "for good"});
    print(store);
    MUST_DO(expiry_commit(store, &gone, LATE + 30 * SECOND));
    MUST(gone.count >= 3 && gone.next == LATE + 3600 * SECOND, "%zu keys went", gone.count);
    print(store);
}

/* What services say of their keys: for all, for a base, for one; what shows because of it, and what
 * is beneath what ends. */
static void declare_keys(struct store *store)
{
    struct expiry_result gone;
    const int64_t late = LATE + 7200 * SECOND;
    COMMIT_AT(store, late,
              {DO_SCHEMA, "all/web",
               "K00:string LEVEL:enum,one@low,one@high=low WAIT:duration,min@0=250ms"},
              {DO_PLAIN, "prod/web/LEVEL", "high", 30});
    print(store);
    COMMIT_AT(store, late,
              {DO_SCHEMA, "dev/web",
               "strict TOKEN:string,secret,required@dev,required@prod,fixed PORT:port=8080 "
               "EMPTY:string,deprecated= AT:url,scheme@pg,scheme@https,in@dev ADDRESS:url"},
              {DO_TEMPLATE, "preview/web/ADDRESS", "http://here:${PORT}"},
              {DO_LINK, "prod/web/NEXT", "web/WAIT"});
    print(store);
    COMMIT_AT(store, late, {DO_SCHEMA, "dev/web", "PORT:port=8081 ID:regex,pattern@[a-z]+=x"},
              {DO_SCHEMA, "preview/web", "ADDRESS:url,max_length@99 PORT:int,max@99999=80"});
    MUST_DO(expiry_commit(store, &gone, late + 30 * SECOND));
    print(store);
    COMMIT_AT(store, late + 60 * SECOND, {DO_UNSET, "preview/web/ADDRESS"},
              {DO_SCHEMA, "preview/web", NULL}, {DO_DROP, "dev/web"}, {DO_SERVICE, "dev/web"});
    COMMIT_AT(store, late + 61 * SECOND, {DO_PLAIN, "prod/web/LEVEL", "neither"});
    print(store);
}

/* Who may what: granted, more of it, less of it, and what goes with a place. */
static void give_rights(struct store *store)
{
    const uint64_t list = GRANT_LIST, read = GRANT_READ, set = GRANT_SET, all = GRANT_ALL;
    COMMIT(store, {DO_GRANT, "", "group:ops", all}, {DO_GRANT, "prod", "user:alice", list | read},
           {DO_GRANT, "prod/web", "user:ci", set}, {DO_GRANT, "prod/web", "group:ops", read},
           {DO_GRANT, "all", "user:bob", GRANT_AUDIT | GRANT_SHARE},
           {DO_ENVIRONMENT, "short", NULL}, {DO_GRANT, "short", "user:alice", GRANT_ADMIN},
           {DO_GRANT, "dev/web", "user:D\\u.s@er+$", read});
    print(store);
    COMMIT(store, {DO_GRANT, "prod", "user:alice", read | set},
           {DO_REVOKE, "", "group:ops", GRANT_ADMIN}, {DO_REVOKE, "prod/web", "user:ci", set},
           {DO_DROP, "short"}, {DO_ENVIRONMENT, "short", NULL}, {DO_DROP, "dev/web"},
           {DO_SERVICE, "dev/web"}, {DO_GRANT, "dev/web", "user:ci", list});
    print(store);
}

/* Identities that are granted keys, and lose them. */
static void give_keys(struct store *store)
{
    const uint64_t list = GRANT_LIST, read = GRANT_READ, set = GRANT_SET;
    COMMIT(store, {DO_KNOW, "", "host"}, {DO_KNOW, "", "laptop"}, {DO_KNOW, "", "ci"},
           {DO_HIDDEN, "prod/web/LATER", "one"}, {DO_GRANT, "prod", "id:laptop", list | read},
           {DO_GRANT, "prod/web", "id:host", read}, {DO_GRANT, "prod", "id:ci", set});
    print(store);
    COMMIT(store, {DO_REVOKE, "prod", "id:laptop", read}, {DO_REVOKE, "prod", "id:ci", set});
    COMMIT(store, {DO_HIDDEN, "prod/web/LATER", "two"}, {DO_GRANT, "prod", "id:laptop", read});
    COMMIT(store, {DO_REVOKE, "prod/web", "id:host"}, {DO_ROTATE, "dev"});
    COMMIT(store, {DO_GRANT, "dev/web", "id:host", read},
           {DO_GRANT, "prod/web", "id:laptop", read});
    COMMIT(store, {DO_REVOKE, "prod/web", "id:laptop", read}); /* still granted above */
    COMMIT(store, {DO_DROP, "dev/web"}, {DO_SERVICE, "dev/web"},
           {DO_HIDDEN, "dev/web/LATER", "three", 3600});
    print(store);
}

/* Values that are destroyed: a plain one, a secret with a key that came later, what one commit set
 * twice; and those of a service, of an environment and of everything, but what a tag shows. No
 * revision that is told of shows them. */
static void forget(struct store *store)
{
    COMMIT(store, {DO_ENVIRONMENT, "old"}, {DO_PLAIN, "old/web/A", "one"},
           {DO_HIDDEN, "old/web/S", "a secret of one"}, {DO_PLAIN, "old/api/B", "one"},
           {DO_TEMPLATE, "old/web/T", "${A}!"}, {DO_LINK, "old/web/L", "web/A"});
    const uint64_t one = store_revision(store);
    COMMIT(store, {DO_ROTATE, "old"});
    COMMIT(store, {DO_PLAIN, "old/web/A", "never"}, {DO_PLAIN, "old/web/A", "two"},
           {DO_HIDDEN, "old/web/S", "a secret of two"}, {DO_PLAIN, "old/api/B", "two"});
    const uint64_t two = store_revision(store);
    COMMIT(store, {DO_PURGE, "old/web/A", NULL, one}, {DO_PURGE, "old/web/S", NULL, one});
    COMMIT(store, {DO_TEMPLATE, "old/web/T", "<${A|url}>${S}"},
           {DO_SCHEMA, "old/web", "P:string=one Q:string=q"});
    COMMIT(store, {DO_SCHEMA, "old/web", "P:string=one Q:string=r"});
    COMMIT(store, {DO_SCHEMA, "old/web", "P:string=two Q:string=r"});
    COMMIT(store, {DO_PURGE, "old/web/P", NULL, store_revision(store) - 1});
    COMMIT(store, {DO_SCHEMA, "old/web", "P:string=three Q:string=r"});
    COMMIT(store, {DO_TEMPLATE, "old/web/T", "${A}"},
           {DO_PURGE, "old/web/T", NULL, store_revision(store)});
    COMMIT(store, {DO_PLAIN, "old/web/A", "three"}, {DO_HIDDEN, "old/web/S", "a secret of three"},
           {DO_PLAIN, "old/api/B", "three"}, {DO_TAG, "", "kept", two});
    const uint64_t three = store_revision(store);
    COMMIT(store, {DO_COMPACT, "old/api", NULL, two});
    COMMIT(store, {DO_COMPACT, "old", NULL, three});
    COMMIT(store, {DO_UNTAG, "", "kept"}, {DO_DROP, "old/api"});
    /* What that shows which is called release-1.0 stays. */
    COMMIT(store, {DO_COMPACT, "", NULL, 6});
    COMMIT(store, {DO_COMPACT, "old", NULL, three});
    print(store);
}

static void put_name_text(struct bytes *out, const char *name, const char *text)
{
    request_put_name(out, name);
    request_put_text(out, text, strlen(text));
}

static void put_set(struct bytes *out, const char *kind, const char *path, const uint8_t *digest)
{
    request_put_object(out, 3);
    put_name_text(out, "kind", kind);
    put_name_text(out, "path", path);
    request_put_name(out, "value");
    request_put_digest(out, digest);
}

static void finish_signed(struct store *store, struct change *change, const struct identity *by,
                          struct change_terms *terms, const struct bytes *text)
{
    struct signature signature;
    struct change_result result;
    request_sign(&signature, by, text->data, text->size);
    terms->signature = &signature;
    terms->request = text->data;
    terms->request_size = text->size;
    MUST_DO(change_commit(change, terms, &result));
    change_result_release(&result);
    change_free(change);
    (void)store;
}

/* What an identity of the store asked for, and what one asked for that nobody knows. */
static void set_signed(struct store *store, const char *folder)
{
    BYTES_CLEANUP struct bytes text = BYTES_INIT(4096);
    struct change *change;
    struct identity *identity;
    const uint8_t seed[REQUEST_SEED_SIZE] = "a seed that is drawn by nobody";
    struct change_terms terms = sample_terms("signed", 0);
    const struct path open = sample_path("prod/web/SIGNED"), key = sample_path("prod/web/HIDDEN");
    char path[TRIAL_PATH_MAX];
    memset(terms.request_id, 7, REQUEST_ID_SIZE);
    MUST_DO(change_new(&change, store));
    MUST_DO(change_seed(change, seed));
    MUST_DO(change_set_plain(change, &open, "by whom", 7));
    MUST_DO(set_hidden(change, &key, "by whom else"));
    request_begin(&text, store_id(store), terms.request_id, "Set");
    request_put_object(&text, 2);
    request_put_name(&text, "operations");
    request_put_list(&text, 2);
    put_set(&text, "plain", "prod/web/SIGNED", change_value_digest(change, 1));
    put_set(&text, "secret", "prod/web/HIDDEN", change_value_digest(change, 2));
    put_name_text(&text, "reason", terms.reason);
    MUST_DO(identity_load(&identity, trial_path(path, folder, "store.identity")));
    finish_signed(store, change, identity, &terms, &text);
    identity_free(identity);

    bytes_reset(&text);
    memset(terms.request_id, 8, REQUEST_ID_SIZE);
    MUST_DO(change_new(&change, store));
    MUST_DO(change_tag(change, "signed", 3));
    request_begin(&text, store_id(store), terms.request_id, "Tag");
    request_put_object(&text, 2);
    put_name_text(&text, "name", "signed");
    put_name_text(&text, "reason", terms.reason);
    MUST_DO(identity_new(&identity));
    finish_signed(store, change, identity, &terms, &text);
    identity_free(identity);
    print(store);
}

/* With a pin, so that it is sealed with each commit. */
static struct store *open_pinned(const char *path)
{
    struct store *store;
    struct identity *identity;
    char pin[TRIAL_PATH_MAX + 8];
    snprintf(pin, sizeof pin, "%s.pin", path);
    const struct store_options options = {.path = path, .lock_fd = -1, .pin_fd = pin_open(pin)};
    MUST_DO(store_open(&store, &options));
    MUST_DO(sample_identity(&identity, path));
    MUST_DO(store_unlock(store, identity));
    return store;
}

int main(int count, char **arguments)
{
    char path[TRIAL_PATH_MAX];
    MUST(count == 2, "format_make FOLDER");
    sample_create(trial_path(path, arguments[1], "store"));
    struct store *store = open_pinned(path);
    set_plainly(store);
    set_for_all(store);
    refer(store);
    look_back(store);
    expire(store);
    declare_keys(store);
    give_rights(store);
    give_keys(store);
    forget(store);
    set_signed(store, arguments[1]);
    store_close(store);
    return 0;
}
