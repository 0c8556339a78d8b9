/* A compose file as an environment: which keys each service gets, as links, templates and values;
 * where variables are defined; what is secret and shared; what is told and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/tools/intake_support.h"

static const struct marks no_marks = {0};
static char folder[] = "/tmp/emsa-compose-test.XXXXXX";

static void take(const char *text, const char *dotenv)
{
    if (import_compose("c.yaml", text, dotenv, &no_marks) < 0)
        fail_msg("%s", error_text());
}

static void refuse(const char *text, const char *dotenv, const char *why)
{
    assert_int_equal(import_compose("c.yaml", text, dotenv, &no_marks), -ERR_INVALID);
    if (strstr(error_text(), why) == NULL)
        fail_msg("'%s' in '%s'", why, error_text());
}

static void write_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void whole(void **state)
{
    (void)state;
    take("services:\n"
         "  web:\n"
         "    image: nginx:${TAG}\n"
         "    environment:\n"
         "      - HOST\n"
         "      - URL=http://${HOST}:${PORT}/\n"
         "      - NAME=web\n"
         "      - NOT_THERE\n"
         "  idle:\n"
         "    image: x\n",
         "TAG=1.2\nHOST=h\nPORT=80\nADDR=${HOST}:${PORT}\nUNUSED=$TAG-x\n");
    assert_string_equal(sent, "environment demo\n"
                              "service demo/shared\n"
                              "service demo/compose\n"
                              "service demo/web\n"
                              "service demo/idle\n"
                              "plain demo/compose/TAG = 1.2\n"
                              "plain demo/shared/HOST = h\n"
                              "plain demo/shared/PORT = 80\n"
                              "plain demo/web/NAME = web\n"
                              "template demo/compose/ADDR = ${shared/HOST}:${shared/PORT}\n"
                              "template demo/compose/UNUSED = ${TAG}-x\n"
                              "template demo/web/URL = http://${shared/HOST}:${shared/PORT}/\n"
                              "link demo/web/HOST = shared/HOST\n"
                              "link demo/compose/HOST = shared/HOST\n"
                              "link demo/compose/PORT = shared/PORT\n");
    assert_note("left unset, as compose leaves it: web/NOT_THERE");
}

static void through_variables(void **state)
{
    (void)state;
    take("services:\n  web:\n    environment: [ADDR, ALIAS]\n",
         "HOST=h\nADDR=${HOST}:1\nALIAS=$ADDR\nOTHER=$HOST\n");
    assert_line("plain demo/shared/HOST = h");
    assert_line("template demo/shared/ADDR = ${HOST}:1");
    assert_line("link demo/shared/ALIAS = shared/ADDR");
    assert_line("link demo/web/ALIAS = shared/ALIAS");
    assert_line("link demo/compose/OTHER = shared/HOST");
}

static void maps(void **state)
{
    (void)state;
    take("services:\n"
         "  web:\n"
         "    environment:\n"
         "      A: 1\n"
         "      B: 0x1F\n"
         "      C: true\n"
         "      D: \"0x1F\"\n"
         "      E:\n"
         "      F: ~\n"
         "      G: ''\n"
         "      H: 1.50\n"
         "      I: ${A}\n"
         "      J: yes\n"
         "      K: $$x\n",
         "A=a\nF=f\n");
    assert_line("plain demo/web/A = 1");
    assert_line("plain demo/web/B = 31");
    assert_line("plain demo/web/C = true");
    assert_line("plain demo/web/D = 0x1F");
    assert_note("web/E");
    assert_line("link demo/web/F = shared/F");
    assert_line("plain demo/web/G = ");
    assert_line("plain demo/web/H = 1.5");
    assert_line("link demo/web/I = shared/A");
    assert_line("plain demo/web/J = yes");
    assert_line("plain demo/web/K = $x");
}

static void lists(void **state)
{
    (void)state;
    take("services:\n"
         "  web:\n"
         "    environment:\n"
         "      - A=x=y\n"
         "      - B=\n"
         "      - $NAME=v\n"
         "      - ${PAIR}\n"
         "      - C=$NONE\n"
         "      - D=1\n"
         "      - D=2\n"
         "      - 'E= a '\n"
         "      - ${NAME}\n",
         "NAME=N\nPAIR=P=q/r\n");
    assert_line("plain demo/web/A = x=y");
    assert_line("plain demo/web/B = ");
    assert_line("plain demo/web/P = q/r");
    assert_line("plain demo/web/C = ");
    assert_line("plain demo/web/D = 2");
    assert_line("plain demo/web/E =  a ");
    assert_note("not set, and so an empty text wherever it is interpolated, as with compose: NONE");
    assert_note("web/N");
}

static void anchors(void **state)
{
    (void)state;
    take("x-env: &env\n  A: a\n  B: b\n"
         "services:\n"
         "  one: {environment: *env}\n"
         "  two:\n    environment:\n      <<: *env\n      B: c\n",
         NULL);
    assert_line("plain demo/one/B = b");
    assert_line("plain demo/two/A = a");
    assert_line("plain demo/two/B = c");
    assert_null(strstr(sent, "demo/shared"));
    assert_null(strstr(sent, "demo/compose"));
}

static void env_files(void **state)
{
    (void)state;
    char file[256];
    snprintf(file, sizeof file, "%s/c.yaml", folder);
    write_file("a.env", "A=a\nB=${A}/b\nC=${HOST}\nD='$A'\nE=e\nBARE\nHOST\nX=\"\\$A $NONE\"\n");
    write_file("b.env", "A=second\nF=$A\nG=$B\nE=${OWN}\n");
    const char *text = "services:\n"
                       "  web:\n"
                       "    env_file:\n"
                       "      - a.env\n"
                       "      - path: ./b.env\n"
                       "      - {path: none.env, required: false}\n"
                       "      - {path: raw.env, format: raw}\n"
                       "    environment:\n"
                       "      OWN: own\n"
                       "      D: d\n"
                       "      X:\n"
                       "  one:\n"
                       "    env_file: ${HOST}.env\n";
    write_file("h.env", "K=v\n");
    if (import_compose(file, text, "HOST=h\n", &no_marks) < 0)
        fail_msg("%s", error_text());
    assert_line("plain demo/web/A = second");
    assert_line("plain demo/web/B = a/b"); /* its A is no longer */
    assert_line("link demo/web/C = shared/HOST");
    assert_line("plain demo/web/D = d");
    assert_line("link demo/web/E = web/OWN");
    assert_line("link demo/web/F = web/A");
    assert_line("plain demo/web/G = ");
    assert_line("link demo/web/HOST = shared/HOST");
    assert_line("plain demo/one/K = v");
    assert_null(strstr(sent, "demo/web/X"));
    assert_null(strstr(sent, "demo/web/BARE"));
    assert_note("web/X, web/BARE");
    assert_note("none.env' is not there, and 'web' does not require it");
    assert_note("an env_file of 'web' has a format of its own");
    assert_int_equal(
        import_compose(file, "services:\n  web:\n    env_file: no.env\n", NULL, &no_marks),
        -ERR_NOT_FOUND);
    assert_non_null(strstr(error_text(), "c.yaml, line 3: the env_file of 'web': "));
    write_file("bad.env", "A=1\nB=${\n");
    assert_int_equal(
        import_compose(file, "services:\n  web:\n    env_file: bad.env\n", NULL, &no_marks),
        -ERR_INVALID);
    assert_non_null(strstr(error_text(), "bad.env, line 2: a '${'"));
}

