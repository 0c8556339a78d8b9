/* A request's text, read: what is asked for, one thing after the other. */
#include <stdlib.h>
#include <string.h>

#include "store/codec.h"
#include "store/error.h"
#include "store/grant.h"
#include "store/limits.h"
#include "store/log/follow_internal.h"
#include "store/log/request_tree.h"
#include "store/request.h"

#define METHOD_MAX 64
#define BIT(kind) (UINT64_C(1) << (kind))
#define SETS                                                                                       \
    (BIT(OPERATION_SET_PLAIN) | BIT(OPERATION_SET_SECRET) | BIT(OPERATION_SET_LINK) |              \
     BIT(OPERATION_SET_TEMPLATE))
#define PLACED BIT(OPERATION_SERVICE_ADD)
#define DESTROYS (BIT(OPERATION_PURGE) | BIT(OPERATION_COMPACT))
#define SERVICE_GOES                                                                               \
    (BIT(OPERATION_REMOVE) | BIT(OPERATION_UNSHARE) | BIT(OPERATION_SERVICE_REMOVE) |              \
     BIT(OPERATION_SCHEMA_REMOVE))

struct method {
    const char *name;
    const char *places; /* the parameter that names them; NULL: operations */
    uint64_t kinds;
    const char *other; /* another place, and what may be done there */
    uint64_t other_kinds;
    const char *from; /* the parameter that names what is copied; NULL: what was at the place */
    const char *rev;  /* the parameter that names a revision, or a tag, which is not looked up */
    bool copies;
    bool sets_ends;   /* what ends is set anew, for as long as was left */
    bool takes_base;  /* what an environment shows of its base is copied from there */
    bool copies_base; /* what is made stands on what that of `from` stands on */
};

static const struct method methods[] = {
    {.name = "Set"},
    {.name = "EnvironmentAdd", .places = "names", .kinds = BIT(OPERATION_ENVIRONMENT_ADD)},
    {.name = "EnvironmentRemove",
     .places = "names",
     .kinds = SERVICE_GOES | BIT(OPERATION_ENVIRONMENT_REMOVE)},
    {.name = "EnvironmentCopy",
     .places = "to",
     .kinds = (SETS & ~BIT(OPERATION_SET_SECRET)) | PLACED | BIT(OPERATION_SHARE) |
              BIT(OPERATION_ENVIRONMENT_ADD),
     .from = "from",
     .copies = true,
     .copies_base = true,
     .sets_ends = true},
    {.name = "ServiceAdd", .places = "paths", .kinds = BIT(OPERATION_SERVICE_ADD)},
    {.name = "ServiceRemove", .places = "paths", .kinds = SERVICE_GOES},
    {.name = "Remove", .places = "paths", .kinds = BIT(OPERATION_REMOVE)},
    {.name = "Copy", .places = "to", .kinds = SETS | PLACED, .from = "from", .copies = true},
    {.name = "Move",
     .places = "to",
     .kinds = SETS | PLACED | BIT(OPERATION_SHARE) | BIT(OPERATION_SCHEMA_SET),
     .other = "from",
     .other_kinds = SERVICE_GOES,
     .from = "from",
     .copies = true},
    {.name = "Promote",
     .places = "to",
     .kinds = SETS | PLACED,
     .from = "from",
     .copies = true,
     .takes_base = true},
    {.name = "Rollback",
     .places = "path",
     .kinds = SETS | PLACED | SERVICE_GOES,
     .rev = "to",
     .copies = true},
    {.name = "Tag", .places = "name", .kinds = BIT(OPERATION_TAG), .rev = "rev"},
    {.name = "Untag", .places = "name", .kinds = BIT(OPERATION_UNTAG)},
    {.name = "Purge", .places = "path", .kinds = BIT(OPERATION_PURGE)},
    {.name = "Compact", .places = "path", .kinds = BIT(OPERATION_COMPACT)},
};

