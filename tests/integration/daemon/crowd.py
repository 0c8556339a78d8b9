#!/usr/bin/python3
"""crowd.py SOCKET: whatever a caller may send, the server answers, refuses or hangs up, and goes on. Strangers
(who hold no right) are held to small messages and few connections; root is not."""
import json
import os
import pathlib
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402

path = sys.argv[1]
is_stranger = os.geteuid() != 0
faults = []


def expect(what, wanted, found):
    if found != wanted:
        faults.append(f"{what}: expected {wanted}, found {found}")


def raw(data, descriptors=()):
    """What comes back for these bytes: the error's name, "reply", or "closed"."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(path)
        try:
            if descriptors:
                socket.send_fds(peer, [data], list(descriptors))
            else:
                peer.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        got = b""
        while not got.endswith(b"\0"):
            try:
                more = peer.recv(65536)
            except ConnectionResetError:
                return "closed"
            if not more:
                return "closed"
            got += more
    return json.loads(got[:-1]).get("error", "reply")


def call(method, **parameters):
    return json.dumps({"method": method, "parameters": parameters}).encode() + b"\0"


info = call("org.varlink.service.GetInfo")
expect("who are you", "reply", raw(info))
expect("in pieces", "reply", raw(info + info[:5]))
expect("no JSON", "io.emsa.Invalid", raw(b"nonsense\0"))
expect("a list", "io.emsa.Invalid", raw(b"[]\0"))
expect("no method", "org.varlink.service.InvalidParameter", raw(b"{}\0"))
expect("parameters that are a list", "org.varlink.service.InvalidParameter", raw(b'{"method":"a.B","parameters":[]}\0'))
expect("another interface", "org.varlink.service.InterfaceNotFound", raw(call("org.example.Do")))
expect("no such method", "org.varlink.service.MethodNotFound", raw(call("io.emsa.Nothing")))
expect("no method at all", "org.varlink.service.InterfaceNotFound", raw(call("nothing")))
expect("values without a descriptor", "org.varlink.service.InvalidParameter", raw(call("io.emsa.Status", values=0)))
# Of a stranger no descriptor is taken at all.
refused = "io.emsa.Invalid" if is_stranger else "org.varlink.service.InvalidParameter"
reader, writer = os.pipe()
expect("a descriptor that is not named", refused, raw(call("io.emsa.Status"), [reader]))
expect("two where one is named", refused,
       raw(call("io.emsa.Status", values=0), [reader, reader]))
expect("a socket for values", refused,
       raw(call("io.emsa.Status", values=0), [socket.socket(socket.AF_UNIX).fileno()]))
expect("more descriptors than there can be", "io.emsa.Invalid", raw(call("io.emsa.Status"), [reader] * 20))
large = call("org.varlink.service.GetInfo", padding="x" * 60000)
expect("a large message", "io.emsa.Invalid" if is_stranger else "reply", raw(large))


def join():
    """Connects and makes a call; the connection if it was answered, None if it was turned away."""
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(path)
    try:
        peer.sendall(info)
    except (BrokenPipeError, ConnectionResetError):
        pass  # turned away before; what it was told is still there to be read
    text = peer.recv(65536)
    if b"io.emsa.Busy" in text:
        peer.close()
        return None
    expect("an answer", True, text.endswith(b"\0"))
    return peer


# Many who stay. Those from above may not all be gone yet: so as often as it takes to have as many as may be.
wanted = 16 if is_stranger else 40
crowd = []
turned_away = 0
for _ in range(1000):
    peer = join()
    if peer is None:
        turned_away += 1
    else:
        crowd.append(peer)
    if len(crowd) == wanted:
        break
expect("so many stay", wanted, len(crowd))
one_more = join()
expect("and one more", is_stranger, one_more is None)
for peer in crowd:
    peer.sendall(info)
    expect("and are answered again", True, peer.recv(65536).endswith(b"\0"))
print(f"{turned_away} turned away")
for fault in faults:
    print(fault)
sys.exit(1 if faults else 0)
