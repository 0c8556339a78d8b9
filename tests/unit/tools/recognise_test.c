/* What looks like a secret, and what only sounds a little like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/emsa/recognise.h"

static void names(void **state)
{
    (void)state;
    static const char *const secret[] = {
        "PASSWORD",
        "DB_PASSWORD",
        "db.password",
        "dbPassword",
        "PASSWORD_FILE",
        "API_KEY",
        "APIKEY",
        "apiKey",
        "STRIPE_TOKEN",
        "AUTH_TOKEN2",
        "CLIENT-SECRET",
        "PRIVATE_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "SECRET",
        "SMTP_PASS",
        "GCP_CREDENTIALS",
        "SESSION_SALT",
        "SENTRY_DSN",
        "MY_APIKEY_OLD",
    };
    static const char *const plain[] = {
        "PORT",         "LOG_LEVEL",       "PASSENGER_COUNT", "TOKENIZER", "SECRETARY",
        "KEY",          "KEYBOARD_LAYOUT", "COMPASS",         "API_URL",   "PUBLIC_KEY_URL",
        "PINBOARD_URL", "BYPASS",          "HOTKEYS",         "SPINNER",   "APIKEYBOARD",
    };
    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
        if (recognise_name(secret[i]) == NULL)
            fail_msg("'%s' is not seen", secret[i]);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (recognise_name(plain[i]) != NULL)
            fail_msg("'%s': %s", plain[i], recognise_name(plain[i]));
}

static void values(void **state)
{
    (void)state;
    static const char *const secret[] = {
        "postgres://user:hunter2@db/app",
        "amqp+ssl://a:b@host",
        "https://user:pass@host/",
        "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\nx",
        "cert\n-----BEGIN EC PRIVATE KEY-----\nx",
        "ghp_0123456789012345678901234567890123456789",
        "AKIA0123456789ABCDEF",
    };
    static const char *const plain[] = {
        "",
        "8080",
        "http://host:8080/path",
        "http://${HOST}:${PORT}",
        "postgres://user:${PASSWORD}@db/app",
        "https://user@host/",
        "https://host/path?a:b@c",
        "-----BEGIN CERTIFICATE-----\nx",
        "-----BEGIN PUBLIC KEY-----\nx",
        "not a url: a:b@c",
        "ghp_short",
    };
    for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
        if (recognise_value((const unsigned char *)secret[i], strlen(secret[i])) == NULL)
            fail_msg("'%s' is not seen", secret[i]);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        if (recognise_value((const unsigned char *)plain[i], strlen(plain[i])) != NULL)
            fail_msg("'%s' is seen", plain[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
