"""The classes of differences, each justified in README.md under its name: (name, judges, what emsa says, whether an
input is of it, by parameter, value and emsa's text). A class is as narrow as it can be said: what is outside fails."""
import re

from types_judges import url_rfc3987


def has(pattern):
    found = re.compile(pattern, re.S)
    return lambda parameter, value, text: bool(found.search(value))


def says(*reasons):
    return lambda parameter, value, text: any(reason in text for reason in reasons)



# --- urls ---

WEB = rb"(?i:https?|wss?)"
SPECIAL = rb"(?i:https?|wss?|ftp|file)"


def web_without_host(_parameter, value, _text):
    found = re.match(WEB + rb":(//)?([^/?#]*)", value)
    return bool(found) and (not found.group(1) or found.group(2).rpartition(b"@")[2][:1] in (b"", b":"))


URL_STRICTER = [
    ("a web url without a host", ("rfc3987", "node URL"), False, web_without_host),
    ("nothing behind the scheme", ("rfc3987", "node URL"), False, has(rb"\A[A-Za-z][A-Za-z0-9+.-]*:([?#]|\Z)")),
    ("a host and a port without a scheme", ("rfc3987", "node URL"), False,
     has(rb"\A[A-Za-z][A-Za-z0-9+.-]*:[0-9]+([/?#]|\Z)")),
]


def port_too_great(_parameter, value, _text):
    found = re.match(rb"[^:/]+://[^/?#]*:([0-9]+)(?=[/?#]|\Z)", value)
    return bool(found) and int(found.group(1)) > 65535


def web_host_is_odd(_parameter, value, _text):
    """A scheme that the URL standard knows, and a host that RFC 3986 takes and its host parser does not."""
    found = re.match(SPECIAL + rb"://(?:[^/?#@]*@)?(\[[^]]*\]|[^/?#:]*)(:[0-9]*)?", value)
    if not found:
        return False
    host = re.sub(rb"%([0-9A-Fa-f]{2})", lambda pair: bytes([int(pair.group(1), 16)]), found.group(1)).lower()
    is_in_brackets = host.startswith(b"[")
    last = host.rstrip(b".").rsplit(b".", 1)[-1]
    return bool(re.match(rb"[0-9]+\Z|0x[0-9a-f]*\Z", last) or b"xn--" in host or host.startswith(b"[v") or
                (not is_in_brackets and re.search(rb"[^a-z0-9.\-_~!$&'()*+,;=]", host)) or value[:5].lower() == b"file:")


# --- names ---

def last_label_is_number(_parameter, value, _text):
    return bool(re.search(rb"(\A|[.@])[0-9]+\.?\Z", value))


def domain_of(value):
    return value.rpartition(b"@")[2].lower()


SPECIAL_USE = re.compile(rb"(\A|\.)(local|localhost|test|invalid|example|arpa|onion|alt|internal)\Z")


# --- texts ---

def deeper_than_512(_parameter, value, text):
    return "inside one another" in text and max(value.count(b"["), value.count(b"{")) > 512 // 2


OF_PCRE2 = ("unrecognized character", "escape sequence is invalid in character class", "numbers out of order",
            "PCRE2 does not support", "invalid range in character class", "non-hex character",
           "assertion expected", "character code point value")

PATTERN_STRICTER = [
    ("a quantifier after an assertion", ("perl",), False, says("quantifier does not follow a repeatable item")),
    ("two groups of one name", ("perl",), False, says("two named subpatterns have the same name")),
]


def python_matches(parameter, value, _text):
    pattern = re.sub(r"\(\?<(?![=!])", "(?P<", parameter.decode()).replace("\\z", "\\Z")
    return bool(re.fullmatch(pattern, value.decode(), re.ASCII))


