"""Verdicts that are not ours, of the same inputs: each judge takes a list of (parameter, value) and gives a list of
True and False, or None where it has no opinion. Nothing of emsa's is used here."""
import base64
import binascii
import ctypes
import ctypes.util
import ipaddress
import json
import os
import re
import struct
import subprocess
import sys
import urllib.parse
from fractions import Fraction
from pathlib import Path

import email_validator
import rfc3987

HERE = Path(__file__).parent
sys.setrecursionlimit(5000)


def each(judge):
    """A judge of one value as one of a list."""
    return lambda inputs: [judge(parameter, value) for parameter, value in inputs]


def latin(value):
    return value.decode("latin-1")


def run(command, lines, env=None):
    done = subprocess.run(command, input="".join(line + "\n" for line in lines), capture_output=True, text=True,
                          env={**os.environ, **(env or {})})
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr}")
    answers = done.stdout.split("\n")[:-1]
    if len(answers) != len(lines):
        raise SystemExit(f"{command[0]}: {len(answers)} answers to {len(lines)} questions")
    return answers


def node(word):
    def judge(inputs):
        lines = [f"{word} {value.hex()} {parameter.hex()}" for parameter, value in inputs]
        env = {"NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs"}
        return [answer == "1" for answer in run(["node", str(HERE / "types_node.js")], lines, env)]
    return judge


# --- numbers and words ---

def json_value(value):
    try:
        return json.loads(value.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def int_json(_, value):
    number = json_value(value)
    try:
        return type(number) is int and bool(struct.pack("q", number))
    except struct.error:
        return False


def bool_json(_, value):
    return type(json_value(value)) is bool


def port_urllib(_, value):
    try:
        return urllib.parse.SplitResult("", "h:" + latin(value), "", "", "").port is not None
    except ValueError:
        return False


UNIT = {"ns": 1, "us": 10 ** 3, "\u00b5s": 10 ** 3, "\u03bcs": 10 ** 3, "ms": 10 ** 6, "s": 10 ** 9, "m": 60 * 10 ** 9,
        "h": 3600 * 10 ** 9}
PART = r"(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)"


def duration_nanoseconds(value):
    """As the documentation of time.ParseDuration has it: "a possibly signed sequence of decimal numbers, each with
    optional fraction and a unit suffix"; int64 nanoseconds. None: it is none."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if re.fullmatch("[+-]?0", text):
        return 0
    if not re.fullmatch(f"[+-]?({PART})+", text, re.ASCII):
        return None
    parts = [(Fraction(number if number[0] != "." else "0" + number), UNIT[unit])
             for number, unit in re.findall(PART, text, re.ASCII)]
    total = sum(int(number * unit) for number, unit in parts)
    if total > 2 ** 63 - 1:
        return None
    return -total if text[0] == "-" else total


def duration_documented(_, value):
    return duration_nanoseconds(value) is not None


# --- names ---

def is_address(text):
    try:
        return bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def hostname_ajv_ipaddress(inputs):
    return [by_ajv or is_address(latin(value)) for by_ajv, (_, value) in zip(node("hostname")(inputs), inputs)]


def email_python(_, value):
    try:
        email_validator.validate_email(value.decode("utf-8"), allow_smtputf8=False, check_deliverability=False)
    except (email_validator.EmailNotValidError, UnicodeDecodeError):
        return False
    return True


def url_rfc3987(parameter, value):
    try:
        found = rfc3987.match(value.decode("ascii"), rule="URI")
    except UnicodeDecodeError:
        return False
    if not found or found.end() != len(value):
        return False
    schemes = latin(parameter).split("\n")
    return schemes == [""] or latin(value).split(":")[0].lower() in schemes


def url_node(inputs):
    """No opinion where schemes are asked for."""
    return [None if parameter else by_node for by_node, (parameter, _) in zip(node("url")(inputs), inputs)]


# --- texts ---

def json_python(_, value):
    try:
        json.loads(value.decode("utf-8"))
    except (ValueError, RecursionError):
        return False
    return True


def base64_python(_, value):
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


class OpenSSL:
    """libcrypto's reader of PEM, which reads blocks one after another and passes over what is no block."""
    NO_START_LINE = 108

    def __init__(self):
        self.lib = ctypes.CDLL(ctypes.util.find_library("crypto"))
        for name, result, arguments in (
                ("BIO_new_mem_buf", ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_int]),
                ("BIO_free", ctypes.c_int, [ctypes.c_void_p]),
                ("PEM_read_bio", ctypes.c_int, [ctypes.c_void_p] + [ctypes.POINTER(ctypes.c_void_p)] * 3 +
                 [ctypes.POINTER(ctypes.c_long)]),
                ("CRYPTO_free", None, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int]),
                ("ERR_peek_last_error", ctypes.c_ulong, []), ("ERR_clear_error", None, [])):
            function = getattr(self.lib, name)
            function.restype, function.argtypes = result, arguments

    def is_pem(self, _, value):
        bio = self.lib.BIO_new_mem_buf(value, len(value))
        name, header, data, size = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_long()
        blocks = 0
        self.lib.ERR_clear_error()
        while self.lib.PEM_read_bio(bio, ctypes.byref(name), ctypes.byref(header), ctypes.byref(data), ctypes.byref(size)):
            blocks += 1
            for piece in (name, header, data):
                self.lib.CRYPTO_free(piece, b"", 0)
        reason = self.lib.ERR_peek_last_error() & 0x7fffff
        self.lib.BIO_free(bio)
        return blocks > 0 and reason == self.NO_START_LINE


# --- patterns ---

def perl(pairs):
    return run(["perl", str(HERE / "types_perl.pl")], [f"{pattern.hex()} {value.hex()}" for pattern, value in pairs])


def text_perl(inputs):
    return [{"1": True, "0": False, "u": False}.get(answer) for answer in perl(inputs)]


def regex_perl(inputs):
    return [answer in "01" for answer in perl([(value, b"") for _, value in inputs])]


JUDGES = {
    "string": {"perl": text_perl},
    "int": {"python json, struct": each(int_json)},
    "bool": {"python json": each(bool_json)},
    "enum": {"ajv": node("enum")},
    "url": {"rfc3987": each(url_rfc3987), "node URL": url_node},
    "port": {"urllib": each(port_urllib)},
    "duration": {"documentation of Go": each(duration_documented)},
    "hostname": {"ajv, ipaddress": hostname_ajv_ipaddress},
    "email": {"html": node("email"), "email_validator": each(email_python)},
    "regex": {"perl": regex_perl},
    "json": {"python json": each(json_python), "node JSON": node("json")},
    "pem": {"openssl": each(OpenSSL().is_pem)},
    "base64": {"python base64": each(base64_python)},
}
