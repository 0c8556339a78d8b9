/* A check's findings as JUnit XML: counts that agree, one suite a place, texts that XML can bear.
 * That other readers take it is shown by tests/integration/schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/emsa/junit.h"

static void is_xml(json_t *reply, const char *wanted)
{
    struct bytes text = BYTES_INIT(1u << 20);
    assert_non_null(reply);
    junit_write(&text, reply);
    bytes_append(&text, "", 1);
    assert_int_equal(text.error, 0);
    assert_string_equal((const char *)text.data, wanted);
    bytes_release(&text);
    json_decref(reply);
}

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"emsa check\" "
#define REST " errors=\"0\" skipped=\"0\" time=\"0\">\n"

static void nothing(void **state)
{
    (void)state;
    is_xml(json_pack("{s:[], s:[]}", "findings", "services"),
           HEAD "tests=\"0\" failures=\"0\"" REST "</testsuites>\n");
    is_xml(json_pack("{s:[], s:[{s:s}]}", "findings", "services", "path", "prod/web"),
           HEAD "tests=\"1\" failures=\"0\"" REST
                "  <testsuite name=\"prod/web\" tests=\"1\" failures=\"0\"" REST
                "    <testcase classname=\"prod.web\" name=\"everything else\" time=\"0\"/>\n"
                "  </testsuite>\n</testsuites>\n");
}

static json_t *finding(const char *path, const char *severity, const char *text)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "path", path, "severity", severity, "verdict", "wrong",
                     "text", text);
}

static void findings(void **state)
{
    (void)state;
    json_t *list = json_array();
    json_array_append_new(list, finding("prod/web", "error", "is not there"));
    json_array_append_new(list, finding("prod/web/A", "error", "<&>\"\x01\n\xc3\xa4"));
    json_array_append_new(list, finding("prod/web/B", "warning", "ends in a newline"));
    json_array_append_new(list, finding("prod/web-x/C", "error", "x"));
    is_xml(
        json_pack("{s:o, s:[{s:s}, {s:s}]}", "findings", list, "services", "path", "prod/api",
                  "path", "prod/web"),
        HEAD
        "tests=\"6\" failures=\"3\"" REST
        "  <testsuite name=\"prod/api\" tests=\"1\" failures=\"0\"" REST
        "    <testcase classname=\"prod.api\" name=\"everything else\" time=\"0\"/>\n"
        "  </testsuite>\n"
        "  <testsuite name=\"prod/web\" tests=\"3\" failures=\"2\"" REST
        "    <testcase classname=\"prod.web\" name=\"wrong\" time=\"0\">\n"
        "      <failure type=\"wrong\" message=\"is not there\">prod/web is not there</failure>\n"
        "    </testcase>\n"
        "    <testcase classname=\"prod.web\" name=\"A\" time=\"0\">\n"
        "      <failure type=\"wrong\" message=\"&lt;&amp;&gt;&quot;?&#10;\xc3\xa4\">prod/web/A "
        "&lt;&amp;&gt;&quot;?&#10;\xc3\xa4</failure>\n"
        "    </testcase>\n"
        "    <testcase classname=\"prod.web\" name=\"everything else\" time=\"0\">\n"
        "      <system-out>warning: prod/web/B ends in a newline\n</system-out>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "  <testsuite name=\"prod/web-x\" tests=\"2\" failures=\"1\"" REST
        "    <testcase classname=\"prod.web-x\" name=\"C\" time=\"0\">\n"
        "      <failure type=\"wrong\" message=\"x\">prod/web-x/C x</failure>\n"
        "    </testcase>\n"
        "    <testcase classname=\"prod.web-x\" name=\"everything else\" time=\"0\"/>\n"
        "  </testsuite>\n</testsuites>\n");
}

/* Of no place: a release of what is nowhere. */
static void nowhere(void **state)
{
    (void)state;
    json_t *list = json_array();
    json_array_append_new(list, finding("", "error", "no environment has it"));
    is_xml(json_pack("{s:o, s:[]}", "findings", list, "services"), HEAD
           "tests=\"2\" failures=\"1\"" REST
           "  <testsuite name=\"emsa\" tests=\"2\" failures=\"1\"" REST
           "    <testcase classname=\"emsa\" name=\"wrong\" time=\"0\">\n"
           "      <failure type=\"wrong\" message=\"no environment has it\"> no environment has "
           "it</failure>\n"
           "    </testcase>\n"
           "    <testcase classname=\"emsa\" name=\"everything else\" time=\"0\"/>\n"
           "  </testsuite>\n</testsuites>\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing),
        cmocka_unit_test(findings),
        cmocka_unit_test(nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