static const struct {
    const char *word;
    uint64_t kinds, kinds_from;
    bool copies;
    bool takes_all; /* rights, where none is named */
} asked_kinds[] = {
    {"plain", BIT(OPERATION_SET_PLAIN), 0},
    {"secret", BIT(OPERATION_SET_SECRET), 0},
    {"sealed", BIT(OPERATION_SET_SECRET), 0},
    {"template", BIT(OPERATION_SET_TEMPLATE), 0},
    {"link", BIT(OPERATION_SET_LINK), 0},
    {"remove", BIT(OPERATION_REMOVE), 0},
    {"copy", SETS, 0, .copies = true},
    {"move", SETS, BIT(OPERATION_REMOVE), .copies = true},
    {"service", BIT(OPERATION_SERVICE_ADD), 0},
    {"environment", BIT(OPERATION_ENVIRONMENT_ADD), 0},
    {"share", BIT(OPERATION_SHARE), 0},
    {"unshare", BIT(OPERATION_UNSHARE), 0},
    {"lock", BIT(OPERATION_LOCK), 0},
    {"unlock", BIT(OPERATION_UNLOCK), 0},
    {"schema", BIT(OPERATION_SCHEMA_SET), 0},
    {"unschema", BIT(OPERATION_SCHEMA_REMOVE), 0},
    {"grant", BIT(OPERATION_RIGHTS_GRANT), 0},
    {"revoke", BIT(OPERATION_RIGHTS_REVOKE), 0, .takes_all = true},
    {"rotate", 0, 0}, /* keys alone */
};

static const struct method *find_method(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strlen(methods[i].name) == size && memcmp(methods[i].name, name, size) == 0)
            return &methods[i];
    return NULL;
}

bool request_is_signable(const char *method)
{
    return find_method(method, strlen(method)) != NULL;
}

bool follow_is_ordered(const struct method *method)
{
    return !method->places;
}

bool follow_takes_base(const struct method *method)
{
    return method->takes_base;
}

bool follow_copies_base(const struct method *method)
{
    return method->copies_base;
}

uint64_t follow_copied_at(const struct follow *follow, uint64_t rev)
{
    const struct method *method = follow->method;
    return method->copies && method->rev ? follow->to_rev : rev - 1;
}

bool follow_copies(const struct follow *follow)
{
    return follow->method->copies;
}

/* --- trees --- */

static void pass_tree(struct decoder *in, int depth)
{
    size_t size;
    const unsigned type = take_u8(in);
    const bool has_names = type == TREE_OBJECT;
    switch (type) {
    case TREE_FALSE:
    case TREE_TRUE:
        return;
    case TREE_NUMBER:
        take_u64(in);
        return;
    case TREE_TEXT:
        take_long(in, &size, UINT32_MAX);
        return;
    case TREE_DIGEST:
        take_bytes(in, HASH_SIZE);
        return;
    case TREE_LIST:
    case TREE_OBJECT:
        for (uint32_t count = take_u32(in); count && !in->failed; count--) {
            if (has_names)
                take_short(in, &size, UINT8_MAX);
            if (depth == TREE_DEPTH_MAX)
                in->failed = true;
            else
                pass_tree(in, depth + 1);
        }
        return;
    default:
        in->failed = true;
    }
}

/* The members of an object, for which a reader is called with the decoder at each one's tree: it
 * takes all of it, or none. */
typedef int (*take_member)(void *arg, struct decoder *in, struct slice name);

static bool ascends(struct slice before, struct slice name)
{
    const size_t size = before.size < name.size ? before.size : name.size;
    const int order = size ? memcmp(before.data, name.data, size) : 0;
    return order < 0 || (order == 0 && before.size < name.size);
}

static int take_object(struct decoder *in, int depth, take_member take, void *arg)
{
    struct slice before = {0};
    int error = 0;
    if (take_u8(in) != TREE_OBJECT)
        in->failed = true;
    for (uint32_t left = in->failed ? 0 : take_u32(in); left && !in->failed && !error; left--) {
        struct slice name;
        name.data = take_short(in, &name.size, UINT8_MAX);
        if (in->failed || (before.data && !ascends(before, name))) {
            in->failed = true;
            break;
        }
        before = name;
        const struct decoder at = *in;
        error = take(arg, in, name);
        if (!error && in->data == at.data)
            pass_tree(in, depth + 1);
    }
    return error;
}

