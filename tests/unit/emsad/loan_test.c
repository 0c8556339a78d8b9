/* What a unit asks for, by the address it asks from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/error.h"
#include "tools/emsad/loan.h"

/* The address is what stands behind its first NUL. */
static int parse(struct loan *loan, const char *address, const char *environment)
{
    char whole[512] = "";
    size_t size = strlen(address);
    memcpy(whole + 1, address, size);
    return loan_parse(loan, whole, size + 1, environment);
}

static void says(const char *address, const char *environment, const char *path)
{
    struct loan loan;
    char text[PATH_TEXT_MAX];
    assert_int_equal(parse(&loan, address, environment), 0);
    assert_string_equal(path_text(&loan.path, text), path);
}

static void understood(void **state)
{
    (void)state;
    says("adf9d86b6eda275e/unit/billing@prod.service/DB_URL", "", "prod/billing/DB_URL");
    says("0/unit/billing.service/DB_URL", "prod", "prod/billing/DB_URL");
    says("0/unit/billing@2.service/DB_URL", "prod", "prod/billing/DB_URL");
    says("1f/unit/any.mount/prod@billing@tls.crt", "", "prod/billing/tls.crt");
    says("1f/unit/any.mount/prod@billing@tls.crt", "dev", "prod/billing/tls.crt");
    says("1/unit/a.b@dev.c.service/K", "", "dev.c/a.b/K");
}

static void names(void **state)
{
    (void)state;
    struct loan loan;
    assert_int_equal(parse(&loan, "1/unit/web.service/K", ""), -ERR_INVALID);
    assert_string_equal(loan.unit, "web.service");
    assert_string_equal(loan.id, "K");
    assert_int_equal(parse(&loan, "1/unix/web.service/K", ""), -ERR_INVALID);
    assert_string_equal(loan.unit, "");
}

static void refused(void **state)
{
    (void)state;
    static const char *const addresses[] = {
        "",
        "1",
        "/unit/web@prod.service/K",
        "1/unit/",
        "1/unit//K",
        "1/unit/web@prod.service",
        "1/unit/web@prod.service/",
        "1/unit/web@prod.service/a/b",
        "g/unit/web@prod.service/K",
        "11112222333344445/unit/web@prod.service/K",
        "1/Unit/web@prod.service/K",
        "1/unit/web@prod.service/\033[2J",
        "1/unit/web@all.service/K",
        "1/unit/web@prod/K",
        "1/unit/web.x@prod/K",
        "1/unit/@prod.service/K",
        "1/unit/web@.service/K",
        "1/unit/.service/K",
        "1/unit/web\\x2d@prod.service/K",
        "1/unit/web@prod.service/..",
        "1/unit/web@prod.service/.emsa",
        "1/unit/x.service/prod@web",
        "1/unit/x.service/prod@web@",
        "1/unit/x.service/@@",
        "1/unit/x.service/@web@K",
        "1/unit/x.service/prod@@K",
        "1/unit/x.service/prod@web@K@",
        "1/unit/x.service/all@web@K",
    };
    for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
        struct loan loan;
        if (parse(&loan, addresses[i], "") != -ERR_INVALID)
            fail_msg("'%s' was understood", addresses[i]);
    }
    struct loan loan;
    char full[LOAN_NAME_MAX + 16];
    memset(full, 'a', sizeof full);
    memcpy(full, "\0001/unit/", 8);
    full[40] = '/';
    assert_int_equal(loan_parse(&loan, full, sizeof full, "prod"), -ERR_INVALID);
    assert_int_equal(loan_parse(&loan, NULL, 0, ""), -ERR_INVALID);
    assert_int_equal(loan_parse(&loan, "/tmp/1/unit/web@prod.service/K", 30, ""), -ERR_INVALID);
    assert_int_equal(loan_parse(&loan, "\0001/unit/web@prod.service/K\0x", 28, ""), -ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(understood), cmocka_unit_test(names),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests_name("emsad loan", tests, NULL, NULL);
}