static void extends(void **state)
{
    (void)state;
    take("services:\n"
         "  base:\n"
         "    environment: [A=a, B=b, C=c]\n"
         "  web:\n"
         "    extends: {service: base}\n"
         "    environment: [B=x, C]\n"
         "  far:\n"
         "    extends: {service: base, file: other.yaml}\n"
         "    profiles: [p]\n"
         "  reset:\n"
         "    extends: base\n"
         "    environment: !override {D: d, B: !reset null}\n"
         "  none:\n"
         "    extends: base\n"
         "    environment: !reset null\n"
         "  filed:\n"
         "    env_file: {path: none.env, required: false}\n"
         "  unfiled:\n"
         "    extends: filed\n"
         "    env_file: !reset []\n"
         "    profiles: !reset []\n"
         "    environment: {T: !!str , N: !!str 0x1F}\n"
         "include: [x.yaml]\n",
         NULL);
    assert_line("plain demo/web/A = a");
    assert_line("plain demo/web/B = x");
    assert_null(strstr(sent, "demo/web/C"));
    assert_note("web/C");
    assert_line("service demo/far");
    assert_line("plain demo/reset/D = d");
    assert_null(strstr(sent, "demo/reset/A"));
    assert_null(strstr(sent, "demo/reset/B"));
    assert_note("c.yaml, line 8: 'far' extends a service of another file");
    assert_note("line 9: the service 'far': it has profiles");
    assert_null(strstr(sent, "demo/none/"));
    assert_note("'filed' does not require it");
    assert_null(strstr(notes, "unfiled"));
    assert_line("plain demo/unfiled/T = ");
    assert_line("plain demo/unfiled/N = 0x1F");
    assert_note("line 23: 'include' is not taken in");
    refuse("services:\n  a: {extends: b}\n  b: {extends: a}\n", NULL, "extends itself");
    refuse("services:\n  a: {extends: b}\n", NULL, "line 2: 'a' extends 'b', which is not there");
}

