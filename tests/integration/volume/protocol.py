#!/usr/bin/python3
"""protocol.py SOCKET WHAT [WORD...]: docker's plugin protocol, spoken byte by byte as podman 4.3.1 and docker speak it, and as
nobody should. 'ask' makes one request and prints the status and the reply; the others say what went wrong, and exit 1."""
import json
import os
import random
import resource
import socket
import sys
import time
import unicodedata

PATIENCE = 5  # seconds that podman waits for an answer
PODMAN_ID = "2f73349cfc4630255319c6c8dfc1b46a8996ace9d14d8e07563b165915918ec2"
NAME = "bill"
OPTS = {"environment": "prod", "service": "web"}


def podman(path, body):
    """As net/http of podman writes it; the body without an end of line."""
    text = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    return (f"POST {path} HTTP/1.1\r\nHost: plugin\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {len(text)}\r\n"
            "Content-Type: application/vnd.docker.plugins.v1.1+json\r\nAccept-Encoding: gzip\r\n\r\n").encode() + text


def docker(path, body):
    """As docker's client: Accept, the socket's path as the host, a body that ends in a newline."""
    text = b"" if body is None else json.dumps(body).encode() + b"\n"
    return (f"POST {path} HTTP/1.1\r\nHost: %2Frun%2Fdocker%2Fplugins%2Femsa.sock\r\nUser-Agent: Go-http-client/1.1\r\n"
            f"Content-Length: {len(text)}\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n"
            "Content-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n").encode() + text


class Peer:
    def __init__(self, place):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(place)
        self.began = time.monotonic()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it was ended meanwhile, and that is seen in what comes
        return self

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def everything(self):
        found = b""
        try:
            while got := self.socket.recv(1 << 16):
                found += got
        except ConnectionResetError:
            pass
        self.socket.close()
        return found

    def answer(self):
        """Status and reply, within the time that podman gives."""
        head, _, body = self.everything().partition(b"\r\n\r\n")
        took = time.monotonic() - self.began
        assert head, "there is no answer"
        assert took < PATIENCE, f"it took {took:.1f} s"
        status = int(head.split(b" ", 2)[1])
        said = json.loads(body)
        assert (status == 200) == (said.get("Err", "") == ""), (status, said)
        assert status in (200, 500), (status, said)
        return status, said


def ask(place, path, body=None, shape=podman):
    return Peer(place).send(shape(path, body)).answer()


def call(place, what, body=None, shape=podman):
    return ask(place, "/VolumeDriver." + what, body, shape)


def done(place, what, body=None, shape=podman):
    status, said = call(place, what, body, shape)
    assert status == 200, (what, body, said)
    return said


def failed(place, what, body, words, shape=podman):
    status, said = call(place, what, body, shape)
    assert status == 500 and words in said["Err"], (what, body, words, said)


def is_mountpoint(path):
    assert path.startswith("/") and os.path.ismount(path), path
    return path


def activate(place, shape):
    status, said = ask(place, "/Plugin.Activate", None, shape)
    assert status == 200 and said["Implements"] == ["VolumeDriver"], said


def life(place, shape, name, mount_id):
    """From a volume's making to its end, in the order in which container-facts has seen podman do it."""
    activate(place, shape)
    failed(place, "Get", {"Name": name}, name, shape)
    assert done(place, "Create", {"Name": name, "Opts": OPTS}, shape) == {"Err": ""}
    activate(place, shape)
    volume = done(place, "Get", {"Name": name}, shape)["Volume"]
    assert volume["Name"] == name and volume["Status"]["path"] == "prod/web", volume
    assert time.strptime(volume["CreatedAt"], "%Y-%m-%dT%H:%M:%SZ").tm_year >= 2026, volume
    where = is_mountpoint(volume["Mountpoint"])
    listed = [each["Name"] for each in done(place, "List", None, shape)["Volumes"]]
    assert name in listed, listed
    for _ in range(2):  # a mount that timed out comes again
        assert done(place, "Mount", {"Name": name, "ID": mount_id}, shape)["Mountpoint"] == where
    with open(where + "/prod/web/PORT", "rb") as value:
        assert value.read() == b"8080"
    assert done(place, "Path", {"Name": name}, shape)["Mountpoint"] == where
    for _ in range(2):
        assert done(place, "Unmount", {"Name": name, "ID": mount_id}, shape) == {"Err": ""}
    assert done(place, "Mount", {"Name": name, "ID": mount_id}, shape)["Mountpoint"] == where
    assert done(place, "Create", {"Name": name, "Opts": OPTS}, shape) == {"Err": ""}
    failed(place, "Create", {"Name": name, "Opts": {**OPTS, "layout": "flat"}}, name, shape)
    assert done(place, "Remove", {"Name": name}, shape) == {"Err": ""}
    failed(place, "Remove", {"Name": name}, name, shape)
    failed(place, "Mount", {"Name": name, "ID": mount_id}, name, shape)
    assert not os.path.ismount(where), where


