"""Inputs for each type: (parameter, value) as bytes, from a seed. A third is right by how it is made, a third is
that with an edit or two, the rest stands at the borders of the rules or is made of the letters that matter."""
import base64
import json
import random
import re
import string
import warnings

from types_borders import BORDERS

WORDS = ["debug", "info", "warn", "error"]
SCHEMES = ["", "https", "postgres\npostgresql", "http\nhttps\nws\nwss"]


def mutated(rng, value, letters):
    value = bytearray(value)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        at = rng.randrange(len(value) + 1)
        how = rng.randrange(5)
        if how == 0 or at == len(value):
            value[at:at] = bytes([rng.choice(letters)])
        elif how == 1:
            del value[at]
        elif how == 2:
            value[at] = rng.choice(letters)
        elif how == 3:
            value[at:at] = value[at:at + rng.randrange(1, 5)]
        else:
            value[at] ^= 0x20 if rng.random() < 0.7 else 1 << rng.randrange(8)
    return bytes(value)


def with_end(rng, value):
    """What values bring along when they are copied."""
    if rng.random() > 0.04:
        return value
    return rng.choice((value + b"\n", value + b"\r\n", b" " + value, value + b" ", b'"' + value + b'"', value + b"\0",
                       b"\xef\xbb\xbf" + value, value + b"\t"))


# --- numbers ---

def int_made(rng):
    digits = rng.choice((1, 2, 3, 5, 10, 18, 19, 20, 21))
    number = rng.randrange(10 ** digits)
    near = rng.choice((2 ** 63, 2 ** 63, 2 ** 64, 2 ** 31, 0))
    number = rng.choice((number, number, near + rng.randrange(-3, 4)))
    return rng.choice(("%d", "%d", "-%d", "-%d", "+%d", "0%d", "%d.0", "%de3", "0x%x")) % number if rng.random() < 0.4 \
        else str(rng.choice((number, -number)))


def port_made(rng):
    number = rng.choice((rng.randrange(65536), rng.randrange(65536), rng.randrange(100000), 65535 + rng.randrange(-2, 3),
                         rng.randrange(3)))
    return rng.choice(("%d",) * 6 + ("0%d", "%d0", "-%d", "+%d", "%d.")) % number


UNITS = ["ns", "us", "\u00b5s", "\u03bcs", "ms", "s", "m", "h"]


def duration_made(rng):
    if rng.random() < 0.05:
        return rng.choice(("0", "+0", "-0", "", ".", "1", "00", "9223372036854775807ns", "9223372036854775808ns",
                           "2562047h47m16.854775807s", "2562047h47m16.854775808s", "-1ns", "-9223372036854775808ns",
                           "9223372036.854775807s", "9223372036.854775808s", ".s", "1.s", ".5s", "+.5s", "1e3s", "1d",
                           "3000000h", "0.100000000000000000000h", "0.830103483285477580700h",
                           "9223372036854775.807us", "0.9223372036854775807s", "1.00000000000000000000000001s"))

    def one():
        whole = str(rng.randrange(10 ** rng.choice((1, 1, 2, 2, 3, 6, 12))))
        fraction = rng.choice(("", "", "", ".", "." + str(rng.randrange(10 ** rng.choice((1, 2, 9, 20))))))
        return (whole if rng.random() < 0.95 or not fraction else "") + fraction + rng.choice(UNITS)
    return rng.choice(("",) * 8 + ("+", "-")) + "".join(one() for _ in range(rng.choice((1, 1, 1, 2, 3))))


# --- names ---

def label(rng):
    length = rng.choice((1, 1, 2, 3, 5, 8, 8, 12, 20)) if rng.random() < 0.96 else rng.choice((62, 63, 64))
    text = "".join(rng.choice(string.ascii_lowercase + string.digits + "-A") for _ in range(length))
    return text.strip("-") or "a" if rng.random() < 0.9 else text


def name_made(rng):
    if rng.random() < 0.03:
        parts = [label(rng) for _ in range(60)]
        return ".".join(parts)[:rng.choice((252, 253, 254, 255, 256))]
    tail = rng.choice(("com", "internal", "local", "x", "a1", "1a", label(rng), str(rng.randrange(300)), "xn--p1ai"))
    parts = [label(rng) for _ in range(rng.choice((0, 1, 1, 2, 3)))] + [tail]
    return ".".join(parts) + ("." if rng.random() < 0.05 else "")