static void secrets(void **state)
{
    (void)state;
    const char *text = "services:\n"
                       "  web:\n"
                       "    environment:\n"
                       "      - DB_PASSWORD=$PG_WORD\n"
                       "      - URL=pg://u:${PG_WORD}@h/\n"
                       "      - MODE\n"
                       "      - API_TOKEN=abc\n";
    const char *dotenv = "PG_WORD=hush\nMODE=x\nLEFT_SECRET=z\nBOTH=$PG_WORD/$MODE\n";
    assert_int_equal(import_compose("c.yaml", text, dotenv, &no_marks), -ERR_REFUSED);
    assert_non_null(strstr(error_text(), "shared/PG_WORD (.env, line 1): 'web/DB_PASSWORD' is all "
                                         "of it: its name has PASSWORD"));
    assert_non_null(strstr(error_text(), "web/API_TOKEN (c.yaml, line 7): its name has TOKEN"));
    assert_non_null(strstr(error_text(), "compose/LEFT_SECRET (.env, line 3): "));
    assert_null(strstr(error_text(), "hush"));
    struct marks marks = {.secret = {"DB_PASSWORD", "web/API_TOKEN"}, .plain = {"LEFT_SECRET"}};
    if (import_compose("c.yaml", text, dotenv, &marks) < 0)
        fail_msg("%s", error_text());
    assert_line("secret demo/shared/PG_WORD = hush");
    assert_line("template demo/web/URL = pg://u:${shared/PG_WORD}@h/");
    assert_line("secret demo/web/API_TOKEN = abc");
    assert_line("plain demo/compose/LEFT_SECRET = z");
    assert_line("share demo/shared/PG_WORD > web");
    assert_line("share demo/shared/PG_WORD > compose");
    assert_null(strstr(sent, "share demo/shared/MODE"));
    struct marks guess = {.guess = true};
    assert_int_equal(import_compose("c.yaml", text, dotenv, &guess), 0);
    assert_line("secret demo/compose/LEFT_SECRET = z");
    struct marks wrong = {.secret = {"NOPE"}, .guess = true};
    assert_int_equal(import_compose("c.yaml", text, dotenv, &wrong), -ERR_NOT_FOUND);
    struct marks both = {.secret = {"API_TOKEN"}, .plain = {"web/API_TOKEN"}};
    assert_int_equal(import_compose("c.yaml", text, dotenv, &both), -ERR_INVALID);
}

