"""across.py WORK SUPPORT: tries every way from one environment into another; the canaries are the lines of WORK/plain
and WORK/secret, the tree is mounted at WORK/env."""
import base64
import json
import os
import random
import re
import subprocess
import sys

work, support = sys.argv[1:3]
sys.path.insert(0, support)
import varlink  # noqa: E402

SEED = int(os.environ.get("EMSA_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
TEXTS = 4000 // int(os.environ.get("EMSA_TEST_SCALE") or 1)
CLEAN = ("dev", "base", "pre")
tree = os.path.join(work, "env")
faults = []


def lines(name):
    with open(os.path.join(work, name), "rb") as file:
        return file.read().split()


def disguises(canary):
    """A canary as it is, and as base64 has it behind 0, 1 or 2 bytes (all but what its ends share with others)."""
    found = [canary, canary.hex().encode(), canary[::-1]]
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + canary)
        found.append(text[4 if shift else 0:-4])
    return found


SECRETS = [form for canary in lines("secret") for form in disguises(canary)]
PLAINS = [form for canary in lines("plain") for form in disguises(canary)]
EVERY = re.compile(b"|".join(re.escape(form) for form in SECRETS + PLAINS), re.I)
SECRET = re.compile(b"|".join(re.escape(form) for form in SECRETS), re.I)


def fault(text):
    faults.append(text)


def attributes(path):
    for name in os.listxattr(path, follow_symlinks=False):
        yield name.encode() + b"=" + os.getxattr(path, name, follow_symlinks=False)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def seen(environment):
    """Everything that can be read in an environment's directory, what is hidden in its services too."""
    parts = []
    top = os.path.join(tree, environment)
    for folder, _folders, files in os.walk(top):
        parts.extend(attributes(folder))
        hidden = [".emsa/" + name for name in ("env", "json", "rev")]
        for name in files + [name for name in hidden if os.path.exists(os.path.join(folder, name))]:
            path = os.path.join(folder, name)
            parts += [name.encode(), read(path)]
            if not name.startswith("."):
                parts.extend(attributes(path))
    return b"\n".join(parts)


def search(what, environments=CLEAN, pattern=EVERY):
    for environment in environments:
        found = pattern.search(seen(environment))
        if found:
            fault(f"{what}: in '{environment}': {found.group().decode()}")


def emsa(*words, stdin=b"", **options):
    return subprocess.run(["emsa", *words], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, **options)


def services(environment):
    return sorted(os.listdir(os.path.join(tree, environment)))


def search_outputs(what, environments=CLEAN):
    """What the verbs print of an environment."""
    for environment in environments:
        asked = [("tree", environment, "--json"), ("log", environment), ("service", "ls", environment, "--json")]
        asked += [("export", f"{environment}/{service}", "--reveal") for service in services(environment)]
        for words in asked:
            found = EVERY.search(emsa(*words).stdout)
            if found:
                fault(f"{what}: 'emsa {' '.join(words)}' prints {found.group().decode()}")


# --- every verb ---

# How a canary could be named from elsewhere.
REFERENCES = ["prod/shared/CANARY", "prod/vault/ONLY", "stage/vault/ONLY", "vault/ONLY", "shared/CANARY", "app/LINK",
              "app/PATH_TO", "../prod/shared/CANARY", "/prod/shared/CANARY", "prod:shared/CANARY", "prod.shared/CANARY",
              "shared/../../prod/shared/CANARY", "all/shared/CANARY", "*/CANARY", "shared/*", "prod", "prod/", "",
              "dev/KEY", "prod/KEY", "prod/CANARY", "shared/CANARY@1", "%70rod/shared/CANARY", "prod%2fshared/CANARY",
              "env/prod/shared/CANARY", ".emsa/at/3/prod/shared/CANARY", "shared/NOTE", "vault/KEY"]
FORMS = ["${%s}", "${%s|url}", "${%s|json}", "${%s|base64}", "$${%s}", "$%s", "${${%s}}", "${%s|${NOTE}}", "${ %s }",
         "${%s:-x}", "$(%s)", "{{%s}}", "%%{%s}", "${/%s}", "${.emsa/%s}", "$${$%s}", "${%s}${%s}"]

# What an administrator may see who asks for the other environment by its name: all but secrets, and those only here.
ASKED = "asked"
# A plain value that somebody copies on purpose, and says where from.
COPIED = "copied"


def attempts(environment):
    """(what of the output counts, words): each from that environment."""
    app, prod, stage = f"{environment}/app", "prod", "stage"
    for reference in REFERENCES:
        yield None, ("link", f"{app}/X", reference)
        yield None, ("link", "all/app/X", reference, "-m", "why")
    for form in FORMS:
        for reference in REFERENCES[:6]:
            yield None, ("set", "--template", f"{app}/X", form.replace("%s", reference))
    yield None, ("set", app, "X=${prod/shared/CANARY}")
    yield None, ("env", "add", "late", "--base", prod, "-m", "why")
    yield None, ("env", "rm", prod, "--all", "-m", "why")
    yield ASKED, ("env", "ls", "--json")
    yield None, ("service", "add", f"{environment}/other")
    yield None, ("service", "rm", f"{environment}/other", "--all")
    yield ASKED, ("service", "ls", prod)
    for key in ("vault/ONLY", "vault/KEY"):
        yield None, ("cp", f"{prod}/{key}", f"{app}/X", "-m", "why")
        yield None, ("cp", f"{prod}/{key}", f"{app}/X", "--allow-equal", "-m", "why")
        yield None, ("mv", f"{prod}/{key}", f"{app}/X", "-m", "why")
        yield None, ("mv", f"{stage}/{key}", f"{app}/X")
        yield None, ("cp", f"{prod}/{key}", "all/app/X", "-m", "why")
    yield None, ("cp", f"{stage}/vault/ONLY", f"{app}/X")
    for key in ("app/LINK", "app/URL"):
        yield None, ("cp", f"{prod}/{key}", f"{app}/X", "-m", "why")
        yield None, ("cp", f"{stage}/{key}", f"{app}/X")
    yield None, ("cp", f"{prod}/vault", f"{environment}/other", "-m", "why")
    yield None, ("mv", f"{prod}/vault", f"{environment}/other", "-m", "why")
    yield COPIED, ("cp", f"{prod}/shared/CANARY", f"{app}/COPIED", "-m", "why")
    yield ASKED, ("get", f"{prod}/vault/ONLY")
    yield ASKED, ("get", f"{prod}/app/URL")
    yield ASKED, ("ls", prod)
    yield ASKED, ("ls", f"{prod}/vault", "--json")
    yield ASKED, ("tree", "--json")
    yield None, ("rm", f"{environment}/shared/NOTE")
    yield None, ("rm", f"{environment}/shared/HOST")
    yield ASKED, ("find", "*", "--value", lines("plain")[0].decode(), "--json")
    yield None, ("find", f"{environment}/*/*", "--value", lines("plain")[0].decode(), "--json")
    yield None, ("find", "*", "--value", lines("secret")[0].decode(), "--json")
    yield None, ("share", f"{environment}/vault/KEY", "--with", "prod")
    yield None, ("share", f"{prod}/vault/ONLY", "--with", "app", "-m", "why")
    yield None, ("unshare", f"{environment}/vault/KEY", "--with", "prod")
    yield None, ("unshare", f"{prod}/vault/ONLY", "--with", "app", "-m", "why")
    for key in ("app/NOTE", "app/ADDRESS", "vault/KEY", "vault/ONLY", "prod/CANARY"):
        yield ASKED, ("explain", f"{environment}/{key}")
        yield ASKED, ("explain", f"{prod}/{key}", "--json")
        yield None, ("refs", f"{environment}/{key}")
        yield ASKED, ("refs", f"{prod}/{key}", "--json")
    yield None, ("suggest", environment)
    yield None, ("suggest", environment, "--apply")
    yield ASKED, ("suggest", stage)
    yield None, ("lock", f"{app}/X", "-m", "why")
    yield None, ("unlock", f"{app}/X")
    yield None, ("log", environment, "--json")
    yield ASKED, ("log", prod)
    yield None, ("import", app, os.path.join(work, "import.env"))
    yield None, ("import", "--tree", os.path.join(work, "import.jsonl"))
    for kind in ("compose", "kubernetes"):
        yield None, ("import", "--format", kind, os.path.join(work, kind + ".yaml"), environment)
    for key in ("vault/ONLY", "app/LINK", "app/URL"):
        service, name = key.split("/")
        yield None, ("promote", f"{stage}/{service}", f"{environment}/{service}", name)
        yield None, ("promote", f"{stage}/{service}", f"{environment}/{service}", name, "--allow-equal", "--dry-run", "-m", "why")
        yield None, ("promote", f"{prod}/{service}", f"{environment}/{service}", name, "-m", "why")
    yield None, ("promote", prod, environment, "-m", "why")
    yield COPIED, ("promote", f"{stage}/shared", f"{environment}/shared", "CANARY")
    for revision in ("4", "1", "99999", "tagged"):
        yield None, ("rollback", f"{app}", "--to", revision, "--with-secrets", "--dry-run")
        yield None, ("rollback", f"{environment}/nowhere", "--to", revision)
    yield ASKED, ("diff", f"{prod}/app", app)
    yield ASKED, ("diff", stage, environment, "--json")
    yield None, ("diff", environment, "--from", "1", "--json")
    yield ASKED, ("diff", f"{prod}@9", environment)
    yield None, ("blame", environment, "--json")
    yield ASKED, ("blame", prod)
    yield None, ("tag", "tagged", "9")
    yield None, ("tag",)
    yield None, ("tag", "--rm", "tagged")
    yield None, ("purge", f"{environment}/vault/ONLY@9", "-m", "why", "--dry-run")
    yield None, ("purge", f"{environment}/app/NOTE@4", "-m", "why", "--json")
    yield None, ("compact", environment, "--keep", "9", "-m", "why", "--dry-run")
    yield None, ("check", environment, "--json")
    yield None, ("check", "--parity", f"{environment},prod")
    yield None, ("check", environment, "--against", os.path.join(work, "schema.yaml"))
    yield None, ("schema", "set", os.path.join(work, "schema.yaml"), "--env", environment)
    yield None, ("schema", "show", app)
    yield ASKED, ("schema", "infer", f"{prod}/app")
    yield None, ("schema", "promote", environment, prod, "app")
    yield None, ("schema", "rm", app)
    yield None, ("apply", os.path.join(work, f"apply.{environment}.yaml"), "-m", "why")
    yield None, ("edit", app)
    yield None, ("export", environment, "--format", "yaml", "--reveal")
    yield ASKED, ("export", stage, "--format", "yaml")
    yield None, ("export", app, "--reveal")
    yield ASKED, ("export", f"{prod}/app", "--no-secrets")
    yield None, ("exec", app, "--pristine", "--", "/usr/bin/env")
    yield None, ("exec", f"{environment}/shared", "--", "/bin/sh", "-c", 'echo "$CANARY ${vault_ONLY}"')
    yield None, ("status", "--json")
    yield None, ("status", "--metrics")
    yield None, ("verify",)
    yield None, ("seal", f"{app}/X", "--file", os.path.join(work, "import.env"))
    yield None, ("set", f"{app}/X", "--sealed", "--file", os.path.join(work, "import.env"))
    yield None, ("rotate", "keys", environment, "--reencrypt")
    yield None, ("rotate", "list", environment)
    yield None, ("rotate", "value", f"{app}/X", "--generate", "24", "--keep-previous", "PREVIOUS")
    yield ASKED, ("rotate", "value", f"{prod}/vault/ONLY", "--generate", "24", "--run", "false", "-m", "why")
    yield None, ("audit", "--path", environment)
    yield ASKED, ("audit",)
    yield ASKED, ("audit", "--json")
    yield None, ("doctor",)
    yield None, ("init",)
    yield None, ("help",)
    yield None, ("version",)


# Those that begin or end something, and those that are asked of the whole store once.
def once():
    yield ASKED, ("env", "cp", "prod", "copy", "-m", "why")
    search("env cp prod", ("copy",), SECRET)
    yield None, ("env", "rm", "copy", "--all")
    yield ASKED, ("env", "cp", "stage", "copy")
    search("env cp stage", ("copy",), SECRET)
    yield None, ("env", "rm", "copy", "--all")
    yield None, ("env", "add", "late", "--base", "stage")
    yield None, ("env", "rm", "late", "--all")
    newest = int(json.loads(emsa("status", "--json").stdout)["rev"])
    for rev in range(1, newest, 7):
        yield ASKED, ("show", str(rev), "--json")
    os.makedirs(os.path.join(work, "masked"), exist_ok=True)
    yield None, ("mount", os.path.join(work, "masked"), "--masked")
    yield None, ("umount", os.path.join(work, "masked"))


def try_one(counts, words):
    # an equal value is refused, and told to whoever counts guesses: a new server has counted none
    done = emsa(*words)
    found = (SECRET if counts else EVERY).search(done.stdout)
    if found:
        fault(f"'emsa {' '.join(words)}' prints {found.group().decode()}")
    if counts == COPIED:
        if done.returncode == 0:
            search(f"'emsa {' '.join(words)}'", pattern=SECRET)
            emsa("rm", words[2] + "/" + words[3] if words[0] == "promote" else words[2])
        return done
    search(f"'emsa {' '.join(words)}'")
    return done


def watched(environment):
    """What a watcher of it is told of all that ever happened."""
    process = subprocess.Popen(["emsa", "watch", environment, "--from", "1"], stdout=subprocess.PIPE)
    marker = f"{environment}/watched/LAST"
    emsa("set", marker + "=now", "--new")
    text = b""
    for line in process.stdout:
        text += line
        if marker.encode() in line:
            break
    process.terminate()
    process.wait()
    found = EVERY.search(text)
    if found:
        fault(f"'emsa watch {environment}' prints {found.group().decode()}")
    emsa("service", "rm", f"{environment}/watched", "--all")


def again():
    """Another server, which remembers nothing of whoever guessed."""
    emsa("umount", tree)
    emsa("stop")
    emsa("mount", tree)


def try_guesses():
    """What is equal to a canary is refused, plain and secret, and the answer does not show it."""
    for environment in CLEAN:
        again()
        for canary in lines("secret")[:3]:
            done = try_one(None, ("set", f"{environment}/app", f"X={canary.decode()}"))
            if done.returncode != 4:
                fault(f"a secret of elsewhere was set in '{environment}': {done.stdout.decode()}")
            emsa("set", "--secret", f"{environment}/app/X", "-", stdin=canary)
            search("a secret of elsewhere as a secret")


def try_verbs():
    with open(os.path.join(work, "import.env"), "w", encoding="utf-8") as file:
        file.write("X=${prod/shared/CANARY}\nY='${shared/CANARY}'\nZ=\"$CANARY ${PATH_TO}\"\n")
    with open(os.path.join(work, "import.jsonl"), "w", encoding="utf-8") as file:
        file.write('{"path":"dev/app/X","value":"${prod/shared/CANARY}"}\n')
    with open(os.path.join(work, "compose.yaml"), "w", encoding="utf-8") as file:
        file.write("services:\n  app:\n    environment:\n      X: ${CANARY:-${ONLY}}\n      Y: $${prod/vault/ONLY}\n"
                   "    env_file: [" + os.path.join(work, "import.env") + ", " + os.path.join(tree, "prod/vault/ONLY") + "]\n")
    with open(os.path.join(work, "kubernetes.yaml"), "w", encoding="utf-8") as file:
        file.write("kind: Pod\nmetadata: {name: app}\nspec:\n  containers:\n  - name: app\n    env:\n"
                   "    - {name: X, value: $(CANARY)}\n    - {name: Y, valueFrom: {secretKeyRef: {name: vault, key: ONLY}}}\n"
                   "    - {name: Z, valueFrom: {secretKeyRef: {name: prod/vault, key: ONLY}}}\n")
    with open(os.path.join(work, "schema.yaml"), "w", encoding="utf-8") as file:
        file.write("service: app\nkeys:\n  X: {type: string, default: '${prod/shared/CANARY}'}\n"
                   "  Y: {type: string, default: '${shared/CANARY}'}\n")
    for environment in CLEAN:
        with open(os.path.join(work, f"apply.{environment}.yaml"), "w", encoding="utf-8") as file:
            file.write(f"environments:\n  {environment}:\n    services:\n      app:\n        keys:\n"
                       "          X: !link prod/vault/ONLY\n          Y: !template '${prod/shared/CANARY}'\n"
                       "          Z: !template '${vault/ONLY}'\n")
    editor = os.path.join(work, "editor")
    with open(editor, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nsed -i 's#^\\( *\\)OWN:.*#&\\n\\1X: !template \"${prod/shared/CANARY}\"#' \"$1\"\n")
    os.chmod(editor, 0o700)
    os.environ["EDITOR"] = os.environ["VISUAL"] = editor
    # what shows or grants places, or is of files and other machines, and takes no value from one to another
    tried = {"watch", "stop", "mount", "umount", "attach", "wait", "views", "grant", "grants", "revoke", "identity", "relay"}
    count = 0
    for environment in CLEAN:
        again()
        for counts, words in attempts(environment):
            try_one(counts, words)
            tried.add(words[0])
            count += 1
            if count % 40 == 0:
                again()
        search_outputs(f"after all verbs in '{environment}'")
        watched(environment)
    for counts, words in once():
        try_one(counts, words)
        tried.add(words[0])
    try_guesses()
    listed = {line.split()[0] for line in emsa("help").stdout.decode().splitlines() if re.match(r"  [a-z]", line)}
    if listed - tried:
        fault(f"verbs that were not tried: {sorted(listed - tried)}")
    print(f"{count} attempts with {len(tried)} verbs")


# --- random texts ---

class Texts:
    def __init__(self, seed):
        self.dice = random.Random(seed)

    def pick(self, *of):
        return self.dice.choice(of)

    def name(self):
        return self.pick("prod", "stage", "dev", "base", "pre", "all", "shared", "vault", "app", "CANARY", "ONLY", "KEY",
                         "NOTE", "HOST", "OWN", "PATH_TO", "LINK", "URL", "stage-pre", ".emsa", "..", ".", "*", "at",
                         "X0", "X1", "X2")

    def likely(self):
        """What could be meant."""
        return self.pick("shared/NOTE", "shared/HOST", "vault/KEY", "OWN", "prod/CANARY", "prod/KEY", "NOTE", "ADDRESS",
                         "app/X1", "X2", "shared/CANARY", "vault/ONLY")

    def reference(self):
        if self.dice.random() < 0.5:
            return self.likely()
        slash = self.pick("/", "/", "/", "/", "//", "\\", ":", "%2f", "/../", "\0", "/./", "\u2215", ".")
        return slash.join(self.name() for _ in range(self.dice.randrange(1, 5)))

    def filtered(self):
        return self.reference() + self.pick("", "", "", "|url", "|json", "|base64", "|", "||url", "|url|json", "|URL", ":-x",
                                            " ", "\n", "\t", "}", "@2", "?")

    def piece(self):
        inner = self.filtered() if self.dice.random() < 0.9 else self.text(1)
        return self.pick("${" + inner + "}", "${" + inner + "}", "${" + inner + "}", "$${" + inner + "}", "$" + inner,
                         "${" + inner, "$ {" + inner + "}", "${\n" + inner + "}", inner, "$$" + inner, "plain ", "\u00e4",
                         "${" + inner + "}${" + inner + "}", "{" + inner + "}", "$(" + inner + ")")

    def text(self, most=4):
        return "".join(self.piece() for _ in range(self.dice.randrange(1, most + 1)))

    def damaged(self, text):
        data = bytearray(text.encode())
        for _ in range(self.dice.randrange(0, 3) if self.dice.random() < 0.3 else 0):
            at = self.dice.randrange(len(data) + 1)
            if self.dice.random() < 0.5 and at < len(data):
                data[at] = self.dice.randrange(256)
            else:
                data[at:at] = bytes([self.dice.choice(b"$${}|/\\\0\xff.")])
        return bytes(data)


def try_texts():
    texts = Texts(SEED)
    socket = os.path.join(work, "store", "socket")
    server = varlink.Connection(socket)
    process = server.call("Status")["pid"]
    done = refused = 0
    for _ in range(TEXTS):
        environment = texts.pick(*CLEAN, *CLEAN, "all")
        place = f"{environment}/app/X{texts.dice.randrange(3)}"
        text = texts.damaged(texts.text())
        try:
            if texts.dice.random() < 0.2:
                what = texts.damaged(texts.reference()).decode("utf-8", "replace")
                server.call("Set", operations=[{"path": place, "kind": "link", "value": what}], reason="why")
            else:
                what = text
                server.set({place: text}, kind="template")
        except varlink.Refused as problem:
            refused += 1
            if EVERY.search(str(problem.parameters).encode()):
                fault(f"{place} = {what!r}: told in the refusal: {problem.parameters}")
            if isinstance(what, str) and "\0" in what:
                server = varlink.Connection(socket)  # no JSON: whoever sends that is heard no longer
            continue
        done += 1
        search(f"{place} = {what!r}")
    if server.call("Status")["pid"] != process:
        fault("another server answers: the first one died")
    search("after all texts")
    search_outputs("after all texts")
    print(f"{TEXTS} texts: {done} stand, {refused} refused")
    if min(done, refused) < TEXTS // 20:
        fault("hardly any of the texts was good, or wrong")


def try_search():
    """That the search has eyes: a canary that does get there, by somebody's own hand, is found everywhere."""
    emsa("cp", "prod/shared/CANARY", "dev/app/EYES", "-m", "why")
    emsa("set", "--template", "dev/app/EYES64", "..${EYES|base64}")
    found = len(EVERY.findall(seen("dev")))
    search("eyes", ("dev",))
    search_outputs("eyes", ("dev",))
    looked = len(faults)
    faults.clear()
    emsa("rm", "dev/app/EYES64", "dev/app/EYES")
    if found < 2 or looked < 2:
        fault("the search finds nothing")


def main():
    print("seed", SEED)
    try_search()
    search("at the beginning")
    search_outputs("at the beginning")
    try_verbs()
    try_texts()
    for text in faults[:40]:
        print("FAULT:", text)
    sys.exit(1 if faults else 0)


main()
