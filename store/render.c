/*
 * What readers of variables agree on, from their own descriptions and by trying (tests/integration/
 * hidden/dialects): a value of harmless letters bare; between single quotes every byte is itself,
 * but for a quote, a carriage return (files of both line ends are one to some), a backslash at the
 * end or before another (which some take as escaped) and `${` (which python's dotenv expands even
 * there); between double quotes the same, and no dollar, backslash, double quote or backtick at
 * all. What is in neither, a quote beside a dollar, say, has no line that all of them read alike.
 */
#include "store/render.h"

#include <string.h>

#include "store/encode.h"
#include "store/error.h"

#define LEAST 4096u  /* the first room for a text */
#define PIECE 510u   /* encoded at a time; a multiple of 3 */
#define SIX_TIMES 6u /* the most that JSON makes of a byte */

struct render render_whole(struct secret *out)
{
    return (struct render){.out = out, .size = (size_t)-1};
}

struct render render_window(struct secret *out, size_t from, size_t size)
{
    return (struct render){.out = out, .from = from, .size = size};
}

static int make_room(struct secret *out, size_t size)
{
    if (out->capacity - out->size >= size)
        return 0;
    size_t wanted = out->size + size, capacity = out->capacity + out->capacity / 2;
    if (capacity < LEAST)
        capacity = LEAST;
    if (capacity < wanted)
        capacity = wanted;
    return out->data == NULL ? secret_alloc(out, capacity) : secret_grow(out, capacity);
}

void render_bytes(struct render *render, const void *data, size_t size)
{
    size_t begin = render->total, end = begin + size;
    render->total = end;
    if (size == 0 || render->error || !render->out || end <= render->from)
        return;
    size_t skip = begin < render->from ? render->from - begin : 0;
    size_t place = begin + skip - render->from; /* in the window */
    if (place >= render->size)
        return;
    size_t kept = size - skip;
    if (kept > render->size - place)
        kept = render->size - place;
    render->error = make_room(render->out, kept);
    if (render->error)
        return;
    memcpy(render->out->data + render->out->size, (const unsigned char *)data + skip, kept);
    render->out->size += kept;
}

void render_text(struct render *render, const char *text)
{
    render_bytes(render, text, strlen(text));
}

/* Not isalnum: the locale must not decide. */
static bool is_letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

bool is_variable_name(const char *key)
{
    if (!is_letter((unsigned char)key[0]))
        return false;
    for (; *key != '\0'; key++)
        if (!is_letter((unsigned char)*key) && !is_digit((unsigned char)*key))
            return false;
    return true;
}

bool is_utf8(const unsigned char *data, size_t size)
{
    bool good = true;
    for (size_t i = 0; good && i < size;)
        i += utf8_next(data + i, size - i, &good);
    return good;
}

const char *render_gap_text(enum render_gap gap)
{
    static const char *const texts[] = {
        [RENDER_NO_GAP] = "",
        [RENDER_NO_NAME] = "its name is no variable's",
        [RENDER_OWN_NAME] = "its name is one that a shell keeps for itself",
        [RENDER_NUL] = "its value holds a NUL byte",
        [RENDER_NO_UTF8] = "its value is no UTF-8",
        [RENDER_NO_QUOTING] = "no quoting of its value is read alike by all",
    };
    return texts[gap];
}

static bool has(const unsigned char *value, size_t size, int byte)
{
    return size > 0 && memchr(value, byte, size) != NULL;
}

static bool has_any(const unsigned char *value, size_t size, const char *bytes)
{
    for (; *bytes != '\0'; bytes++)
        if (has(value, size, *bytes))
            return true;
    return false;
}

static bool is_bare(const unsigned char *value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!is_letter(value[i]) && !is_digit(value[i]) &&
            (value[i] == '\0' || strchr("./:@%+,=-", value[i]) == NULL))
            return false;
    return true;
}

static bool is_single(const unsigned char *value, size_t size)
{
    if (has_any(value, size, "'\r"))
        return false;
    for (size_t i = 0; i < size; i++)
        if (value[i] == '\\' && (i + 1 == size || value[i + 1] == '\\'))
            return false;
    return true;
}

static bool is_expanded(const unsigned char *value, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++)
        if (value[i] == '$' && value[i + 1] == '{')
            return true;
    return false;
}

static void quote(struct render *render, const char *mark, const unsigned char *value, size_t size)
{
    render_text(render, mark);
    render_bytes(render, value, size);
    render_text(render, mark);
}

/* Bytes that stand for themselves go in runs. */
static void escape(struct render *render, const unsigned char *value, size_t size)
{
    size_t run = 0;
    render_text(render, "\"");
    for (size_t i = 0; i < size; i++) {
        const char *instead = value[i] == '\n'   ? "\\n"
                              : value[i] == '\r' ? "\\r"
                              : value[i] == '\\' ? "\\\\"
                              : value[i] == '"'  ? "\\\""
                              : value[i] == '$'  ? "\\$"
                                                 : NULL;
        if (!instead)
            continue;
        if (i > run)
            render_bytes(render, value + run, i - run);
        render_text(render, instead);
        run = i + 1;
    }
    if (size > run)
        render_bytes(render, value + run, size - run);
    render_text(render, "\"");
}

static void begin_line(struct render *render, const char *word, const char *key)
{
    render_text(render, word);
    render_text(render, key);
    render_text(render, "=");
}