static bool is_name(struct slice name, const char *wanted)
{
    return name.size == strlen(wanted) && memcmp(name.data, wanted, name.size) == 0;
}

static bool take_type(struct decoder *in, enum tree type)
{
    if (take_u8(in) != (unsigned)type)
        in->failed = true;
    return !in->failed;
}

static struct slice take_tree_text(struct decoder *in)
{
    struct slice text = {0};
    if (take_type(in, TREE_TEXT))
        text.data = take_long(in, &text.size, UINT32_MAX);
    return text;
}

static bool take_tree_bool(struct decoder *in)
{
    const unsigned type = take_u8(in);
    if (type != TREE_TRUE && type != TREE_FALSE)
        in->failed = true;
    return type == TREE_TRUE;
}

/* Of what is a number of something; else 0. */
static uint64_t take_tree_number(struct decoder *in)
{
    const int64_t number = take_type(in, TREE_NUMBER) ? take_i64(in) : 0;
    return number > 0 ? (uint64_t)number : 0;
}

/* --- what is asked for --- */

static struct asked *add_asked(struct follow *follow)
{
    if (follow->count == follow->capacity) {
        const size_t capacity = follow->capacity ? follow->capacity * 2 : 16;
        struct asked *asked = realloc(follow->asked, capacity * sizeof *asked);
        if (!asked) {
            error_set(ERR_NOMEM, "no memory for what was signed");
            return NULL;
        }
        follow->asked = asked;
        follow->capacity = capacity;
    }
    follow->asked[follow->count] = (struct asked){0};
    return &follow->asked[follow->count++];
}

/* One operation of a Set, as far as it is read. */
struct told {
    struct asked asked;
    struct slice kind;
    bool reencrypts;
    struct decoder keys, values; /* at their lists; data NULL: there are none */
};

static void take_rights(struct told *told, struct decoder *in)
{
    static const struct {
        const char *word;
        unsigned right;
    } words[] = {{"list", GRANT_LIST},   {"read", GRANT_READ},   {"set", GRANT_SET},
                 {"share", GRANT_SHARE}, {"audit", GRANT_AUDIT}, {"admin", GRANT_ADMIN}};
    if (!take_type(in, TREE_LIST))
        return;
    for (uint32_t left = take_u32(in); left && !in->failed; left--) {
        const struct slice word = take_tree_text(in);
        size_t i = 0;
        while (i < sizeof words / sizeof words[0] && !is_name(word, words[i].word))
            i++;
        if (i < sizeof words / sizeof words[0])
            told->asked.rights |= words[i].right;
        else
            in->failed = true;
    }
}

static void take_value(struct told *told, struct decoder *in)
{
    if (take_type(in, TREE_DIGEST))
        told->asked.digest = take_bytes(in, HASH_SIZE);
}

static int take_told(void *arg, struct decoder *in, struct slice name)
{
    struct told *told = arg;
    if (is_name(name, "kind"))
        told->kind = take_tree_text(in);
    else if (is_name(name, "path"))
        told->asked.path = take_tree_text(in);
    else if (is_name(name, "from"))
        told->asked.from = take_tree_text(in);
    else if (is_name(name, "with") || is_name(name, "who"))
        told->asked.with = take_tree_text(in);
    else if (is_name(name, "key"))
        told->asked.key = take_tree_text(in);
    else if (is_name(name, "rights"))
        take_rights(told, in);
    else if (is_name(name, "ttl"))
        told->asked.ttl = take_tree_number(in);
    else if (is_name(name, "base"))
        told->asked.base = take_tree_text(in);
    else if (is_name(name, "protected"))
        told->asked.is_protected = take_tree_bool(in);
    else if (is_name(name, "signed"))
        told->asked.is_signed = take_tree_bool(in);
    else if (is_name(name, "reencrypt"))
        told->reencrypts = take_tree_bool(in);
    else if (is_name(name, "value") || is_name(name, "schema"))
        take_value(told, in);
    else if (is_name(name, "keys"))
        told->keys = *in;
    else if (is_name(name, "values"))
        told->values = *in;
    return 0;
}

