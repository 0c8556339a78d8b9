#!/usr/bin/python3
"""Proves of every check in lint.py that it passes a good tree and fails a bad one: each row below is one
fault, put into a small tree that is good without it."""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LINT = Path(__file__).with_name("lint.py")

GOOD = {
    ".clang-format": "BasedOnStyle: LLVM\n",
    "store/README.md": "`error` and `store`.\n",
    "store/error.h": "#ifndef E\n#define E\nint error_code(void);\n#endif\n",
    "store/store.h": '#ifndef S\n#define S\n#include "store/error.h"\n#endif\n',
    "store/db/README.md": "`env`.\n",
    "store/db/env.h": '#ifndef D\n#define D\n#include "store/error.h"\n#endif\n',
    "fs/README.md": "`loop`.\n",
    "fs/loop.c": '#include "store/store.h"\nint loop(void);\nint loop(void) { return 0; }\n',
    "tools/README.md": "`start`\n",
    "tools/start.sh": "#!/bin/bash\nset -euo pipefail\necho started\n",
    "tools/man/emsa.1": ".Dd November 1, 2026\n.Dt EMSA 1\n.Os\n.Sh NAME\n.Nm emsa\n.Nd one truth\n.Sh DESCRIPTION\n"
                        ".Bl -tag -width Ds\n.It Cm get\nGets.\n.El\n",
    "bin/emsa": "#!/bin/sh\nprintf '  get PATH\\n'\n",
}

BAD = [  # (check, file, text or None to remove, words that must be said)
    ("includes", "store/error.h", '#include "fs/loop.h"\n', "is not there"),
    ("includes", "store/db/env.h", '#include "store/store.h"\n', "may not look up"),
    ("includes", "store/a.c", '#include "fs/loop.c"\n', "tools -> fs -> store"),
    ("includes", "store/b.c", "#include <lmdb.h>\n", "belongs to store/db/"),
    ("includes", "tools/emsa/b.c", "#include <yaml.h>\n", "belongs to tools/emsa/yaml.c"),
    ("includes", "store/db/c.c", "#include <sodium.h>\n", "belongs to store/crypto/"),
    ("includes", "tools/d.c", "#include <fuse_lowlevel.h>\n", "belongs to fs/"),
    ("includes", "tools/e.c", '#include "store/db/env.h"\n', "public headers only"),
    ("includes", "fs/f.c", '#include "store/db/env.h"\n', "public headers only"),
    ("headers", "fs/view.h", "size_t view_size(void);\n", "does not compile alone"),
    ("sizes", "fs/loop.c", "\n" * 601, "601 lines"),
    ("functions", "fs/long.c", "int f(void)\n{\n" + "    ;\n" * 100 + "}\n", "'f' has"),
    ("banned", "fs/copy.c", "void f(char *a, char *b) { strcpy(a, b); }\n", "'strcpy' is banned"),
    ("banned", "fs/run.c", "int f(void) { return system(\"\"); }\n", "'system' is banned"),
    ("marks", "fs/loop.c", "/* TO" + "DO */\n", "left open"),
    ("marks", "tests/wait.sh", "set -eu\nsleep 1\n", "by the clock"),
    ("format", "fs/ugly.c", "int   f( void ){return 0;}\n", "ugly.c"),
    ("shell", "tools/start.sh", "#!/bin/bash\nset -euo pipefail\nrm $1\n", "SC2086"),
    ("shell", "tools/start.sh", "#!/bin/bash\necho started\n", "set -euo pipefail"),
    ("readmes", "fs/README.md", None, "has no README.md"),
    ("readmes", "fs/README.md", "nothing\n", "does not name 'loop'"),
    ("manual", "tools/man/emsa.1", ".Dd x\n.Sh NAME\n.Bogus\n", "emsa.1"),
    ("manual", "tools/man/emsa.1", None, "no manual page"),
    ("verbs", "bin/emsa", "#!/bin/sh\nprintf '  get\\n  put\\n'\n", "'put'"),
    ("verbs", "bin/emsa", "#!/bin/sh\nprintf '  put\\n'\n", "'get'"),
    ("cppcheck", "fs/index.c", "int f(void);\nint f(void)\n{\n    int a[2] = {0, 0};\n    return a[2];\n}\n", "index.c"),
]


def write(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if name.startswith("bin/"):
        path.chmod(0o755)


def run(check, root):
    done = subprocess.run([sys.executable, str(LINT), check, str(root), str(root / "bin")],
                          capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def tree(extra=None):
    folder = tempfile.TemporaryDirectory(prefix="emsa-lint-")
    for name, text in GOOD.items():
        write(Path(folder.name), name, text)
    if extra:
        name, text = extra
        if text is None:
            (Path(folder.name) / name).unlink()
        else:
            write(Path(folder.name), name, text)
    return folder


def main():
    faults = 0
    checks = re.findall(r'"(\w+)": \w+', LINT.read_text().split("CHECKS = {")[1].split("}")[0])
    for check in checks:
        if check not in {row[0] for row in BAD}:
            print(f"{check}: nothing proves that it can fail")
            faults += 1
        with tree() as root:
            code, said = run(check, Path(root))
            if code:
                print(f"{check}: fails a good tree: {said}")
                faults += 1
    for check, name, text, words in BAD:
        with tree((name, text)) as root:
            code, said = run(check, Path(root))
            if code != 1 or words not in said:
                print(f"{check}: does not see the fault in {name} ('{words}'): exit {code}: {said}")
                faults += 1
    print(f"{len(checks)} checks, {len(BAD)} faults, {faults} surprises")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