enum render_gap render_dotenv(struct render *render, const char *key, const unsigned char *value,
                              size_t size)
{
    if (has(value, size, '\0'))
        return RENDER_NUL;
    begin_line(render, "", key);
    if (is_bare(value, size))
        render_bytes(render, value, size);
    else if (is_single(value, size))
        quote(render, "'", value, size);
    else
        escape(render, value, size);
    render_text(render, "\n");
    return RENDER_NO_GAP;
}

enum render_gap render_shell(struct render *render, const char *key, const unsigned char *value,
                             size_t size)
{
    if (!is_variable_name(key))
        return RENDER_NO_NAME;
    if (has(value, size, '\0'))
        return RENDER_NUL;
    size_t run = 0;
    begin_line(render, "export ", key);
    render_text(render, "'");
    for (size_t i = 0; i < size; i++) {
        if (value[i] != '\'')
            continue;
        if (i > run)
            render_bytes(render, value + run, i - run);
        render_text(render, "'\\''");
        run = i + 1;
    }
    if (size > run)
        render_bytes(render, value + run, size - run);
    render_text(render, "'\n");
    return RENDER_NO_GAP;
}

/* What bash or dash does not take from a file as it stands there: read-only ones (bash reads no
 * further), those that it counts up or makes up, and OPTIND. Found by trying all that it knows. */
static bool is_of_a_shell(const char *key)
{
    static const char *const names[] = {
        "BASHOPTS",      "BASHPID",
        "BASH_ALIASES",  "BASH_ARGC",
        "BASH_ARGV",     "BASH_ARGV0",
        "BASH_CMDS",     "BASH_LINENO",
        "BASH_SOURCE",   "BASH_SUBSHELL",
        "BASH_VERSINFO", "DIRSTACK",
        "EPOCHREALTIME", "COMP_WORDBREAKS",
        "EPOCHSECONDS",  "EUID",
        "FUNCNAME",      "GROUPS",
        "HISTCMD",       "LINENO",
        "OPTIND",        "PIPESTATUS",
        "PPID",          "RANDOM",
        "SECONDS",       "SHELLOPTS",
        "SHLVL",         "SRANDOM",
        "UID",           "_",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], key) == 0)
            return true;
    return false;
}

/* The mark to quote with; "" for none, NULL where there is none that all take alike. */
static const char *common_mark(const unsigned char *value, size_t size)
{
    if (is_bare(value, size))
        return "";
    if (is_expanded(value, size))
        return NULL;
    if (is_single(value, size))
        return "'";
    return has_any(value, size, "\"\\$`\r") ? NULL : "\"";
}

static enum render_gap gap_of(const char *key, const unsigned char *value, size_t size)
{
    if (!is_variable_name(key))
        return RENDER_NO_NAME;
    if (is_of_a_shell(key))
        return RENDER_OWN_NAME;
    if (has(value, size, '\0'))
        return RENDER_NUL;
    if (!is_utf8(value, size))
        return RENDER_NO_UTF8;
    return common_mark(value, size) ? RENDER_NO_GAP : RENDER_NO_QUOTING;
}

enum render_gap render_env(struct render *render, const char *key, const unsigned char *value,
                           size_t size)
{
    const enum render_gap gap = gap_of(key, value, size);
    if (gap) {
        render_text(render, "# left out: ");
        render_text(render, key);
        render_text(render, " (");
        render_text(render, render_gap_text(gap));
        render_text(render, ")\n");
        return gap;
    }
    begin_line(render, "", key);
    quote(render, common_mark(value, size), value, size);
    render_text(render, "\n");
    return RENDER_NO_GAP;
}

/* The longest beginning of at most PIECE bytes that ends with a whole character. */
static size_t piece_of(const unsigned char *value, size_t size)
{
    if (size <= PIECE)
        return size;
    size_t end = PIECE;
    while (end > 0 && (value[end] & 0xc0) == 0x80)
        end--;
    return end;
}

/* What a filter makes of it, without the marks around it. */
static void render_encoded(struct render *render, enum template_filter filter,
                           const unsigned char *value, size_t size)
{
    unsigned char room[SIX_TIMES * PIECE + 2];
    const size_t around = filter == TEMPLATE_JSON ? 1 : 0;
    for (size_t at = 0; at < size;) {
        const size_t piece = filter == TEMPLATE_JSON ? piece_of(value + at, size - at)
                             : size - at < PIECE     ? size - at
                                                     : PIECE;
        const size_t made = encode_size(filter, value + at, piece);
        encode(filter, room, value + at, piece);
        render_bytes(render, room + around, made - 2 * around);
        at += piece;
    }
    explicit_bzero(room, sizeof room);
}

void render_json(struct render *render, const unsigned char *value, size_t size)
{
    const bool is_text = is_utf8(value, size);
    render_text(render, is_text ? "\"" : "{\"base64\": \"");
    render_encoded(render, is_text ? TEMPLATE_JSON : TEMPLATE_BASE64, value, size);
    render_text(render, is_text ? "\"" : "\"}");
}

void render_member(struct render *render, const char *key, const unsigned char *value, size_t size,
                   bool first)
{
    render_text(render, first ? "{\n  \"" : ",\n  \"");
    render_text(render, key);
    render_text(render, "\": ");
    render_json(render, value, size);
}

void render_object_end(struct render *render, bool empty)
{
    render_text(render, empty ? "{}\n" : "\n}\n");
}