def ipv4_made(rng):
    parts = [str(rng.choice((rng.randrange(256), rng.randrange(256), rng.randrange(300), 255, 0)))
             for _ in range(rng.choice((4,) * 12 + (3, 5)))]
    if rng.random() < 0.05:
        parts[0] = "0" + parts[0]
    return ".".join(parts)


def ipv6_made(rng):
    groups = ["%x" % rng.randrange(16 ** rng.choice((1, 2, 4, 4, 4))) for _ in range(8)]
    if rng.random() < 0.05:
        groups[rng.randrange(8)] += "0"
    if rng.random() < 0.2:
        groups[6:] = [ipv4_made(rng)]
    if rng.random() < 0.7:
        at, length = rng.randrange(len(groups)), rng.randrange(0, 5)
        head, rest = groups[:at], groups[at + length:]
        return ":".join(head) + "::" + ":".join(rest)
    if rng.random() < 0.1:
        groups = groups[:rng.randrange(9)]
    return ":".join(groups) + ("%eth0" if rng.random() < 0.03 else "")


def hostname_made(rng):
    return rng.choice((name_made, name_made, name_made, ipv4_made, ipv6_made))(rng)


ATOM = string.ascii_letters + string.digits + "!#$%&'*+/=?^_`{|}~-"


def email_made(rng):
    def atom():
        return "".join(rng.choice(ATOM) for _ in range(rng.choice((1, 3, 5, 8, 12))))
    local = ".".join(atom() for _ in range(rng.choice((1, 1, 2, 3))))
    if rng.random() < 0.05:
        local = ("a" * 80)[:rng.choice((63, 64, 65))]
    if rng.random() < 0.08:
        local = rng.choice((".a", "a.", "a..b", '"a b"', "", "a(b)", "\u00e9", "a b", '"a"'))
    domain = name_made(rng) if rng.random() < 0.9 else rng.choice(("[127.0.0.1]", "127.0.0.1", "", "-a.b", "a_b.c"))
    return local + "@" + domain


# --- urls ---

def url_text(rng, extra):
    letters = string.ascii_letters + string.digits + "-._~!$&'()*+,;=" + extra
    text = "".join(rng.choice(letters) for _ in range(rng.choice((0, 1, 3, 6, 12))))
    if rng.random() < 0.2:
        text += "%" + "".join(rng.choice(string.hexdigits) for _ in range(2)) + rng.choice(letters)
    return text


def url_authority(rng):
    user = rng.choice(("", "", "", url_text(rng, ":") + "@", "u:p@"))
    host = rng.choice((name_made, name_made, name_made, ipv4_made))(rng)
    if rng.random() < 0.25:
        host = rng.choice(("[" + ipv6_made(rng) + "]", url_text(rng, ""), "", "[v1.a:b]", "[vF.]", "[v.a]", "[::1]"))
    port = rng.choice(("", "", "", ":%d" % rng.randrange(70000), ":", ":0080", ":65535", ":65536", ":8a"))
    return user + host + port


def url_made(rng):
    scheme = rng.choice(("http", "https", "https", "postgres", "redis", "amqp", "file", "HTTPS", "a+b-c.d", "ws", "urn",
                         "mailto", "jdbc", "localhost", "1http", "ht_tp", ""))
    shape = rng.random()
    if shape < 0.75:
        rest = "//" + url_authority(rng) + "".join("/" + url_text(rng, ":@") for _ in range(rng.randrange(4)))
    elif shape < 0.85:
        rest = rng.choice((url_text(rng, ":@/"), "8080", "8080/a", "/a/b", "", "//", "/", "//a", "///a", "?a", "#a"))
    else:
        rest = "/" + url_text(rng, ":@/") + "/" + url_text(rng, ":@")
    if rng.random() < 0.4:
        rest += "?" + url_text(rng, ":@/?")
    if rng.random() < 0.2:
        rest += "#" + url_text(rng, ":@/?")
    return scheme + rng.choice((":",) * 30 + ("", "::")) + rest


# --- texts ---