static const struct path *keep_service(struct follow *follow, struct slice text)
{
    struct path path;
    if (path_parse(&path, (const char *)text.data, text.size) < 0)
        return NULL;
    follow->services[follow->service_count] = path;
    return &follow->services[follow->service_count++];
}

static int add_keys(struct follow *follow, struct told *told)
{
    const struct path *service = keep_service(follow, told->asked.path);
    if (!service || !told->values.data || !take_type(&told->keys, TREE_LIST) ||
        !take_type(&told->values, TREE_LIST))
        return error_set(ERR_CORRUPT, "a request has keys without values");
    uint32_t left = take_u32(&told->keys);
    if (left != take_u32(&told->values))
        return error_set(ERR_CORRUPT, "a request has keys without values");
    for (; left && !told->keys.failed && !told->values.failed; left--) {
        struct asked *asked = add_asked(follow);
        if (!asked)
            return -ERR_NOMEM;
        told->asked.path = take_tree_text(&told->keys);
        take_value(told, &told->values);
        *asked = told->asked;
        asked->service = service;
    }
    return told->keys.failed || told->values.failed
               ? error_set(ERR_CORRUPT, "a request is cut short")
               : 0;
}

static int add_told(struct follow *follow, struct told *told)
{
    for (size_t i = 0; i < sizeof asked_kinds / sizeof asked_kinds[0]; i++) {
        if (!is_name(told->kind, asked_kinds[i].word))
            continue;
        told->asked.kinds = asked_kinds[i].kinds;
        told->asked.kinds_from = asked_kinds[i].kinds_from;
        told->asked.copies = asked_kinds[i].copies;
        if (!told->asked.rights && asked_kinds[i].takes_all)
            told->asked.rights = GRANT_ALL;
        if (told->keys.data)
            return add_keys(follow, told);
        if (told->reencrypts && is_name(told->kind, "rotate")) {
            told->asked.kinds = BIT(OPERATION_SET_SECRET);
            told->asked.copies = told->asked.is_whole = told->asked.reencrypts = true;
        }
        struct asked *asked = add_asked(follow);
        if (asked)
            *asked = told->asked;
        return asked ? 0 : -ERR_NOMEM;
    }
    return error_set(ERR_FORMAT, "a request asks for something that is not known to this version");
}

static int take_operations(struct follow *follow, struct decoder *in)
{
    int error = 0;
    uint32_t left = take_type(in, TREE_LIST) ? take_u32(in) : 0;
    /* The places of many keys are borrowed, so there is room for all at once. */
    if (left > COMMIT_OPERATIONS_MAX)
        return error_set(ERR_CORRUPT, "a request asks for too much");
    follow->services = calloc((size_t)left + 1, sizeof *follow->services);
    if (!follow->services)
        return error_set(ERR_NOMEM, "no memory for what was signed");
    for (; left && !in->failed && !error; left--) {
        struct told told = {.asked = {.rights = 0}};
        error = take_object(in, 2, take_told, &told);
        if (!error && !in->failed)
            error = add_told(follow, &told);
    }
    return error;
}

/* One place, or a list of them. */
static int take_places(struct follow *follow, struct decoder *in, uint64_t kinds)
{
    uint32_t left = 1;
    if (in->left && in->data[0] == TREE_LIST) {
        take_u8(in);
        left = take_u32(in);
    }
    for (; left && !in->failed; left--) {
        struct asked *asked = add_asked(follow);
        if (!asked)
            return -ERR_NOMEM;
        asked->path = take_tree_text(in);
        asked->kinds = kinds;
        asked->copies = follow->method->copies;
        asked->sets_ends = follow->method->sets_ends;
        asked->is_whole = true;
    }
    return 0;
}