PEM = [  # what is in the way of a block that somebody meant, or of what reads it next
    ("a line of dashes that is no boundary", "no line that begins a block"),
    ("a boundary inside a line", "has to be at the begin of its line"),
    ("a NUL byte", "NUL byte"),
    ("what is no base64", "this is no base64"),
    ("an empty line in base64", "an empty line in a block"),
    ("an end that is not of its block", "no line that ends the block"),
    ("bits that belong to nothing", "bits that belong to nothing"),
    ("a header that is none", "a header (Name: text) or an empty line"),
]


CLASSES = {
    "string": PATTERN_STRICTER + [
        ("a NUL byte", ("perl",), False, has(rb"\0")),
        ("where Perl alone sees no match", ("perl",), True, python_matches),
    ],
    "int": [("blanks around a number", ("python json, struct",), False, has(rb"\A[ \t\r\n]|[ \t\r\n]\Z"))],
    "bool": [("blanks around a word", ("python json",), False, has(rb"\A[ \t\r\n]|[ \t\r\n]\Z"))],
    "enum": [],
    "url": [
        ("a port above 65535", ("rfc3987",), False, port_too_great),
        ("an octet with zeros before it", ("rfc3987",), False, has(rb"\[[^]]*[:.]0[0-9]+[.\]]")),
        *URL_STRICTER,
        ("what a parser repairs", ("node URL",), False, lambda parameter, value, _: not url_rfc3987(parameter, value)),
        ("a web host that is no domain", ("node URL",), True, web_host_is_odd),
        ("an address of the future", ("node URL",), True, has(rb"//(?:[^/?#@]*@)?\[[vV]")),
        ("a user or port without a host", ("node URL",), True, has(rb"\A[^:]+://(?:[^/?#@]*@)?(?::[0-9]*)?(?:[/?#]|\Z)")),
    ],
    "port": [
        ("zeros before a number", ("urllib",), False, has(rb"\A0[0-9]+\Z")),
        ("port 0", ("urllib",), False, has(rb"\A0\Z")),
    ],
    "duration": [("a sign of minus", ("documentation of Go",), False, has(rb"\A-"))],
    "hostname": [
        ("a last label of digits", ("ajv, ipaddress",), False, last_label_is_number),
        ("an address with a zone", ("ajv, ipaddress",), False, has(rb"%")),
    ],
    "email": [
        ("dots without atoms", ("html",), False, has(rb"\A\.|\.\.|\.@")),
        ("longer than may be", ("html", "email_validator"), False,
         lambda _, value, __: len(value) > 254 or value.find(b"@") > 64),
        ("a last label of digits", ("html", "email_validator"), False, last_label_is_number),
        ("a domain that is not delivered to", ("email_validator",), True,
         lambda _, value, __: b"." not in domain_of(value) or bool(SPECIAL_USE.search(domain_of(value))) or
         not domain_of(value)[-1:].isalpha()),
        ("a domain that is no IDNA", ("email_validator",), True, lambda _, value, __: b"--" in domain_of(value)),
    ],
    "regex": PATTERN_STRICTER + [
        ("what Perl has and PCRE2 has not", ("perl",), False, says(*OF_PCRE2)),
        ("a brace by itself", ("perl",), True, has(rb"\{(?!(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?\})|\\[cbB]\{")),
        ("a quantifier of 65535", ("perl",), True, has(rb"\{65535\}")),
        ("what PCRE2 has and Perl has not", ("perl",), True, has(rb"\(\?\*")),
    ],
    "json": [
        ("numbers that are none", ("python json",), False, has(rb"NaN|Infinity")),
        ("deeper than 512", ("python json", "node JSON"), False, deeper_than_512),
    ],
    "pem": [(name, ("openssl",), False, says(reason)) for name, reason in PEM] + [
        ("an empty line before base64", ("openssl",), True,
         has(rb"-----BEGIN [^\n]*\n([^\n]*:[^\n]*\n([ \t][^\n]*\n)*)*[ \t\r]*\n")),
    ],
    "base64": [
        ("no multiple of 4", ("python base64",), False, says("no multiple of 4")),
        ("bits that belong to nothing", ("python base64",), False, says("bits that belong to nothing")),
    ],
}
