#!/usr/bin/python3
"""What a reader of this tree may rely on without looking, checked. One function a check, named by its
CTest name: lint.py CHECK ROOT [BINARIES]. Every check prints what is wrong, one line a place, and exits 1;
selftest.py proves of each that it can. See README.md."""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CODE_FOLDERS = ("store", "fs", "tools", "tests")
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 99

# Who may include what. A room is the folder of a file; store's ground is a room of its own.
GROUND = {"bytes", "codec", "encode", "error", "limits", "name", "secret", "template",
          "schema", "schema_check", "schema_code", "schema_judge", "type", "type_base64", "type_duration",
          "type_guess", "type_host", "type_json", "type_number", "type_parts", "type_pattern", "type_pem",
          "type_url", "worker"}
LIBRARIES = {"lmdb.h": ("store/db/",), "sodium.h": ("store/crypto/", "store/secret.c"),
             "pcre2.h": ("store/type_pattern.c",),
             "yaml.h": ("tools/emsa/yaml.c", "tools/emsa/yaml_memory.c")}
STORE_ROOMS = {  # the rooms of store whose own headers each may see; public headers are everybody's
    "ground": set(), "db": {"db"}, "crypto": {"crypto"}, "audit": {"crypto", "audit"}, "log": {"db", "crypto", "log"},
    "model": {"db", "crypto", "log", "model"}, "facade": {"db", "crypto", "log", "model"},
}
GROUND_HEADERS = {"store/crypto/hash.h", "store/crypto/whole.h",  # every record in the db bears a hash, and is part of the sums
                  "store/crypto/whole_many.h"}
TOOLS_ROOMS = {"common": {"common"}, "service": {"common", "service"},
               "emsa": {"common", "service", "emsa"}, "emsad": {"common", "service", "volume", "emsad"},
               "volume": {"common", "volume"}, "run": {"run"},
               "hook": {"common", "hook"}}

BANNED = {
    "strcpy": "memcpy with a checked length", "strcat": "bytes_* or snprintf", "sprintf": "snprintf",
    "vsprintf": "vsnprintf", "strncat": "bytes_*", "gets": "getline", "system": "posix_spawn",
    "popen": "posix_spawn", "rand": "randombytes", "srand": "a seeded generator of the test's own",
    "alloca": "a bounded buffer", "atoi": "strtoul with its errors checked",
    "atol": "strtoul with its errors checked", "strtok": "strcspn", "tmpnam": "mkstemp",
    "mktemp": "mkstemp", "usleep": "waiting for the event itself",
}

problems = []


def wrong(place, text):
    problems.append(f"{place}: {text}")


def files(root, *patterns):
    """Every file of ours that matches, build folders left out, as (path, path from root)."""
    for folder in CODE_FOLDERS + ("cmake", ".ci"):
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and any(path.match(p) for p in patterns):
                yield path, str(path.relative_to(root))