/* A number in digits; of what is no number 0. */
static uint64_t rev_of(struct slice text)
{
    uint64_t rev = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || rev > UINT64_MAX / 10 - 1)
            return 0;
        rev = rev * 10 + (uint64_t)(text.data[i] - '0');
    }
    return rev;
}

static void take_from(struct follow *follow, struct decoder in)
{
    const struct slice text = take_tree_text(&in);
    if (!in.failed && path_parse(&follow->from, (const char *)text.data, text.size) < 0)
        error_clear(); /* then nothing comes of there */
}

static void take_rev(struct follow *follow, struct slice text)
{
    follow->to_rev = rev_of(text);
    if (!follow->to_rev)
        follow->to_tag = text;
}

/* What a request of this method says of all that it makes. */
static void take_terms(struct follow *follow, struct decoder in, struct slice name)
{
    const struct method *method = follow->method;
    if (is_name(name, "base"))
        follow->base = take_tree_text(&in);
    else if (is_name(name, "ttl"))
        follow->ttl = take_tree_number(&in);
    else if (method->from && is_name(name, method->from))
        take_from(follow, in);
    else if (method->rev && is_name(name, method->rev))
        take_rev(follow, take_tree_text(&in));
}

static int take_parameter(void *arg, struct decoder *in, struct slice name)
{
    struct follow *follow = arg;
    const struct method *method = follow->method;
    take_terms(follow, *in, name);
    if (is_name(name, "reason")) {
        const struct slice reason = take_tree_text(in);
        follow->reason = (const char *)reason.data;
        follow->reason_size = reason.size;
    } else if (is_name(name, "dry_run")) {
        follow->is_dry_run = take_tree_bool(in);
    } else if (is_name(name, "allow_equal")) {
        follow->is_allowed_equal = take_tree_bool(in);
    } else if (is_name(name, "protected")) {
        follow->is_protected = take_tree_bool(in);
    } else if (is_name(name, "signed")) {
        follow->is_signed = take_tree_bool(in);
    } else if (is_name(name, "override")) {
        struct decoder list = *in;
        follow->is_override = take_type(&list, TREE_LIST) && take_u32(&list) > 0;
    } else if ((method->kinds & DESTROYS) && is_name(name, "rev")) {
        follow->rev = take_tree_number(in);
    } else if (!method->places && is_name(name, "operations")) {
        return take_operations(follow, in);
    } else if (method->places && is_name(name, method->places)) {
        return take_places(follow, in, method->kinds);
    } else if (method->other && is_name(name, method->other)) {
        return take_places(follow, in, method->other_kinds);
    }
    return 0;
}

static int read_text(struct follow *follow)
{
    struct decoder in = DECODER(follow->text.data, follow->text.size);
    size_t size;
    if (take_u32(&in) != REQUEST_FORMAT && !in.failed)
        return error_set(ERR_FORMAT, "a request of a format that is not known to this version");
    take_copy(&in, follow->store_id, STORE_ID_SIZE);
    take_copy(&in, follow->request_id, REQUEST_ID_SIZE);
    const char *name = (const char *)take_short(&in, &size, METHOD_MAX);
    follow->method = in.failed ? NULL : find_method(name, size);
    if (!follow->method)
        return in.failed ? error_set(ERR_CORRUPT, "a request is cut short")
                         : error_set(ERR_FORMAT, "a request '%.*s' is not known to this version",
                                     (int)size, name);
    const int error = take_object(&in, 0, take_parameter, follow);
    return error ? error : decoder_end(&in, "request");
}

int follow_begin(struct follow *out, struct slice text)
{
    *out = (struct follow){.text = BYTES_INIT(REQUEST_TEXT_MAX)};
    bytes_append(&out->text, text.data, text.size);
    const int error = out->text.error ? out->text.error : read_text(out);
    if (error)
        follow_release(out);
    return error;
}
