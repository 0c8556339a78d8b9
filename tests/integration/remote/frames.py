"""A far side of `emsa --host` that is none: frames.py WHAT, in the place of ssh (its arguments are looked at only to be shown).
What: silent (says nothing, and ends), motd (a shell that prints first), other (another version), cut (ends within an answer),
huge (an answer of 4 GiB), liar (values of another size than said), noise (an answer that is no JSON), late (ends after the call), steering (steers the terminal that it is
shown on, in an answer's table and in a refusal)."""
import json
import struct
import sys

what = sys.argv[1]
out, read = sys.stdout.buffer, sys.stdin.buffer.read


def say(data):
    out.write(data)
    out.flush()


def call():
    size, values = struct.unpack(">IQ", read(12))
    return json.loads(read(size)), read(values)


def answer(message, values=b"", said=None):
    text = json.dumps(message).encode()
    return struct.pack(">IQ", len(text), len(values) if said is None else said) + text + values


if what == "silent":
    sys.exit(3)
say({"motd": b"Welcome to this machine\n", "other": b"emsa relay 2\n"}.get(what, b"emsa relay 1\n"))
if what in ("motd", "other"):
    sys.exit(0)
asked, _ = call()
if what == "steering":
    audit = {"lines": [{"n": 1, "time": "now", "event": "read", "path": "prod/\x1b]0;owned\x07web"}], "more": False, "next": 1}
    say(answer({"parameters": audit} if asked["method"].endswith(".Audit") else
               {"error": "io.emsa.Refused", "parameters": {"message": "no\x1b[2J\x07 or so"}}))
    sys.exit(0)
whole = answer({"parameters": {"entries": [{"path": "p/w/K", "kind": "plain", "size": 3}]}}, b"abc")
say({"cut": whole[:-1], "huge": struct.pack(">IQ", 0xffffffff, 0), "noise": struct.pack(">IQ", 4, 0) + b"none",
     "liar": answer({"parameters": {"entries": [{"path": "p/w/K", "kind": "plain", "size": 30}]}}, b"abc"), "late": b""}[what])
