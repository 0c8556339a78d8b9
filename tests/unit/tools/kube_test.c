/* Manifests as an environment: workloads, ConfigMaps and Secrets; what refers to what, and by which
 * order; what is told and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "tests/unit/tools/intake_support.h"

static const struct marks no_marks = {0};

static void take(const char *text)
{
    if (import_kube(text, &no_marks) < 0)
        fail_msg("%s", error_text());
}

static void refuse(const char *text, const char *why)
{
    assert_int_equal(import_kube(text, &no_marks), -ERR_INVALID);
    if (strstr(error_text(), why) == NULL)
        fail_msg("'%s' in '%s'", why, error_text());
}

#define POD(name) "kind: Pod\nmetadata: {name: " name "}\nspec:\n  containers:\n"

static void whole(void **state)
{
    (void)state;
    take("kind: ConfigMap\nmetadata: {name: common}\ndata: {MODE: fast, size.max: \"10\"}\n"
         "---\n"
         "kind: Secret\nmetadata: {name: db}\ndata:\n  PW: |\n    aHVz\n    aA==\nstringData: "
         "{USER: bob}\n"
         "---\n"
         "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n"
         "    spec:\n      containers:\n      - name: main\n        env:\n"
         "        - {name: MODE, valueFrom: {configMapKeyRef: {name: common, key: MODE}}}\n"
         "        - {name: MAX, valueFrom: {configMapKeyRef: {name: common, key: size.max}}}\n"
         "        - {name: PW, valueFrom: {secretKeyRef: {name: db, key: PW}}}\n"
         "        - {name: URL, value: \"pg://$(USR):$(PW)@h\"}\n"
         "        - {name: USR, valueFrom: {secretKeyRef: {name: db, key: USER}}}\n"
         "        - {name: URL2, value: \"pg://$(USR):$(PW)@$$(h)$x\"}\n"
         "        - {name: EMPTY}\n"
         "---\nkind: Service\nmetadata: {name: web}\n---\nkind: Service\n"
         "---\nkind: Deployment\nmetadata: {name: idle}\nspec: {template: {spec: {}}}\n");
    assert_string_equal(sent, "environment demo\n"
                              "service demo/common\n"
                              "service demo/db\n"
                              "service demo/web\n"
                              "service demo/idle\n"
                              "plain demo/common/MODE = fast\n"
                              "plain demo/common/size.max = 10\n"
                              "secret demo/db/PW = hush\n"
                              "secret demo/db/USER = bob\n"
                              "plain demo/web/EMPTY = \n"
                              "template demo/web/URL = pg://$$(USR):${PW}@h\n"
                              "template demo/web/URL2 = pg://${USR}:${PW}@$$(h)$$x\n"
                              "link demo/web/MODE = common/MODE\n"
                              "link demo/web/MAX = common/size.max\n"
                              "link demo/web/PW = db/PW\n"
                              "link demo/web/USR = db/USER\n"
                              "share demo/common/MODE > web\n"
                              "share demo/common/size.max > web\n"
                              "share demo/db/PW > web\n"
                              "share demo/db/USER > web\n");
    assert_note("'$(USR)' names nothing before it, and stays as it is written");
    assert_note("2 objects of kinds in which emsa looks for nothing: Service");
}

static void sources(void **state)
{
    (void)state;
    take("kind: List\nitems:\n"
         "- {kind: ConfigMap, metadata: {name: a}, data: {K: one, L: l, -bad: x, 1st: z}}\n"
         "- {kind: ConfigMap, metadata: {name: b}, data: {K: two}, binaryData: {BIN: AAE=}}\n"
         "- kind: CronJob\n"
         "  metadata: {name: job}\n"
         "  spec: {jobTemplate: {spec: {template: {spec: {containers: [{envFrom: [\n"
         "      {configMapRef: {name: a}}, {prefix: P_, configMapRef: {name: b}},\n"
         "      {configMapRef: {name: b}}, {secretRef: {name: gone}},\n"
         "      {secretRef: {name: may, optional: true}}],\n"
         "      env: [{name: L, value: over}, {name: M, value: $(K)/$(P_K)}]}]}}}}}\n");
    assert_line("link demo/job/K = b/K");
    assert_line("link demo/job/P_K = b/K");
    assert_line("plain demo/job/L = over");
    assert_line("template demo/job/M = ${K}/${P_K}");
    assert_null(strstr(sent, "demo/job/BIN"));
    assert_null(strstr(sent, "demo/job/1st"));
    assert_line("plain demo/a/1st = z");
    assert_line("share demo/b/K > job");
    assert_null(strstr(sent, "share demo/a"));
    assert_note("left out of 'a': ");
    assert_note("left out: 'job/1st' is no name of a variable");
    assert_note("left out: all that 'job' gets from the Secret 'gone', which is not in this file");
    assert_note("'may', which is not in this file (it is optional)");
}

static void cluster_only(void **state)
{
    (void)state;
    take("kind: ConfigMap\nmetadata: {name: c}\ndata: {IP: \"1\"}\n---\n" POD(
        "p") "  - envFrom: [{configMapRef: {name: c}}]\n"
             "    env:\n"
             "    - {name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}\n"
             "    - {name: ADDR, value: \"$(IP):80\"}\n"
             "    - {name: LIMIT, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}\n"
             "    - {name: GONE, valueFrom: {secretKeyRef: {name: nope, key: k}}}\n"
             "    - {name: MAY, valueFrom: {secretKeyRef: {name: nope, key: k, optional: true}}}\n"
             "    - {name: OK, value: x}\n");
    assert_line("plain demo/p/OK = x");
    assert_null(strstr(sent, "demo/p/IP"));
    assert_null(strstr(sent, "demo/p/ADDR"));
    assert_null(strstr(sent, "demo/p/LIMIT"));
    assert_null(strstr(sent, "share"));
    assert_note("left out: 'p/IP' comes from a fieldRef: only the cluster knows it");
    assert_note("left out: 'p/ADDR' is made from a value that only the cluster knows");
    assert_note("left out: 'p/GONE' is 'k' of the Secret 'nope', which is not in this file");
    assert_note("(it is optional)");
}

static void containers(void **state)
{
    (void)state;
    take(
        POD("p") "  - env: [{name: A, value: a}, {name: B, value: b}, {name: R, value: $(A)}]\n"
                 "  - env: [{name: A, value: a}, {name: B, value: other}, {name: C, value: $(B)}]\n"
                 "  initContainers:\n"
                 "  - env: [{name: I, value: i}]\n");
    assert_line("plain demo/p/A = a");
    assert_line("plain demo/p/B = b");
    assert_line("plain demo/p/C = other");
    assert_line("plain demo/p/I = i");
    assert_line("link demo/p/R = p/A");
    assert_null(strstr(notes, "'p/A' differs"));
    assert_note("left out: 'p/B' differs between containers of one pod");
}

static void redefined(void **state)
{
    (void)state;
    take(POD("p") "  - env: [{name: A, value: a}, {name: B, value: $(A)x}, {name: A, value: "
                  "\"$(A)$(A)\"}]\n");
    assert_line("plain demo/p/A = aa");
    assert_line("plain demo/p/B = ax");
}

static void names(void **state)
{
    (void)state;
    take("kind: Secret\nmetadata: {name: web}\ndata: {}\n---\n"
         "kind: ConfigMap\nmetadata: {name: web}\ndata: {K: v}\n---\n" POD(
             "web") "  - envFrom: [{configMapRef: {name: web}}]\n"
                    "---\n" POD("shared") "  - env: []\n");
    assert_line("service demo/web.secret");
    assert_line("plain demo/web.configmap/K = v");
    assert_line("link demo/web/K = web.configmap/K");
    assert_line("share demo/web.configmap/K > web");
    assert_line("service demo/shared.pod");
    assert_note("this configmap is the service 'web.configmap' here");
}

static void secrets(void **state)
{
    (void)state;
    const char *text = "kind: ConfigMap\nmetadata: {name: c}\ndata: {WORD: hush}\n---\n" POD(
        "p") "  - env:\n"
             "    - {name: DB_PASSWORD, valueFrom: {configMapKeyRef: {name: c, key: WORD}}}\n"
             "    - {name: API_KEY, value: abc}\n";
    assert_int_equal(import_kube(text, &no_marks), -ERR_REFUSED);
    assert_non_null(strstr(error_text(), "c/WORD (k.yaml, line 3): 'p/DB_PASSWORD' is all of it"));
    assert_non_null(strstr(error_text(), "p/API_KEY (k.yaml, line 11): "));
    struct marks marks = {.secret = {"WORD"}, .plain = {"API_KEY"}};
    assert_int_equal(import_kube(text, &marks), 0);
    assert_line("secret demo/c/WORD = hush");
    assert_line("plain demo/p/API_KEY = abc");
}

static void refusals(void **state)
{
    (void)state;
    refuse("", "k.yaml, line 1: no workload, ConfigMap or Secret");
    refuse("a: b\n", "k.yaml, line 1: no 'kind:'");
    refuse("kind: Pod\nspec: {}\n", "k.yaml, line 1: a Pod without 'metadata.name'");
    refuse("kind: Deployment\nmetadata: {name: x}\n", "k.yaml, line 1: the Deployment 'x' has no");
    refuse(POD("p") "  - env:\n    - {name: A, value: 1}\n",
           "k.yaml, line 6: the value of 'A' is a number, true or false");
    refuse(POD("p") "  - env:\n    - {name: A, value: yes}\n", "line 6: the value of 'A'");
    refuse(POD("p") "  - env:\n    - {name: A, value: [x]}\n", "line 6: the value of 'A' is no");
    refuse(POD("p") "  - env:\n    - {value: x}\n", "line 6: an entry of 'env' without a name");
    refuse(POD("p") "  - env: x\n", "line 5: 'env' of 'p' is no list");
    refuse(POD("p") "  - env:\n    - {name: A, value: x, valueFrom: {fieldRef: {}}}\n",
           "line 6: 'A' has both");
    refuse(POD("p") "  - envFrom:\n    - {}\n", "line 6: an 'envFrom' that names no");
    refuse("kind: Secret\nmetadata: {name: s}\ndata:\n  A: \"?\"\n", "line 4: the value of 'A' is");
    refuse("kind: ConfigMap\nmetadata: {name: s}\ndata:\n  A: 1\n", "line 4: the value of 'A' is");
    refuse("kind: Pod\nmetadata: {name: a}\nspec: {}\n---\nkind: Job\nmetadata: {name: a}\n"
           "spec: {template: {spec: {}}}\n---\nkind: Job\nmetadata: {name: a}\n"
           "spec: {template: {spec: {}}}\n",
           "k.yaml, line 10: a second job 'a'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),      cmocka_unit_test(sources),   cmocka_unit_test(cluster_only),
        cmocka_unit_test(containers), cmocka_unit_test(redefined), cmocka_unit_test(names),
        cmocka_unit_test(secrets),    cmocka_unit_test(refusals),
    };
    if (secret_setup(64u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
