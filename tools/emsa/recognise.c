#include "tools/emsa/recognise.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* Words of a name that is divided by '_', '-' and '.': API_KEY has API and KEY. A word of two parts
 * is found where both follow each other, together or apart (APIKEY, API_KEY). */
struct name_row {
    const char *first, *second;
    const char *why;
};

static const struct name_row names[] = {
    {"PASSWORD", NULL, "its name has PASSWORD"},
    {"PASSWD", NULL, "its name has PASSWD"},
    {"PASSPHRASE", NULL, "its name has PASSPHRASE"},
    {"PASS", NULL, "its name has PASS"},
    {"PWD", NULL, "its name has PWD"},
    {"PIN", NULL, "its name has PIN"},
    {"SECRET", NULL, "its name has SECRET"},
    {"SECRETS", NULL, "its name has SECRETS"},
    {"TOKEN", NULL, "its name has TOKEN"},
    {"TOKENS", NULL, "its name has TOKENS"},
    {"CREDENTIAL", NULL, "its name has CREDENTIAL"},
    {"CREDENTIALS", NULL, "its name has CREDENTIALS"},
    {"CREDS", NULL, "its name has CREDS"},
    {"SALT", NULL, "its name has SALT"},
    {"DSN", NULL, "its name has DSN"},
    {"API", "KEY", "its name has API_KEY"},
    {"ACCESS", "KEY", "its name has ACCESS_KEY"},
    {"PRIVATE", "KEY", "its name has PRIVATE_KEY"},
    {"PRIVATE", NULL, "its name has PRIVATE"},
    {"SIGNING", "KEY", "its name has SIGNING_KEY"},
    {"ENCRYPTION", "KEY", "its name has ENCRYPTION_KEY"},
    {"AUTH", "KEY", "its name has AUTH_KEY"},
    {"SSH", "KEY", "its name has SSH_KEY"},
    {"MASTER", "KEY", "its name has MASTER_KEY"},
    {"CLIENT", "SECRET", "its name has CLIENT_SECRET"},
    {"CONNECTION", "STRING", "its name has CONNECTION_STRING"},
};

/* Forms of values: a beginning that some issuer gives to all of its secrets, and how long they are
 * at least. */
struct prefix_row {
    const char *prefix;
    size_t least;
    const char *why;
};

static const struct prefix_row prefixes[] = {
    {"ghp_", 36, "its value has the form of a GitHub token"},
    {"gho_", 36, "its value has the form of a GitHub token"},
    {"ghs_", 36, "its value has the form of a GitHub token"},
    {"github_pat_", 40, "its value has the form of a GitHub token"},
    {"glpat-", 20, "its value has the form of a GitLab token"},
    {"xoxb-", 20, "its value has the form of a Slack token"},
    {"xoxp-", 20, "its value has the form of a Slack token"},
    {"sk_live_", 20, "its value has the form of a Stripe key"},
    {"rk_live_", 20, "its value has the form of a Stripe key"},
    {"AKIA", 20, "its value has the form of an AWS access key"},
    {"AIza", 39, "its value has the form of a Google API key"},
    {"npm_", 36, "its value has the form of an npm token"},
    {"eyJhbGciOi", 40, "its value has the form of a JSON web token"},
    {"AGE-SECRET-KEY-", 40, "its value is an age identity"},
    {"emsa1", 64, "its value has the form of an emsa identity"},
};

static bool divides(char c)
{
    return c == '_' || c == '-' || c == '.' || c == '\0';
}

/* The place behind word, where text has it from its beginning on; NULL where it has not. */
static const char *behind(const char *text, const char *word)
{
    size_t length = strlen(word);
    return strncasecmp(text, word, length) == 0 ? text + length : NULL;
}

static bool row_fits(const struct name_row *row, const char *at)
{
    if (toupper((unsigned char)at[0]) != row->first[0])
        return false; /* most end here */
    const char *end = behind(at, row->first);
    if (end == NULL)
        return false;
    if (row->second == NULL)
        return divides(*end) || isdigit((unsigned char)*end);
    if (*end != '\0' && divides(*end))
        end++;
    end = behind(end, row->second);
    return end != NULL && (divides(*end) || isdigit((unsigned char)*end));
}

const char *recognise_name(const char *key)
{
    for (const char *at = key; *at != '\0'; at++) {
        bool begins =
            at == key || divides(at[-1]) ||
            (islower((unsigned char)at[-1]) && isupper((unsigned char)*at)); /* dbPassword */
        if (!begins)
            continue;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (row_fits(&names[i], at))
                return names[i].why;
    }
    return NULL;
}

/* scheme://user:password@host */
static bool is_url_with_password(const unsigned char *value, size_t size)
{
    const unsigned char *at = memchr(value, ':', size);
    if (at != NULL)
        at = memmem(at, size - (size_t)(at - value), "://", 3);
    if (at == NULL || at == value)
        return false;
    for (const unsigned char *scheme = value; scheme < at; scheme++)
        if (!isalnum(*scheme) && strchr("+.-", *scheme) == NULL)
            return false;
    bool has_colon = false;
    const unsigned char *password = NULL;
    for (at += 3; at<value + size && * at> ' ' && *at != '/' && *at != '?' && *at != '#'; at++) {
        if (*at == '@')
            /* a reference (user:${PASSWORD}@host) holds nothing */
            return has_colon && at > password && !(password[0] == '$' && password[1] == '{');
        if (*at == ':' && !has_colon) {
            has_colon = true;
            password = at + 1;
        }
    }
    return false;
}

static bool is_private_key(const unsigned char *value, size_t size)
{
    const unsigned char *begin = size > 11 && memchr(value, ' ', size) != NULL
                                     ? memmem(value, size, "-----BEGIN ", 11)
                                     : NULL;
    if (begin == NULL)
        return false;
    size_t left = size - (size_t)(begin - value);
    return memmem(begin, left < 80 ? left : 80, "PRIVATE KEY", 11) != NULL;
}

const char *recognise_value(const unsigned char *value, size_t size)
{
    if (size == 0)
        return NULL;
    if (is_private_key(value, size))
        return "its value has a private key";
    if (is_url_with_password(value, size))
        return "its value is a URL with a password";
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (value[0] != (unsigned char)prefixes[i].prefix[0])
            continue;
        size_t length = strlen(prefixes[i].prefix);
        if (size >= prefixes[i].least && memcmp(value, prefixes[i].prefix, length) == 0)
            return prefixes[i].why;
    }
    return NULL;
}
