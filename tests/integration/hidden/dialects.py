#!/usr/bin/python3
"""Who reads `.emsa/env` reads the values that were set, whoever it is.

dialects.py write SEED FILE                  a corpus: {"KEY": value}, as `emsa import` takes it
dialects.py compare FILE DIRECTORY [MODULES] DIRECTORY is the `.emsa` of a service that was given the corpus; MODULES a
                                             folder of node's modules with dotenv in it

Two readers are here because they can't be had: compose-go (docker compose since version 2) and systemd, each written
from its description: https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
and systemd.exec(5), EnvironmentFile=."""
import base64
import json
import random
import subprocess
import sys
from pathlib import Path

import dotenv

# value, and why it is not in env ("": it is there)
NAME, NUL, UTF8, QUOTING = "its name", "a NUL byte", "no UTF-8", "no quoting"
ROWS = [
    ("", ""), ("plain", ""), ("two words", ""), (" outer blanks ", ""), ("\ttabs\t", ""), ("  ", ""), ("\n", ""),
    ("a=b=c", ""), ("# no comment", ""), ("x # no comment", ""), ("x#y", ""), (";", ""), ("a;b", ""), ("a&b|c<d>e(f)", ""),
    ("$HOME", ""), ("a$b", ""), ("$", ""), ("$$", ""), ("$(id)", ""), ("`id`", ""), ("!x", ""), ("*", ""), ("~", ""),
    ("~root", ""), ("a~b:~", ""), ("{a,b}", ""), ("[x]", ""), ("?", ""), ("%s %d", ""), ("\\n", ""), ("a\\b", ""), ("\\t\\x41", ""),
    ('say "hi"', ""), ('"', ""), ('""', ""), ("it's", ""), ("'", ""), ("''", ""), ("it's\ntwo lines", ""), ("it's # one", ""),
    ("one\ntwo", ""), ("one\n\ntwo\n", ""), ("A=1\nB=2", ""), ("\nB=2", ""), ("# x\n# y", ""), ("one\\\ntwo", ""),
    ("export A=1", ""), ("null", ""), ("true", ""), ("0", ""), ("-1", ""), ("1e3", ""), ("yes", ""), (":", ""), ("a: b", ""),
    ("http://u:p@h:80/p?q=1&r=%20#f", ""), ("/usr/bin:/bin", ""), ("a@b.example", ""), ("YWJj+/==", ""), ("{\"a\": [1, \"b\"]}", ""),
    ("-----BEGIN X-----\nQUJD+/\n-----END X-----\n", ""), ("ä€😀", ""), ("\u00a0", ""), ("\u2028", ""), ("\ufeffx", ""), ("\u0085", ""),
    ("\x01\x02", ""), ("\x1b[0m", ""), ("\x7f", ""), ("\x0b\x0c", ""), ("x\x0b", ""), ("x\u3000", ""),
    ("a'b`c", QUOTING), ("it's $5", QUOTING), ("'\"", QUOTING), ("it's \\", QUOTING), ("x\\", QUOTING), ("\\", QUOTING),
    ("\\\\server\\share", QUOTING), ("one\r\ntwo", QUOTING), ("\r", QUOTING), ("${HOME}", QUOTING), ("a${b", QUOTING),
    ("a\0b", NUL), ("\0", NUL), (b"\xff\xfe", UTF8), (b"a\x80", UTF8),
]
NAMES = [("a-b", NAME), ("a.b", NAME), ("1A", NAME), (".x", NAME), ("lower", ""), ("export_x", ""), ("A1_", ""), ("__", ""),
         ("PATH", ""), ("IFS", ""), ("LC_ALL", ""), ("HOME", ""), ("BASH_ENVIRONMENT", "")]
# bash ends over the first three, the next are made up by it, dash ends over the last
NAMES += [(name, "a shell keeps") for name in ("UID", "EUID", "PPID", "RANDOM", "SECONDS", "_", "GROUPS", "OPTIND")]
ALPHABET = ["a", "Z", "0", " ", "\t", "\n", "'", '"', "\\", "$", "`", "#", "=", "{", "}", "!", ";", "é", "\r", ",", ":", "n", "r"]


def corpus(seed):
    """{key: (bytes, why not or None where it is not said)}"""
    dice, found = random.Random(seed), {}
    for number, (value, gap) in enumerate(ROWS):
        found[f"ROW{number:03}"] = (value.encode() if isinstance(value, str) else value, gap)
    for name, gap in NAMES:
        found[name] = (b"of a name", gap)
    for number in range(400):
        few = dice.sample(ALPHABET, dice.randrange(1, 6))
        found[f"R{number:03}"] = ("".join(dice.choice(few) for _ in range(dice.randrange(1, 12))).encode(), None)
    return found


def write(seed, path):
    said = {}
    for key, (value, _) in corpus(seed).items():
        try:
            said[key] = value.decode()
        except UnicodeDecodeError:
            said[key] = {"base64": base64.b64encode(value).decode()}
    Path(path).write_text(json.dumps(said))
    Path(path + ".seed").write_text(str(seed))


# --- readers: {key: bytes} of a file

def by_shell(shell):
    def read(path):
        script = 'set -a; . "$0"; exec /usr/bin/env -0'
        done = subprocess.run(["/usr/bin/env", "-i", shell, "-c", script, str(path)], capture_output=True, check=True)
        pairs = (part.split(b"=", 1) for part in done.stdout.split(b"\0") if part)
        return {key.decode(): value for key, value in pairs if key not in (b"PWD", b"SHLVL", b"OLDPWD")
                and not (key == b"_" and value.startswith(b"/"))}
    return read


