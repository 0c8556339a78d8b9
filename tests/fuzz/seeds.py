#!/usr/bin/python3
"""Writes the seed corpora of the targets that have no samples of their own: seeds.py FOLDER. The files are
kept in the tree; running it again gives the same bytes."""
import base64
import hashlib
import sys
from pathlib import Path

# Both public keys of the seed 00 01 .. 1f.
PUBLIC_OF_IDENTITY = (b"af312bb3e66f192eb5eb3a6b113485ab426388f8f9cb644005cc15f784d56d0e"
                      b"0c451ec63c00278c91ecec21eaf40127262ca190d0167b1c28f698569985e998")

def path():
    for text in ("", "prod", "prod/", "prod/billing", "prod/billing/PORT", "prod/billing/.hidden", "prod//x", "/",
                 "a/b/c/d", "prod/billing/..", "prod/billing/.emsa", "prod/bil\u00e9/X", "web-1/web_2/a.b-c"):
        yield text.encode()
    yield b"a/b/c\0d"
    yield b"k" * 63 + b"/" + b"s" * 63 + b"/" + b"K" * 255


def template():
    for text in ("", "plain", "$", "$$", "$$$", "${KEY}", "a${KEY}b$$c", "shared/PG_HOST", "KEY", "a/b/C", "/K", "a/",
                 "postgres://${USER|url}:${postgres/PASSWORD|url}@${shared/PG_HOST}:5432/app?x=$${y}",
                 "{\"user\": ${USER|json},\n \"key\": \"${tls/KEY|base64}\"}\n", "${A|html}", "${A|url|json}", "${ A }",
                 "${}", "${", "${A", "${A\n}", "${A${B}}", "${../x/K}", "${a/b/C}", "${/K}", "${a/}", "${..}", "${.emsa}",
                 "\u00e9\u20ac\U0001f600 ${K|json}", "$K", "$(K)", "${|url}", "${K|}", "${a//K}"):
        yield text.encode()
    yield b"${a\0b}"
    yield b"\0\xff\xed\xa0\x80\xc0\xaf${K}\xf4\x90\x80\x80"
    yield b"${" + b"s" * 63 + b"/" + b"K" * 255 + b"}"
    yield b"${" + b"s" * 64 + b"/" + b"K" * 300 + b"}"


def codec():
    yield bytes([0, 1, 2, 3, 4]) + bytes(range(5))
    yield bytes([5, 5, 5]) + b"\x01a\x00"
    yield bytes([69] * 12) + b"\x02hi" * 4
    yield bytes([42] * 10) + b"\x02\0\0\0yo\xff\xff\xff\xff"
    yield bytes([7] * 8) + b"\x03abc\x03a\0b"
    yield bytes([8, 17, 26, 35]) + bytes(4)


def identity():
    def framed(domain, *parts):
        text = bytes([len(domain)]) + domain
        for part in parts:
            text += len(part).to_bytes(8, "little") + part
        return hashlib.blake2b(text, digest_size=32).digest()

    def derived(key, label, data=b""):
        return hashlib.blake2b(bytes([len(label)]) + label + data, key=key, digest_size=32).digest()

    def file(*slots, name=b"alice", public=PUBLIC_OF_IDENTITY):
        lines = [b"emsa-identity-2 " + name, b"public emsa1" + public, *slots]
        digest = framed(b"emsa-identity-2", *lines)
        mac = derived(seed, b"emsa-identity-mac-2", digest)
        return b"\n".join([*lines, b"check " + digest[:16].hex().encode() + b" " + mac.hex().encode()]) + b"\n"
    seed = bytes(range(32))
    plain, salt, sealed = b"plain " + seed.hex().encode(), b"00" * 16, b"11" * 48
    yield file(plain)
    yield b"# a remark\r\n\n" + file(plain).replace(b"\n", b" \r\n")
    yield file(b"passphrase 2 65536 " + salt + b" " + sealed, b"key-file " + salt + b" " + sealed)
    yield file(b"passphrase 1 65536 " + salt + b" " + sealed)
    yield file(b"passphrase 2 4294967296 " + salt + b" " + sealed)
    yield file(plain, plain)
    yield file(*[b"key-file " + salt + b" " + sealed] * 9)
    yield file(plain, public=b"00" * 64)
    yield file(plain, name=b"a b")
    yield file(b"other 1")
    yield file()
    yield file(plain)[:-2] + b"0\n"
    yield b"emsa-identity-1 abc\n"
    yield b"# only remarks\n"
    yield b"#" * 4097


