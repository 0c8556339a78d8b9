"""nasty.py make SEED COUNT FILE: values that are hard to write, as lines for emsa import --tree.
nasty.py compare FILE YAML: PyYAML reads the YAML as those values. nasty.py write FILE YAML: PyYAML writes them."""
import base64
import json
import random
import sys

import yaml

PIECES = ["", " ", "  ", "\t", "\n", "\n\n", "\r", "\r\n", ":", ": ", " #", "#", "- ", "-", "? ", "'", "''", '"', "\\", "\\n",
          "|", ">", "%", "@", "`", "&a", "*a", "!", "!!str ", "[", "]", "{", "}", ",", "<<", "=", "~", "null", "Null", "yes",
          "no", "on", "Off", "y", "N", "true", "False", "0", "007", "0x1F", "0o17", "1_000", "1e3", "1.50", ".5", "-1", "+1",
          ".inf", ".nan", "1:30", "2026-11-30", "2026-11-30T12:00:00Z", "...", "---", "--- a", "a", "key: value", "ä", "€",
          "\u0085", "\u00a0", "\u2028", "\u2029", "\ufeff", "\u200b", "\ue000", "\ufffd", "\U0001f600", "\U0010ffff", "\ufffe",
          "\x01", "\x07", "\x1b[31m", "\x7f", "\u009f", "x" * 90, "word " * 30, "$", "${A}", "$$"]


def texts(chance, count):
    yield from PIECES
    for _ in range(count):
        yield "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 6)))
    for _ in range(count // 10):
        yield "\n".join(" " * chance.randint(0, 5) + chance.choice(PIECES) for _ in range(chance.randint(2, 8)))
    yield "x" * 1100
    yield "long line " * 400


def make(seed, count, path):
    chance = random.Random(seed)
    values = [text.encode() for text in texts(chance, count)]
    values += [bytes(chance.randrange(256) for _ in range(chance.randint(1, 40))) for _ in range(count // 20)]
    values += [b"\0", b"a\0b", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"good \xe2\x82"]
    with open(path, "w") as file:
        for number, value in enumerate(values):
            line = {"path": f"prod/nasty{number % 7}/K{number:05}", "secret": False,
                    "base64": base64.b64encode(value).decode()}
            print(json.dumps(line), file=file)


def wanted(path):
    values = {}
    with open(path) as file:
        for line in file:
            row = json.loads(line)
            values[row["path"]] = base64.b64decode(row["base64"])
    return values


class Reader(yaml.SafeLoader):
    """Every scalar is a text, but for the tags that the format has."""


Reader.yaml_implicit_resolvers = {}
Reader.add_constructor("!base64", lambda loader, node: base64.b64decode(loader.construct_scalar(node), validate=True))


def compare(path, document):
    with open(document, "rb") as file:
        tree = yaml.load(file, Loader=Reader)
    found = {}
    for service, members in tree["environments"]["prod"]["services"].items():
        for key, value in members["keys"].items():
            found[f"prod/{service}/{key}"] = value if isinstance(value, bytes) else value.encode()
    values = wanted(path)
    assert found.keys() == values.keys(), "other keys"
    for name, value in values.items():
        assert found[name] == value, f"{name}: {value!r} is read as {found[name]!r}"
    # and a program that takes plain scalars for what they look like writes no other text for a bare one
    with open(document, "rb") as file:
        typed = yaml.load(file, Loader=Typed)
    for service, members in typed["environments"]["prod"]["services"].items():
        for key, value in members["keys"].items():
            assert isinstance(value, (bytes, str)) or str(value).lower().encode() == values[f"prod/{service}/{key}"], \
                f"{service}/{key} is taken for {value!r}"
    print(f"{len(values)} values")


class Typed(yaml.SafeLoader):
    """PyYAML as everybody uses it."""


Typed.add_constructor("!base64", lambda loader, node: base64.b64decode(loader.construct_scalar(node)))


class Bytes(bytes):
    pass


class Writer(yaml.SafeDumper):
    pass


Writer.add_representer(Bytes, lambda dumper, value: dumper.represent_scalar("!base64", base64.b64encode(value).decode()))


def dumped(text):
    return yaml.dump([text], Dumper=Writer, allow_unicode=True)


def write(path, document):
    services = {}
    for name, value in wanted(path).items():
        _, service, key = name.split("/")
        try:
            text = value.decode()
            # what YAML can't hold, and what PyYAML itself does not read back as it wrote it (a next line, U+0085)
            held = text if "\0" not in text and yaml.safe_load(dumped(text)) == [text] else Bytes(value)
        except UnicodeDecodeError:
            held = Bytes(value)
        services.setdefault(service, {"keys": {}})["keys"][key] = held
    with open(document, "w", encoding="utf-8", newline="") as file:
        yaml.dump({"environments": {"prod": {"services": services}}}, file, Dumper=Writer, allow_unicode=True)


if sys.argv[1] == "make":
    make(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
elif sys.argv[1] == "compare":
    compare(sys.argv[2], sys.argv[3])
else:
    write(sys.argv[2], sys.argv[3])