def shapes(place):
    """Every request of both, with the spelling of each."""
    life(place, podman, NAME, PODMAN_ID)
    life(place, docker, "app_" + NAME + "-1.2", "".join(random.choices("0123456789abcdef", k=64)))
    assert done(place, "Capabilities", {}, docker)["Capabilities"] == {"Scope": "local"}
    assert done(place, "List", {}, docker)["Volumes"] == []
    peer = Peer(place).send(podman("/VolumeDriver.Create", {"Name": NAME, "Opts": {**OPTS, "nocopy": "", "timeout": "20"}}))
    peer.socket.recv(1)  # podman goes once it has the status
    peer.socket.close()
    assert done(place, "Create", {"Name": NAME, "Opts": {**OPTS, "nocopy": "true"}})
    done(place, "Remove", {"Name": NAME})


def options(place):
    create = {"Name": NAME}
    allowed = "environment and service, and may have layout, uid, gid, mode, rev, history, idmap, nocopy, timeout"
    for opts, words in (({}, "environment"), ({"environment": "prod"}, "service"), ({**OPTS, "servcie": "x"}, allowed), ({**OPTS, "": ""}, allowed),
                        ({**OPTS, "layout": "fat"}, "tree (ENVIRONMENT/SERVICE/KEY) or flat (KEY)"), ({**OPTS, "layout": ""}, "flat"),
                        *(({**OPTS, "mode": mode}, "octal") for mode in ("0999", "", "-1", "01000", "rw-r--r--", "0x1ff", "0400 ", "1" * 40)),
                        *(({**OPTS, which: number}, "number") for which in ("uid", "gid")
                          for number in ("root", "", "-1", "4294967295", "4294967296", "1.5", "0x10", " 7", "1e3", "9" * 40)),
                        *(({**OPTS, "history": history}, "true or false") for history in ("yes", "TRUE", "1")),
                        ({**OPTS, "rev": ""}, "revision"), ({**OPTS, "uid": 7}, "no text"), ({**OPTS, "uid": None}, "no text"),
                        ({**OPTS, "service": "wbe"}, "did you mean 'web'"), ({"environment": "prd", "service": "web"}, "prod"),
                        ({**OPTS, "service": "../web"}, "../web"), ({**OPTS, "environment": "all"}, "all")):
        failed(place, "Create", {**create, "Opts": opts}, words)
    done(place, "Create", {**create, "Opts": {**OPTS, "layout": "flat", "uid": "1234", "gid": "5678", "mode": "0400"}})
    where = done(place, "Path", create)["Mountpoint"]
    status = os.stat(where + "/PORT")
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (1234, 5678, 0o400), status
    done(place, "Remove", create)
    # Equal options are those that mean the same; runtimes' own are nobody's.
    done(place, "Create", {**create, "Opts": {**OPTS, "nocopy": "true", "timeout": "20"}})
    for more in ({}, {"nocopy": ""}, {"history": "false", "idmap": "false"}, {"timeout": "0"}, {"layout": "tree"}, {"nocopy": "false", "timeout": "never"}):
        done(place, "Create", {**create, "Opts": {**OPTS, **more}})
    for more in ({"layout": "flat"}, {"uid": "7"}, {"gid": "0"}, {"mode": "0444"}, {"history": ""}, {"idmap": "true"}):
        failed(place, "Create", {**create, "Opts": {**OPTS, **more}}, "is there already")
    done(place, "Remove", create)


def names(place):
    """Names that are none, for every request and as both write it: none gets further than the plugin."""
    for name in ("", ".", "..", "../x", "/x", "a/b", "a/../b", "-x", "_x", ".x", "x" * 129, "x" * 300, "x" * 60000, "caf\u00e9", "\u202ex",
                 "\U0001f427" * 100, "a b", "a\tb", "a\n", "a\x1b[2J", "%2e%2e", "a\\b", "a:b", "x\u0000", None, 7, [], {"a": "b"}):
        for shape in (podman, docker):
            for what, more in (("Create", {"Opts": OPTS}), ("Get", {}), ("Remove", {}), ("Mount", {"ID": PODMAN_ID}), ("Unmount", {"ID": PODMAN_ID}),
                               ("Path", {})):
                status, said = call(place, what, {"Name": name, **more}, shape)
                assert status == 500, (what, name, said)
                assert any(words in said["Err"] for words in ("is no name of a volume", "'Name' is missing", "JSON")), (name, said)
                assert len(said["Err"]) < 400 and not any(unicodedata.category(each) == "Cc" for each in said["Err"]), said
    for name in ("x", "X", "0", "a.b", "a_b", "a-b", "x" * 128, "CON", "volumes.json", "0.."):
        assert done(place, "Create", {"Name": name, "Opts": OPTS}) == {"Err": ""}
        assert is_mountpoint(done(place, "Mount", {"Name": name, "ID": PODMAN_ID})["Mountpoint"]).endswith("/" + name)
    assert len(done(place, "List")["Volumes"]) == 10
    for name in ("x", "X", "0", "a.b", "a_b", "a-b", "x" * 128, "CON", "volumes.json", "0.."):
        done(place, "Remove", {"Name": name})