def envelope():
    head = bytes([1, 0, 1, 0, 64, 0, 0, 0]) + bytes(56)
    slot = bytes([1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0]) + b"\x09" + bytes(79)
    yield b"\0" + head + slot + bytes(80)
    yield b"\0" + head
    yield b"\0" + bytes([2]) + head[1:] + slot + bytes(80)
    yield b"\0" + bytes([1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) + bytes(56)
    yield b"\1\0\0"
    for offset in (0, 2, 4, 8, 40, 64, 76, 108, 156, 230):
        yield bytes([1, offset >> 8, offset & 255, 1])


def record():
    """One of each sort from a store that was written once: its operations, headers and values."""
    vectors = Path(__file__).parent.parent / "unit/store/vectors/format-1.txt"
    seen = set()
    for line in vectors.read_text().splitlines():
        word, *rest = line.split(" ")
        which = {"log": 0, "commit": 1, "value": 2}.get(rest[0]) if word == "record" else None
        if which is None:
            continue
        body = bytes.fromhex(rest[2])[:-16]
        sort = which, body[1], body[-11:-8] == b"\x11\x08\0"  # with an end, and without
        if sort not in seen and len(body) < 1000:
            seen.add(sort)
            yield bytes([which]) + body
    for line in vectors.with_name("format-6.txt").read_text().splitlines():
        word, *rest = line.split(" ")
        body = bytes.fromhex(rest[2])[:-16] if word == "record" and rest[0] == "log" else bytes(2)
        if body[1] in (26, 27) and body[1] not in seen:  # who may do what
            seen.add(body[1])
            yield bytes([0]) + body


def type_():
    """The first byte is one less than the type's number, the second says whether a parameter stands before the value."""
    pem = "-----BEGIN A-----\nP: 4\n\nAA==\n-----END A-----\n"
    for number, texts in enumerate((
            ("text",), ("-9223372036854775808", "12"), ("true",), ("",), ("https://u:p%40@[::1]:80/a?b#c", "jdbc:a", "localhost:1"),
            ("65535",), ("1h30m2.5s", "9223372036854775807ns", "1\u00b5s"), ("a-b.internal.", "::ffff:1.2.3.4", "1.2.3.4"),
            ("a.b+c@d.example",), ("(?<n>a|[^b]{2,3})*\\p{L}$", "("), ('{"a": [1, -0.5e+3, "\\u00e9\\n", true, null, {}]}', "[[["),
            (pem, "text\n" + pem + pem), ("Zm9vYmE=", "Zm9vYmFyCg=="))):
        for text in texts:
            yield bytes([number, 0]) + text.encode()
    for number, parameter, text in ((0, "(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaab"), (0, "\u00e9.", "\u00e9x"), (9, "[a-z]+", "abc"), (0, "(", ""),
                                    (3, "debug", "debug"), (3, "debug", "x"), (4, "postgres", "postgres://h"), (4, "http", "ftp://h")):
        yield bytes([number, 1]) + parameter.encode() + b"\0" + text.encode()


def schema():
    def long(data):
        return len(data).to_bytes(4, "little") + data

    def words(*texts):
        return len(texts).to_bytes(2, "little") + b"".join(long(text) for text in texts)

    def key(name, kind, flags, fields=b"", required=(), into=(), values=(), schemes=()):
        return bytes([len(name)]) + name + bytes([kind]) + flags.to_bytes(2, "little") + fields + words(*required) + \
            words(*into) + words(*values) + words(*schemes)

    def whole(*keys, strict=0):
        return bytes([1, strict, 1]) + b"a" + long(b"what it is for") + len(keys).to_bytes(2, "little") + b"".join(keys)
    yield whole()
    yield whole(key(b"A", 6, 0x10, long(b"8080")), strict=1)
    yield whole(key(b"A", 2, 0x70, long(b"5") + (1).to_bytes(8, "little") + (9).to_bytes(8, "little")))
    yield whole(key(b"A", 4, 0x10, long(b"info"), values=(b"debug", b"info")))
    yield whole(key(b"A", 5, 0x401, long(b"where"), required=(b"prod",), into=(b"prod", b"dev"), schemes=(b"https",)))
    yield whole(key(b"A", 1, 0x390, long(b"abc") + (1).to_bytes(4, "little") + (9).to_bytes(4, "little") + long(b"[a-z]+")),
                key(b"B", 10, 0x0e), key(b"C", 13, 0x10, long(b"")))
    yield whole(key(b"B", 1, 0), key(b"A", 1, 0))
    yield whole(key(b"A", 14, 0))


def node():
    key = bytes(range(16))
    ids = (0, 1, 2, 3, 4, 1 << 60 | 7 << 40, 2 << 60 | 1 << 40 | 5 << 16, 3 << 60 | 1 << 40 | 9, 4 << 60 | 41 << 20 | 3,
           5 << 60, 6 << 60 | 1 << 40 | 5 << 16 | 1, 7 << 60 | 41, 9 << 60 | 1 << 55 | 3 << 50 | 1 << 48 | 41,
           11 << 60 | 3 << 55 | 2 << 50 | 77, 14 << 60 | 12, 15 << 60, (1 << 64) - 1)
    for number in ids:
        for extent in (0, 1, 2):
            yield number.to_bytes(8, "little") + bytes([extent, number & 1]) + key


def sealed():
    def body(names=(b"prod", b"billing", b"KEY"), size=40 + 64 + 16, zeros=bytes(3), end=b""):
        text = b"\1" + zeros + bytes(range(16)) + bytes((1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0))
        for name in names:
            text += bytes([len(name)]) + name
        return text + bytes(96) + size.to_bytes(4, "little") + bytes(size) + end

    def text(data):
        hashed = bytes([19]) + b"emsa-sealed-check-1" + len(data).to_bytes(8, "little") + data
        return b"emsa-sealed-1:" + base64.b64encode(data + hashlib.blake2b(hashed, digest_size=32).digest()[:16])
    yield b"\0" + text(body())
    yield b"\0 \n" + text(body())[:100] + b"\r\n  " + text(body())[100:] + b"\n"
    yield b"\0" + text(body())[:-5]
    yield b"\0emsa-sealed-2:AAAA"
    yield b"\0emsa-sealed-:AAAA"
    yield b"\0emsa-sealed-1:"
    yield b"\0a value"
    yield b"\1" + body()
    yield b"\1" + body(names=(b"prod", b"billing", b""))
    yield b"\1" + body(names=(b"prod", b"a/b", b"KEY"))
    yield b"\1" + body(names=(b"p" * 63, b"s" * 63, b"K" * 255))
    yield b"\1" + body(size=55)
    yield b"\1" + body(size=56)
    yield b"\1" + body(zeros=b"\0\1\0")
    yield b"\1" + body(end=b"x")
    yield b"\1" + body()[:-60]


def main():
    root = Path(sys.argv[1])
    for target in (path, template, codec, identity, envelope, record, type_, schema, node, sealed):
        folder = root / target.__name__.rstrip("_")
        folder.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(target()):
            (folder / f"{number:02}").write_bytes(data)


main()