def without_comments(text):
    """C text with comments and string contents blanked, lines kept."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

    def blank(match):
        found = match.group(0)
        return re.sub(r"[^\n]", " ", found) if found[0] == "/" else found[0] + found[0]
    return pattern.sub(blank, text)


def includes_of(path):
    for number, line in enumerate(path.read_text().split("\n"), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found.group(1), found.group(2)


def store_room(name):
    parts = name.split("/")
    if len(parts) > 2:
        return parts[1]
    return "ground" if parts[1].split(".")[0] in GROUND else "facade"


def include_allowed(name, target):
    """None, or why the file may not include the header of ours."""
    top, to = name.split("/")[0], target.split("/")
    if to[0] not in ("store", "fs", "tools"):
        return None
    order = {"store": 0, "fs": 1, "tools": 2}
    if order[to[0]] > order[top]:
        return f"{top} may not see {to[0]} (tools -> fs -> store)"
    if top != "store" and to[0] == "store" and len(to) > 2:
        return f"{top} sees store's public headers only"
    if top == "store":
        room, other = store_room(name), store_room(target)
        if other == "facade":
            if room in ("ground", "db"):
                return f"store's {room} may not look up to a public header of what stands on it"
        elif target in GROUND_HEADERS:
            return None
        elif other != "ground" and other not in STORE_ROOMS.get(room, set()):
            return f"store/{room} may not see store/{other}"
    if top == "tools" and to[0] == "tools" and len(to) > 2:
        room = name.split("/")[1]
        if room in TOOLS_ROOMS and to[1] not in TOOLS_ROOMS[room]:
            return f"tools/{room} may not see tools/{to[1]}"
    return None


def includes(root, _binaries):
    for path, name in files(root, "*.c", "*.h"):
        if name.startswith("tests/"):
            continue
        for number, style, target in includes_of(path):
            place = f"{name}:{number}"
            if style == "<":
                allowed = LIBRARIES.get(target)
                if allowed and not name.startswith(allowed):
                    wrong(place, f"<{target}> belongs to {allowed[0]} alone")
                if re.match(r"(fuse|linux/fuse)", target) and not name.startswith("fs/"):
                    wrong(place, f"<{target}> belongs to fs/ alone")
            elif not (root / target).is_file():
                wrong(place, f'"{target}" is not there as seen from the root')
            else:
                why = include_allowed(name, target)
                if why:
                    wrong(place, f'"{target}": {why}')


def flags():
    libraries = ["lmdb", "libsodium", "fuse3", "jansson", "libseccomp", "libcap-ng", "cmocka"]
    out = subprocess.run(["pkg-config", "--cflags", *libraries], capture_output=True, text=True, check=True)
    return out.stdout.split()


def headers(root, _binaries):
    common = ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Werror", "-I", str(root),
              "-fsyntax-only", "-x", "c", "-", *flags()]
    for path, name in files(root, "*.h"):
        source = f'#include "{name}"\n#include "{name}"\nextern int header_stands_alone;\n'
        done = subprocess.run(common, input=source, capture_output=True, text=True, cwd=root)
        if done.returncode:
            wrong(name, "does not compile alone\n" + done.stderr.strip())


def sizes(root, _binaries):
    for path, name in files(root, "*.c", "*.h", "*.py", "*.sh"):
        lines = path.read_text().count("\n")
        if lines > FILE_LINES_MAX:
            wrong(name, f"{lines} lines, {FILE_LINES_MAX} at most: two things live in one room")


def functions(root, _binaries):
    sources = [str(path) for path, _ in files(root, "*.c", "*.h")]
    out = subprocess.run(["ctags-universal", "-L", "-", "--languages=C", "--langmap=C:.c.h", "--kinds-C=f",
                          "--fields=+ne", "-x", "--_xformat=%{name} %{line} %{end} %{input}"],
                         input="\n".join(sources), capture_output=True, text=True, check=True)
    for line in out.stdout.splitlines():
        name, first, last, source = line.split(" ", 3)
        length = int(last or first) - int(first) + 1
        if length > FUNCTION_LINES_MAX:
            wrong(f"{os.path.relpath(source, root)}:{first}", f"'{name}' has {length} lines, under 100 it must be")


def banned(root, _binaries):
    call = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    for path, name in files(root, "*.c", "*.h"):
        for number, line in enumerate(without_comments(path.read_text()).split("\n"), 1):
            for found in call.finditer(line):
                wrong(f"{name}:{number}", f"'{found.group(1)}' is banned: {BANNED[found.group(1)]}")


def marks(root, _binaries):
    """Nothing is left open in the text, and no test waits by the clock."""
    open_mark = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b")
    nap = re.compile(r"(^|[;&|(]\s*|\s)(sleep|time\.sleep|nanosleep)(\s+[0-9.]|\s*\()")
    for path, name in files(root, "*.c", "*.h", "*.sh", "*.py", "*.md", "run", "quickstart", "CMakeLists.txt"):
        for number, line in enumerate(path.read_text().split("\n"), 1):
            if open_mark.search(line):
                wrong(f"{name}:{number}", "something is left open here: finish it")
            if name.startswith("tests/") and not name.endswith(".md") and nap.search(line):
                wrong(f"{name}:{number}", "a test waits by the clock: wait for the event instead")


def format_(root, _binaries):
    sources = [str(path) for path, _ in files(root, "*.c", "*.h")]
    if not sources:
        return
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", f"--style=file:{root}/.clang-format", *sources],
                          capture_output=True, text=True)
    if done.returncode:
        places = sorted({line.split(": error")[0] for line in done.stderr.splitlines() if ": error" in line})
        wrong("clang-format", "not formatted (clang-format -i FILE):\n" + "\n".join(places[:40]))


def scripts(root):
    for path, name in files(root, "*"):
        with path.open("rb") as opened:
            first = opened.readline(80)
        if name.endswith(".sh") or re.match(rb"#!.*\b(ba|da)?sh\b", first):
            yield path, name


def shell(root, _binaries):
    for path, name in scripts(root):
        done = subprocess.run(["shellcheck", "-x", "-P", "SCRIPTDIR", "--severity=style", str(path)],
                              capture_output=True, text=True)
        if done.returncode:
            wrong(name, "shellcheck:\n" + done.stdout.strip())
        text = path.read_text()
        if not re.search(r"^(set -euo pipefail|\. .*/support/lib\.sh\")$", text, re.M):
            wrong(name, "does not begin with 'set -euo pipefail'")


def readmes(root, _binaries):
    """A folder with code opens with a README that names every module in it."""
    folders = {path.parent for path, _ in files(root, "*.c", "*.h", "*.sh", "*.py")}
    for folder in sorted(folders):
        name = folder.relative_to(root)
        readme = folder / "README.md"
        if not readme.is_file():
            wrong(str(name), "has no README.md")
            continue
        text = readme.read_text()
        for module in sorted({p.stem for p in folder.iterdir() if p.suffix in (".c", ".h", ".sh", ".py")}):
            known = str(name).startswith("tests/unit") and module.endswith("_test")
            if not known and not re.search(rf"(?<![\w]){re.escape(module)}(?![\w])", text):
                wrong(f"{name}/README.md", f"does not name '{module}'")


def manual_pages(root):
    return [path for path, _ in files(root, "*.1", "*.5", "*.7", "*.8")]


def manual(root, _binaries):
    pages = manual_pages(root)
    if not pages:
        wrong("tools/man", "there is no manual page")
    for page in pages:
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(page)], capture_output=True, text=True)
        if done.returncode:
            wrong(str(page.relative_to(root)), done.stdout.strip())


def verbs(root, binaries):
    """The command's help, its manual page and its verbs are of one mind."""
    out = subprocess.run([str(Path(binaries) / "emsa"), "help"], capture_output=True, text=True)
    told = set(re.findall(r"^  ([a-z]+)\b", out.stdout, re.M))
    if out.returncode or not told:
        wrong("emsa help", "does not list verbs, two spaces before each")
    page = next((p for p in manual_pages(root) if p.name == "emsa.1"), None)
    if page is None:
        wrong("emsa.1", "is not there")
        return
    described = set(re.findall(r"^\.It Cm ([a-z]+)", page.read_text(), re.M))
    for verb in sorted(told - described):
        wrong(page.name, f"does not describe the verb '{verb}' (.It Cm {verb})")
    for verb in sorted(described - told):
        wrong(page.name, f"describes '{verb}', which the command does not have")