def malformed(place):
    """What is no request, or none of ours: refused in words, or by the end of the connection."""
    post = "POST /VolumeDriver.Get HTTP/1.1\r\nHost: plugin\r\n"
    for path, body, words in (("/", None, "no request"), ("/VolumeDriver.Destroy", {}, "no request"),
                              ("/VolumeDriver.Get", None, "'Name' is missing"), ("/VolumeDriver.Get", [], "no JSON object"),
                              ("/VolumeDriver.Get", {"Name": "../../etc"}, "no name"), ("/VolumeDriver.Mount", {"Name": NAME, "ID": 7}, "'ID'"),
                              ("/VolumeDriver.Create", {"Name": NAME, "Opts": []}, "'Opts'")):
        for shape in (podman, docker):
            status, said = ask(place, path, body, shape)
            assert status == 500 and words in said["Err"], (path, said)
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        status, said = Peer(place).send(podman("/VolumeDriver.List", None).replace(b"POST", method.encode())).answer()
        assert status == 500 and "POST" in said["Err"], (method, said)
    for body in (b"{", b'{"Name":"a","Name":"b"}', b"\xff\xfe", b'{"Name":"a\\u0000"}', b"[" * 60000):
        status, said = Peer(place).send(post.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body).answer()
        assert status == 500 and "JSON" in said["Err"], (body[:20], said)
    peers = []
    for noise in (b"\0" * 5000, b"GET / HTTP/9.9\r\n\r\n", post.encode() + b"A: b\r\n" * 20000 + b"\r\n", b"POST " + b"/" * 100000,
                  post.encode() + b"Content-Length: -1\r\n\r\n", post.encode() + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}   ",
                  post.encode() + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", b"\r\n" * 100):
        peers.append((noise, Peer(place).send(noise).half_close()))
    for noise, peer in peers:
        answer = peer.everything()
        assert not answer.startswith(b"HTTP/1.1 2"), (noise[:40], answer)
    activate(place, podman)


def oversized(place):
    path = "/VolumeDriver.Get"
    big = {"Name": NAME, "More": "x" * 70000}
    status, said = ask(place, path, big)
    assert status == 500 and "65536" in said["Err"], said
    head = f"POST {path} HTTP/1.1\r\nHost: plugin\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    peer = Peer(place).send(head)
    for _ in range(40):
        peer.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
    status, said = peer.send(b"0\r\n\r\n").answer()
    assert status == 500 and "65536" in said["Err"], said
    endless = Peer(place).send(head)
    stop = time.monotonic() + 30
    while time.monotonic() < stop:  # it never comes to an end by itself
        try:
            endless.socket.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            break
    else:
        raise AssertionError("an endless request is read for ever")
    status, said = Peer(place).send(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n".encode()).answer()
    assert status == 500 and "65536" in said["Err"], said


def half_closed(place):
    """Who has said all and closes that half: answered, where no server is asked; else answered rightly or not at all."""
    for shape in (podman, docker):
        status, said = Peer(place).send(shape("/Plugin.Activate", None)).half_close().answer()
        assert status == 200 and said["Implements"] == ["VolumeDriver"], said
        answer = Peer(place).send(shape("/VolumeDriver.List", None)).half_close().everything()
        assert not answer or answer.startswith(b"HTTP/1.1 200 "), answer
    activate(place, podman)


def show(place, what, body="null"):
    status, said = call(place, what, json.loads(body))
    print(status, said.get("Err") or json.dumps(said))


def main(found, place, what, *words):
    """Runs one of what is found here; what does not hold is told with its line."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        (show if what == "ask" else found[what])(place, *words)
    except AssertionError as wrong:
        last = wrong.__traceback__
        while last.tb_next:
            last = last.tb_next
        sys.exit(f"line {last.tb_lineno}: {wrong}")


if __name__ == "__main__":
    main(globals(), *sys.argv[1:])