/* What is made from a key that is asked about is not asked about itself. */
static void asked_once(void **state)
{
    (void)state;
    const char *text = "services:\n"
                       "  web:\n"
                       "    environment:\n"
                       "      - CONNECTION_STRING=pg://u:${PG_PASSWORD}@h/?again=${PG_PASSWORD}\n"
                       "      - PASSWORD=$PG_PASSWORD\n";
    assert_int_equal(import_compose("c.yaml", text, "PG_PASSWORD=hush\n", &no_marks), -ERR_REFUSED);
    assert_non_null(strstr(error_text(), "shared/PG_PASSWORD (.env, line 1): its name has"));
    assert_null(strstr(error_text(), "web/"));
    struct marks guess = {.guess = true};
    assert_int_equal(import_compose("c.yaml", text, "PG_PASSWORD=hush\n", &guess), 0);
    const char *share = strstr(sent, "share demo/shared/PG_PASSWORD > web\n");
    assert_non_null(share);
    assert_null(strstr(share + 1, "share demo/shared/PG_PASSWORD > web\n"));
}

/* A rest of a value is no reference to it, even where it looks like its beginning. */
static void rests(void **state)
{
    (void)state;
    take("services:\n  web:\n    environment: ['${PAIR}']\n", "PAIR=P=P=P=\n");
    assert_line("plain demo/web/P = P=P=");
}

/* An env_file that is the dotenv file: its keys are those variables. */
static void dotenv_as_env_file(void **state)
{
    (void)state;
    char file[256], dotenv[256];
    snprintf(file, sizeof file, "%s/c.yaml", folder);
    snprintf(dotenv, sizeof dotenv, "%s/h.env", folder);
    const char *text = "A=a\nB=${A}/b\nA=c\n";
    write_file("h.env", text);
    dotenv_name = dotenv;
    if (import_compose(file, "services:\n  web:\n    env_file: ./h.env\n", text, &no_marks) < 0)
        fail_msg("%s", error_text());
    dotenv_name = ".env";
    assert_line("plain demo/shared/A = c");
    assert_line("link demo/web/A = shared/A");
    assert_line("plain demo/compose/B = a/b");          /* the file's own order */
    assert_line("template demo/web/B = ${shared/A}/b"); /* a variable stands before it */
}

/* A template's text is no secret: one that would show a password is none. */
static void secret_texts(void **state)
{
    (void)state;
    const char *text = "services:\n  web:\n    environment:\n      - URL=pg://u:pw@$HOST/\n";
    assert_int_equal(import_compose("c.yaml", text, "HOST=h\n", &no_marks), -ERR_REFUSED);
    assert_non_null(strstr(error_text(), "web/URL (c.yaml, line 4): its value is a URL with a"));
    struct marks secret = {.secret = {"URL"}}, plain = {.plain = {"URL"}};
    assert_int_equal(import_compose("c.yaml", text, "HOST=h\n", &secret), 0);
    assert_line("secret demo/web/URL = pg://u:pw@h/");
    assert_note("'web/URL' is set as a secret of its own, which follows nothing");
    assert_int_equal(import_compose("c.yaml", text, "HOST=h\n", &plain), 0);
    assert_line("template demo/web/URL = pg://u:pw@${shared/HOST}/");
}

/* What was made from a secret and is no reference to it is a secret by itself. */
static void made_from_secrets(void **state)
{
    (void)state;
    struct marks marks = {.secret = {"A"}};
    assert_int_equal(import_compose("c.yaml",
                                    "services:\n  web:\n    environment: [B, '${PAIR}']\n",
                                    "A=hush\nB=$A-x\nPAIR=P=$A\nA=other\n", &marks),
                     0);
    assert_line("secret demo/shared/B = hush-x");
    assert_line("secret demo/web/P = hush");
    assert_note(".env, line 2: 'shared/B' is set as a value of its own");
}

