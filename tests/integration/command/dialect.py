#!/usr/bin/python3
"""dialect.py: rows of dotenv text, what emsa makes of each, and what other parsers do. A difference must stand in
the row, with its reason; a difference that has gone is a fault too, so that the list stays true.

Usage: dialect.py DIRECTORY PLACE [NODE_MODULES]; PLACE is a service that may be overwritten."""
import json
import subprocess
import sys
from pathlib import Path

import dotenv

# text, {key: value} as emsa reads it, {parser: reason} for those that read it otherwise
ROWS = [
    ("A=1\nB=two words\n", {"A": "1", "B": "two words"}, {}),
    ("A=\nB=\"\"\nC=''\n", {"A": "", "B": "", "C": ""}, {}),
    ("# comment\n\n  # indented\nA=1\n", {"A": "1"}, {}),
    ("  A = 1  \n", {"A": "1"}, {}),
    ("export A=1\n", {"A": "1"}, {}),
    ("A=1 # comment\n", {"A": "1"}, {}),
    ("A=1#none\n", {"A": "1#none"}, {"node": "every # outside quotes begins a comment"}),
    ("A='1 # none' # comment\n", {"A": "1 # none"}, {}),
    ('A="1 # none" # comment\n', {"A": "1 # none"}, {}),
    ("A='${X} $Y'\n", {"A": "${X} $Y"}, {}),
    ("A=http://${X}:$Y/\n", {"A": "http://${X}:$Y/"}, {}),
    ("A=$$x\n", {"A": "$$x"}, {}),
    ('A="one\\ntwo"\n', {"A": "one\ntwo"}, {}),
    ("A='one\\ntwo'\n", {"A": "one\\ntwo"}, {}),
    ('A="one\ntwo"\nB=3\n', {"A": "one\ntwo", "B": "3"}, {}),
    ("A='one\ntwo'\nB=3\n", {"A": "one\ntwo", "B": "3"}, {}),
    ('A="a\\tb"\n', {"A": "a\tb"}, {"node": "only \\n and \\r are escapes"}),
    ('A="say \\"hi\\""\n', {"A": 'say "hi"'}, {"node": "only \\n and \\r are escapes"}),
    ('A="\\$x"\n', {"A": "$x"}, {"python": "does not know \\$", "node": "only \\n and \\r are escapes"}),
    ('A="a\\\\b"\n', {"A": "a\\b"}, {"node": "only \\n and \\r are escapes"}),
    ('A="a\\qb"\n', {"A": "a\\qb"}, {}),
    ('A="a\\fb"\n', {"A": "a\\fb"}, {"python": "knows \\a \\b \\f \\v too"}),
    ("A='it\\'s'\n", {"A": "it's"}, {"node": "no escapes in single quotes"}),
    ("A='a\\\\b'\n", {"A": "a\\\\b"}, {"python": "\\\\ is one backslash in single quotes"}),
    ("A=a'b\"c\n", {"A": "a'b\"c"}, {}),
    ("A=a=b=c\n", {"A": "a=b=c"}, {}),
    ("A: 1\n", {"A": "1"}, {"python": "knows no ':'"}),
    ("A=1\nA=2\n", {"A": "2"}, {}),
    ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}, {}),
    ('A="one\r\ntwo"\r\n', {"A": "one\ntwo"}, {}),
    ("a.b=1\nC-D=2\n", {"a.b": "1", "C-D": "2"}, {}),
    ("A=\u00e4\u20ac\n", {"A": "\u00e4\u20ac"}, {}),
    ("A=1\t# tab\n", {"A": "1\t# tab"}, {"python": "any blank before # begins a comment", "node": "so does any #"}),
    ("A= # text\n", {"A": "# text"}, {"node": "every # outside quotes begins a comment"}),
    ("A=`x`\n", {"A": "`x`"}, {"node": "knows backquotes"}),
    ("\ufeffA=1\n", {"A": "1"}, {"python": "the mark is part of the first name"}),
    ("A=last", {"A": "last"}, {}),
]
NODE = """const dotenv = require('dotenv');
let text = ''; process.stdin.on('data', (d) => text += d).on('end', () =>
  process.stdout.write(JSON.stringify(dotenv.parse(text))));"""

faults = 0


def fault(text):
    global faults
    faults += 1
    print("FAULT:", text)


def by_python(path):
    return {k: v for k, v in dotenv.dotenv_values(path, interpolate=False, encoding="utf-8").items() if v is not None}


def by_node(path, modules):
    done = subprocess.run(["node", "-e", NODE], input=path.read_bytes(), capture_output=True, check=True,
                          env={"NODE_PATH": modules, "PATH": "/usr/local/bin:/usr/bin:/bin"})
    return json.loads(done.stdout)


def by_emsa(path, place):
    subprocess.run(["emsa", "import", place, str(path)], check=True, capture_output=True)
    done = subprocess.run(["emsa", "export", place, "--format", "json"], check=True, capture_output=True)
    subprocess.run(["emsa", "service", "rm", place, "--all"], check=True, capture_output=True)
    return json.loads(done.stdout)


def check_other(name, found, text, wanted, reasons):
    if found != wanted and name not in reasons:
        fault(f"{name} reads {text!r} as {found}, not as {wanted}, and no reason is listed")
    if found == wanted and name in reasons:
        fault(f"{name} reads {text!r} alike: its difference ({reasons[name]}) is gone")


def main():
    folder, place, modules = Path(sys.argv[1]), sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None
    differences = 0
    for number, (text, wanted, reasons) in enumerate(ROWS):
        path = folder / f"row{number}.env"
        path.write_bytes(text.encode())
        found = by_emsa(path, place)
        if found != wanted:
            fault(f"emsa reads {text!r} as {found}, not as {wanted}")
        check_other("python", by_python(path), text, wanted, reasons)
        if modules:
            check_other("node", by_node(path, modules), text, wanted, reasons)
        differences += len(reasons)
    print(f"{len(ROWS)} rows, {differences} differences with their reasons, {faults} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
