#!/usr/bin/python3
"""ci.py SOCKET FOLDER: proofs that prove nothing, by the identities in FOLDER. ci.py SOCKET FOLDER held: connections on which
"reader" and "auditor" were proven; for each such word on standard input one makes a call that it may, and says what came of it."""
import os
import sys

from nacl.signing import SigningKey

from who import Connection, claim, signing_key

socket, folder = sys.argv[1:3]


def path(name):
    return os.path.join(folder, name)


def may(link, method="Get", **parameters):
    return link.call(method, parameters or {"paths": ["prod/web/PORT"], "reveal": True})[0]


def held():
    asked = {"reader": ("Get", {"paths": ["prod/web/PORT"], "reveal": True}), "auditor": ("Log", {"path": "prod/web"})}
    links = {name: Connection(socket) for name in asked}
    for name, link in links.items():
        assert link.prove(path(name)) == name
    for line in sys.stdin:
        name = line.strip()
        try:
            print(links[name].call(*asked[name])[0], flush=True)
        except (ConnectionError, OSError):
            print("gone", flush=True)


def main():
    key, other = signing_key(path("reader")), SigningKey.generate()
    link = Connection(socket)
    challenge = link.ask("CallerChallenge", {})[0]["parameters"]
    good = key.sign(claim(challenge, key)).signature
    assert link.answer(key, good)[0]["parameters"] == {"identity": "reader"}
    assert may(link) == "done"

    # the same answer again, here and on another connection; before any challenge, and after another one
    assert link.answer(key, good)[0]["error"] == "io.emsa.Refused"
    assert may(link) == "done", "a refused answer took what was proven"
    second = Connection(socket)
    assert second.answer(key, good)[0]["error"] == "io.emsa.Refused"
    second.ask("CallerChallenge", {})
    assert second.answer(key, good)[0]["error"] == "io.emsa.Denied"
    assert may(second) == "io.emsa.Denied"
    link.ask("CallerChallenge", {})
    assert link.answer(key, good)[0]["error"] == "io.emsa.Denied"
    assert may(link) == "io.emsa.Denied", "what was proven outlived a wrong answer"

    # for another store, another user, another connection; by another key; nothing at all
    wrong = {"another store": {"store": "00" * 16}, "another user": {"uid": 0}, "another challenge": {"challenge": "00" * 32}}
    for what, parts in wrong.items():
        link = Connection(socket)
        challenge = link.ask("CallerChallenge", {})[0]["parameters"]
        assert link.answer(key, key.sign(claim(challenge, key, **parts)).signature)[0].get("error") == "io.emsa.Denied", what
        assert may(link) == "io.emsa.Denied", what
    challenge = link.ask("CallerChallenge", {})[0]["parameters"]
    assert link.answer(key, other.sign(claim(challenge, key)).signature)[0]["error"] == "io.emsa.Denied"
    challenge = link.ask("CallerChallenge", {})[0]["parameters"]
    assert link.answer(other, other.sign(claim(challenge, other)).signature)[0]["parameters"] == {}
    assert may(link) == "io.emsa.Denied"
    for method, parameters in (("CallerProve", {}), ("CallerProve", {"key": "x", "signature": "y"}), ("CallerProve", {"key": 1})):
        assert link.call(method, parameters)[0] == "io.emsa.Invalid"

    # a change by the rights of an identity that did not sign it
    link = Connection(socket)
    assert link.prove(path("ci")) == "ci"
    change = {"operations": [{"kind": "plain", "path": "prod/web/PORT", "value": "6666"}]}
    assert may(link, "Set", **change, dry_run=True) == "done"
    verdict, text = link.call("Set", change)
    assert verdict == "io.emsa.Denied" and "signed by it" in text, text
    forged = {"key": bytes(signing_key(path("ci")).verify_key).hex(), "hash": "00" * 32, "signature": "00" * 64}
    assert may(link, "Set", **change, signature=forged) in ("io.emsa.Denied", "io.emsa.Invalid")
    forged["key"] = bytes(key.verify_key).hex()
    assert may(link, "Set", **change, signature=forged) in ("io.emsa.Denied", "io.emsa.Invalid")

    # room: more than a stranger may send, once it is proven
    change["operations"] = [{"kind": "plain", "path": f"prod/web/KEY{i}", "value": "x" * 40} for i in range(1000)]
    assert may(link, "Set", **change, dry_run=True) == "done"
    # a proof gets the room of those with rights, and no more of it than one user may have
    links, error = [], None
    while error is None and len(links) < 40:
        links.append(Connection(socket))
        asked = links[-1].ask("CallerChallenge", {})[0]["parameters"]
        error = links[-1].answer(key, key.sign(claim(asked, key)).signature)[0].get("error")
    assert error == "io.emsa.Busy" and len(links) <= 17, (error, len(links))
    assert may(links[0]) == "done" and may(links[-1]) == "io.emsa.Denied"
    print("no proof of anything else")


if __name__ == "__main__":
    held() if sys.argv[3:] == ["held"] else main()