def json_made(rng, depth=0):
    kind = rng.randrange(10 if depth < 4 else 6)
    if kind == 0:
        return rng.choice(("true", "false", "null", "nul", "True", "NaN", "Infinity", "-Infinity", "undefined")
                          if rng.random() < 0.2 else ("true", "false", "null"))
    if kind in (1, 2):
        if rng.random() < 0.2:
            return rng.choice(("01", "-", "-0", "-0.0", "1.", ".5", "1e5", "1E+5", "1e", "1e-", "+1", "0x10", "1.5e-10",
                               "1e400", "-01", "0e1", "1.0.0", "9" * 40))
        return str(rng.choice((rng.randrange(1000), -rng.randrange(1000), rng.random(), rng.random() * 1e30)))
    if kind in (3, 4, 5):
        inner = "".join(rng.choice(("a", "b", " ", "\u00e9", "\U0001f600", "\\n", "\\\"", "\\u00e9", "\\ud800", "\\/", "\\u12",
                                    "\\x", "\t", "\\", "\x7f", "\x00", "\n") if rng.random() < 0.08 else ("x", "y", "\\t", "\u20ac"))
                        for _ in range(rng.randrange(8)))
        return '"' + inner + '"'
    blank = rng.choice(("", "", " ", "\n", "\r\n\t")) if rng.random() < 0.98 else rng.choice(("\f", "\u00a0", "//", "/**/"))
    items = [json_made(rng, depth + 1) for _ in range(rng.randrange(4))]
    comma = "," if rng.random() < 0.98 else rng.choice((",,", ";", ""))
    tail = "," if items and rng.random() < 0.03 else ""
    if kind in (6, 7):
        return "[" + blank + (comma + blank).join(items) + tail + blank + "]"
    keys = ['"k%d"' % rng.randrange(3) if rng.random() < 0.97 else rng.choice(("k", "'k'", "1", "")) for _ in items]
    colon = ":" if rng.random() < 0.98 else rng.choice(("", "=", "::"))
    return "{" + blank + (comma + blank).join(k + blank + colon + blank + v for k, v in zip(keys, items)) + tail + "}"


def json_input(rng):
    if rng.random() < 0.03:
        depth = rng.choice((1, 100, 511, 512, 513, 600))
        text = rng.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth + "1" + "]" * (depth - 1),
                           "[{\"a\":" * (depth // 2) + "1" + "}]" * (depth // 2)))
        return text.encode()
    text = json_made(rng).encode("utf-8", "surrogatepass")
    return rng.choice((b"", b"", b" ", b"\n")) + text + rng.choice((b"", b"", b"\n", b" ", b"\r\n"))


LABELS = ["CERTIFICATE", "PRIVATE KEY", "RSA PRIVATE KEY", "X509 CRL", "PUBLIC KEY", "A", "EC PARAMETERS"]


def pem_block(rng):
    name = rng.choice(LABELS) if rng.random() < 0.97 else rng.choice(("", "A-B", "A--B", " A", "A ", "-A", "a.b", "A  B", "\u00e9"))
    end = name if rng.random() < 0.97 else rng.choice(LABELS)
    data = bytes(rng.randrange(256) for _ in range(rng.choice((1, 2, 3, 30, 47, 48, 49, 96, 97, 150))))
    text = base64.b64encode(data).decode()
    width = 64 if rng.random() < 0.8 else rng.choice((4, 60, 76, 63, 1000))
    eol = rng.choice(("\n",) * 12 + ("\r\n", "\r\n", "\r"))
    lines = [text[i:i + width] for i in range(0, len(text), width)]
    if rng.random() < 0.06:
        lines[0:0] = ["Proc-Type: 4,ENCRYPTED", "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF", ""]
    if rng.random() < 0.05:
        lines.insert(rng.randrange(len(lines) + 1), rng.choice(("", " ", "text", "a:b", "====", "AAAA")))
    blank = "" if rng.random() < 0.93 else rng.choice((" ", "\t", "  "))
    return eol.join(["-----BEGIN " + name + "-----" + blank] + lines + ["-----END " + end + "-----"]) + \
        (eol if rng.random() < 0.9 else "")


def pem_made(rng):
    text = ""
    for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
        if rng.random() < 0.08:
            text += rng.choice(("subject=/CN=a\n", "Bag Attributes\n    localKeyID: 01\n", "\n", "-----\n", "text ", "----BEGIN\n"))
        text += pem_block(rng)
    return text + rng.choice(("",) * 20 + ("\n", "rest", "-----BEGIN A-----\n", "-----END A-----\n"))


def base64_made(rng):
    data = bytes(rng.randrange(256) for _ in range(rng.choice((0, 1, 2, 3, 4, 5, 16, 20, 32))))
    text = (base64.urlsafe_b64encode if rng.random() < 0.15 else base64.b64encode)(data).decode()
    return text.rstrip("=") if rng.random() < 0.15 else text


# --- patterns ---

def pattern_made(rng, depth=0):
    def atom():
        kind = rng.randrange(12 if depth < 3 else 9)
        if kind < 5:
            return rng.choice("abcxy01")
        if kind == 5:
            return rng.choice((".", "\\d", "\\w", "\\s", "\\D", "\\W", "\\.", "\\-", "\\\\", "\u00e9"))
        if kind in (6, 7):
            inner = rng.choice(("abc", "a-c", "0-9", "^ab", "^0-9", "a-z0-9", "\\d_", "xy-", "]a", "^]a", "\u00e9a"))
            return "[" + inner + "]"
        if kind == 8:
            return rng.choice(("^", "$", "\\b", "\\A", "\\z", "\\Z", "\\B"))
        return rng.choice(("(", "(?:", "(?:", "(?i:", "(?=", "(?!", "(?<n>")) + pattern_made(rng, depth + 1) + ")"

    def piece():
        return atom() + rng.choice(("",) * 6 + ("*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?", "?+"))
    one = "".join(piece() for _ in range(rng.choice((1, 2, 2, 3, 4))))
    return one + "|" + pattern_made(rng, depth + 1) if rng.random() < 0.15 and depth < 3 else one


PATTERN_LETTERS = b"abcx01()[]{}*+?|\\^$.-,:=!<>dwsbAzP"


def subject(rng, pattern):
    """Often something that the pattern would take: its letters, repeated a little."""
    letters = [c for c in pattern.decode("utf-8", "replace") if c.isalnum()] or ["a"]
    return "".join(rng.choice(letters + ["a", "0", "_"] if rng.random() < 0.3 else letters)
                   for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4, 6)))).encode()