# jansson's loops, which cppcheck does not know
LOOPS = """
#define json_array_foreach(a, i, v) for ((i) = 0; ((v) = json_array_get(a, i)); (i)++)
#define json_object_foreach(o, k, v) for ((k) = next_key(o); ((v) = json_object_get(o, k)); (k) = next_key(o))
"""


def cppcheck(root, _binaries):
    with tempfile.NamedTemporaryFile("w", suffix=".h") as loops:
        loops.write(LOOPS)
        loops.flush()
        done = subprocess.run(["cppcheck", "--quiet", "--std=c11", "--enable=warning,portability", "--inline-suppr",
                               "--error-exitcode=3", "-j2", "-D_GNU_SOURCE", "-I", str(root), f"--include={loops.name}",
                               "--suppress=missingInclude", "--suppress=funcArgOrderDifferent", "--suppress=uninitvar",
                               *[str(root / folder) for folder in ("store", "fs", "tools") if (root / folder).is_dir()]],
                              capture_output=True, text=True)
    if done.returncode:
        wrong("cppcheck", done.stderr.strip())


CHECKS = {"includes": includes, "headers": headers, "sizes": sizes, "functions": functions, "banned": banned,
          "marks": marks, "format": format_, "shell": shell, "readmes": readmes, "manual": manual, "verbs": verbs,
          "cppcheck": cppcheck}


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in CHECKS:
        sys.exit(f"usage: lint.py {'|'.join(CHECKS)} ROOT [BINARIES]")
    CHECKS[sys.argv[1]](Path(sys.argv[2]).resolve(), sys.argv[3] if len(sys.argv) > 3 else None)
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