def by_python(interpolate):
    return lambda path: {key: value.encode() for key, value in
                         dotenv.dotenv_values(path, interpolate=interpolate, encoding="utf-8").items()}


def by_compose_1(path):
    script = ("import json, sys; from compose.config.environment import env_vars_from_file; "
              "print(json.dumps(env_vars_from_file(sys.argv[1])))")
    done = subprocess.run(["/usr/bin/python3", "-c", script, str(path)], capture_output=True, check=True)
    return {key: value.encode() for key, value in json.loads(done.stdout).items()}


def by_node(expression, modules):
    script = f"const text = require('fs').readFileSync(process.argv[1], 'utf8'); console.log(JSON.stringify({expression}))"

    def read(path):
        done = subprocess.run(["node", "-e", script, str(path)], capture_output=True, check=True,
                              env={"NODE_PATH": modules, "PATH": "/usr/local/bin:/usr/bin:/bin"})
        return {key: value.encode() for key, value in json.loads(done.stdout).items()}
    return read


def by_compose_2(path):
    """Lines of KEY=value; unquoted ones end before ` #` and are trimmed; quoted ones end at the next such quote that has no
    backslash before it; between double quotes there are escapes, and outside single ones variables."""
    text, at, found = path.read_text(encoding="utf-8"), 0, {}
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        if text[at] == "#":
            at = end
            continue
        key, at = text[at:text.index("=", at)].strip(), text.index("=", at) + 1
        quote = text[at:at + 1]
        if quote in ("'", '"'):
            close = at + 1
            while text[close] != quote or text[close - 1] == "\\":
                close += 1
            value = text[at + 1:close]
            assert value.strip(quote) == value or value.startswith(quote) is False, "a quote inside"
            assert quote == "'" or not set(value) & set("\\$"), "what would be expanded"
            at = close + 1
        else:
            value = text[at:end].split("#")[0].strip()
            assert not set(value) & set("\\$"), "what would be expanded"
            at = end
        found[key] = value.encode()
    return found


def by_systemd(path):
    """systemd.exec(5): as POSIX shells quote, but that blanks inside an unquoted value stay; the file is UTF-8."""
    text, at, found = path.read_text(encoding="utf-8"), 0, {}
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        if not line.strip() or line.lstrip()[0] in "#;" or "=" not in line:
            at = end + 1
            continue
        key, at = line.split("=", 1)[0].strip(), at + line.index("=") + 1
        value = []
        while at < len(text) and text[at] != "\n":
            if text[at] == "'":
                close = text.index("'", at + 1)
                value.append(text[at + 1:close])
                at = close + 1
            elif text[at] == '"':
                at += 1
                while text[at] != '"':
                    if text[at] == "\\" and text[at + 1] in '"\\`$':
                        at += 1
                    value.append(text[at])
                    at += 1
                at += 1
            elif text[at] == "\\":
                value.append(text[at + 1])
                at += 2
            else:
                close = text.find("\n", at)
                value.append(text[at:close].strip(" \t\r"))
                at = close
        found[key] = "".join(value).encode()
        at += 1
    return found


# --- comparing

def differing(found, wanted):
    return [f"{key}: {wanted.get(key)!r} is read as {found.get(key)!r}" for key in sorted(found.keys() | wanted.keys())
            if found.get(key) != wanted.get(key)]


def left_out(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    words = (line[len("# left out: "):].split(" (", 1) for line in lines if line.startswith("# left out: "))
    return {key: why for key, why in words}


def members(path):
    """.emsa/json as bytes"""
    return {key: base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode()
            for key, value in json.loads(path.read_text(encoding="utf-8")).items()}


def compare(path, directory, modules):
    rows = corpus(Path(path + ".seed").read_text())
    env, faults = directory / "env", []
    faults += [f"json: {line}" for line in differing(members(directory / "json"), {key: row[0] for key, row in rows.items()})]
    gaps = left_out(env)
    for key, (value, gap) in rows.items():
        if gap is not None and (gap not in gaps.get(key, "") if gap else key in gaps):
            faults.append(f"{key}: {value!r} is left out because {gaps.get(key, 'it is not')}, and not because {gap or 'it is not'}")
    wanted = {key: row[0] for key, row in rows.items() if key not in gaps}
    readers = {"bash": by_shell("bash"), "sh": by_shell("sh"), "python's dotenv": by_python(False),
               "python's dotenv, expanding": by_python(True), "compose 2": by_compose_2, "systemd": by_systemd}
    if Path("/usr/bin/docker-compose").exists():
        readers["docker-compose 1"] = by_compose_1
    if modules:
        readers["node's dotenv"] = by_node("require('dotenv').parse(text)", modules)
    if subprocess.run(["node", "-e", "require('util').parseEnv('A=1')"], capture_output=True, check=False).returncode == 0:
        readers["node --env-file"] = by_node("require('util').parseEnv(text)", "")
    for name, read in readers.items():
        there = differing(read(env), wanted)
        faults += [f"{name}: {line}" for line in there[:20]]
    print(f"{len(wanted)} of {len(rows)} values read alike by {', '.join(readers)}; {len(gaps)} left out and named")
    return faults


def main():
    if sys.argv[1] == "write":
        write(sys.argv[2], sys.argv[3])
        return
    faults = compare(sys.argv[2], Path(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else None)
    for fault in faults:
        print("FAULT:", fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