def matches(pattern, value):
    """So that there are enough that match; who is right is for others to say."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bool(re.fullmatch(pattern.decode(), value.decode()))
    except re.error:
        return False


def regex_input(rng):
    pattern = pattern_made(rng).encode()
    return mutated(rng, pattern, PATTERN_LETTERS) if rng.random() < 0.5 else pattern


def text_input(rng):
    """A pattern and a value of the type string: the pattern is one that compiles everywhere, mostly."""
    pattern = pattern_made(rng).encode()
    for _ in range(12):
        value = subject(rng, pattern)
        if rng.random() < 0.15 or matches(pattern, value):
            break
    return pattern, value + rng.choice((b"",) * 30 + (b"\n", b"\0", b"\xff"))


MADE = {  # type: what makes its values, the letters of its edits
    "int": (int_made, b"0123456789-+. eE"),
    "bool": (lambda rng: rng.choice(("true", "false", "true", "false", "True", "yes", "1", "0", "on", "TRUE", "")), b"truefals TF10"),
    "enum": (lambda rng: rng.choice(WORDS + ["", "Debug", "infos", "debug\ninfo", "war", "trace"]), b"debuginfowarn \n"),
    "url": (url_made, b"abz019-._~:/?#[]@!$&'()*+,;=% \"<>\\^`{|}\xc3\xa9"),
    "port": (port_made, b"0123456789-+. "),
    "duration": (duration_made, b"0123456789.hmsnu+- d\xc2\xb5"),
    "hostname": (hostname_made, b"abz019-.:_%[]/ A"),
    "email": (email_made, b"abz019-._@+\"() \\,;:<>[]"),
    "pem": (pem_made, b"ABab01+/=-\n\r :,E"),
    "base64": (base64_made, b"ABCabc019+/=-_\n "),
}


def value_of(rng, kind):
    make, letters = MADE[kind]
    if rng.random() < 0.02:
        return bytes(rng.choice(letters) for _ in range(rng.randrange(12)))
    value = make(rng).encode("utf-8", "surrogatepass")
    edits = 0.05 if kind in ("int", "port", "bool", "enum") else 0.25
    return with_end(rng, mutated(rng, value, letters) if rng.random() < edits else value)


def inputs(kind, seed, count):
    rng = random.Random(f"{seed}:{kind}")
    parameter = "\n".join(WORDS[:2]).encode() if kind == "enum" else b""
    borders = BORDERS[kind]
    for value in borders:
        yield parameter, value
    for _ in range(count - len(borders)):
        if kind == "string":
            yield text_input(rng)
        elif kind == "regex":
            yield b"", regex_input(rng)
        elif kind == "json":
            value = json_input(rng)
            yield b"", with_end(rng, mutated(rng, value, b'{}[]",:0123456789eE+-.\\ntu \xff\xc3') if rng.random() < 0.25 else value)
        elif kind == "enum":
            yield "\n".join(WORDS[:rng.choice((2, 4))]).encode(), value_of(rng, kind)
        elif kind == "url":
            yield (rng.choice(SCHEMES) if rng.random() < 0.2 else "").encode(), value_of(rng, kind)
        else:
            yield b"", value_of(rng, kind)