static void projects(void **state)
{
    (void)state;
    take("name: shop-$X\nservices:\n  web:\n    environment: ['P=$COMPOSE_PROJECT_NAME']\n",
         "X=1\n");
    assert_line("link demo/web/P = shared/COMPOSE_PROJECT_NAME");
    assert_line("template demo/shared/COMPOSE_PROJECT_NAME = shop-${X}");
}

static void refusals(void **state)
{
    (void)state;
    refuse("", NULL, "c.yaml, line 1: nothing is there");
    refuse("a: b\n", NULL, "c.yaml, line 1: no 'services:'");
    refuse("services: [a]\n", NULL, "c.yaml, line 1: 'services' is no mapping");
    refuse("services:\n  a:\n", NULL, "c.yaml, line 2: the service 'a' is no mapping");
    refuse("services: {a: {}}\n---\nservices: {}\n", NULL, "c.yaml, line 3: a second document");
    refuse("services:\n  shared: {}\n", NULL, "line 2: a service cannot be named 'shared' here");
    refuse("services:\n  compose: {}\n", NULL, "line 2: a service cannot be named 'compose' here");
    refuse("services:\n  -a: {}\n", NULL, "c.yaml, line 2: ");
    refuse("services:\n  a:\n    environment: x\n", NULL, "line 3: the environment of 'a' is no");
    refuse("services:\n  a:\n    environment:\n      - {A: b}\n", NULL, "line 4: the environment");
    refuse("services:\n  a:\n    environment:\n      A: [b]\n", NULL, "line 4: the value of 'A'");
    refuse("services:\n  a:\n    environment:\n      A: 2024-01-02\n", NULL, "put it into quotes");
    refuse("services:\n  a:\n    environment:\n      - A =b\n", NULL, "line 4: a blank between");
    refuse("services:\n  a:\n    environment: [A, PASSWORD hush]\n", NULL,
           "line 3: the environment of 'a' has something that is no NAME=VALUE and no NAME");
    assert_null(strstr(error_text(), "hush"));
    refuse("services:\n  a:\n    image: ${X?no image}\n", NULL,
           "c.yaml, line 3: 'X' is required, and not set: no image");
    refuse("services:\n  a:\n    environment: [\"A=${X\"]\n", NULL, "c.yaml, line 3: a '${'");
    refuse("services: {}\n", "A=1\nB=${\n", ".env, line 2: a '${'");
    refuse("services: {}\n", "A=1\nB='x\n", ".env, line 2: the quote");
    refuse("services: {}\n", "A B\n", ".env, line 1: ");
}

static void left_out(void **state)
{
    (void)state;
    take("services:\n  a:\n    environment:\n      - -x=1\n      - A=1\n      - A B=2\n      - "
         "${MORE:-}\n",
         "BARE\n");
    assert_line("plain demo/a/A = 1");
    assert_note("c.yaml, line 4: left out of 'a': ");
    assert_note("c.yaml, line 6: left out of 'a': ");
    assert_note("c.yaml, line 7: left out of 'a': an entry that comes to an empty text");
    assert_note(".env, line 1: 'BARE' has no value there");
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"a.env", "b.env", "h.env", "bad.env"};
    char path[256];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),        cmocka_unit_test(through_variables),
        cmocka_unit_test(maps),         cmocka_unit_test(lists),
        cmocka_unit_test(anchors),      cmocka_unit_test(env_files),
        cmocka_unit_test(extends),      cmocka_unit_test(secrets),
        cmocka_unit_test(secret_texts), cmocka_unit_test(made_from_secrets),
        cmocka_unit_test(projects),     cmocka_unit_test(asked_once),
        cmocka_unit_test(rests),        cmocka_unit_test(dotenv_as_env_file),
        cmocka_unit_test(refusals),     cmocka_unit_test(left_out),
    };
    if (secret_setup(64u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
