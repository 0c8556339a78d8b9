#!/usr/bin/python3
"""between.py EMSA SOCKET OTHER FOLDER IDENTITY: stands between a command and the server at SOCKET as a server would that wants
something else done than what was asked for. The command's call is caught, then sent with something in it exchanged. OTHER is
another store's server."""
import json
import os
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../support"))
import varlink  # noqa: E402


def catch(emsa, folder, identity, store_id, arguments, challenge=None, says=""):
    """(parameters, bytes of the stream) of the change that the command asks for; with a challenge, the command must refuse it in those words."""
    path = os.path.join(folder, "socket")
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen()
    caught = {}

    def serve():
        connection, _ = listener.accept()
        data, pipes = b"", []
        while True:
            while b"\0" not in data:
                got, fds, _, _ = socket.recv_fds(connection, 1 << 16, 4)
                if not got:
                    return
                data, pipes = data + got, pipes + fds
            text, data = data.split(b"\0", 1)
            call = json.loads(text)
            if call["method"].endswith(".StoreId"):
                reply = {"id": store_id}
            elif call["method"].endswith(".CallerChallenge"):
                reply = {"store": store_id, "uid": 0, **(challenge or {})}
            else:
                caught["parameters"] = call["parameters"]
                caught["stream"] = b""
                if pipes:
                    with os.fdopen(pipes[0], "rb") as stream:
                        caught["stream"] = stream.read()
                reply = {"rev": 7, "committed": True, "lines": []}
            connection.sendall(json.dumps({"parameters": reply}).encode() + b"\0")

    thread = threading.Thread(target=serve)
    thread.start()
    done = subprocess.run([emsa, "--store", folder, "--sign", identity, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    thread.join()
    listener.close()
    assert done.returncode == (4 if challenge else 0) and says in done.stderr, done
    if challenge:
        assert not caught, caught
        return None
    return caught["parameters"], caught["stream"]


def send(path, parameters, stream):
    """The reply, or the name of the refusal."""
    reader, writer = os.pipe()
    os.write(writer, stream)
    os.close(writer)
    try:
        return varlink.Connection(path).call("Set", [reader] if stream else [], **parameters)
    except varlink.Refused as refused:
        return refused.name.split(".")[-1]
    finally:
        os.close(reader)


def main():
    emsa, path, other, folder, identity = sys.argv[1:]
    store_id = varlink.Connection(path).call("StoreId")["id"]
    head = lambda: varlink.Connection(path).call("Status")["rev"]
    before = head()
    parameters, stream = catch(emsa, folder, identity, store_id, ["set", "prod/web", "PORT=81", "-m", "signed"])
    secret, secret_stream = catch(emsa, folder, identity, store_id, ["set", "prod/web", "--secret-file", f"KEY={folder}/key"])
    for uid, says in (1000, "somebody stands in between"), (65534, "its user namespace does not have"):
        catch(emsa, folder, identity, store_id, ["set", "prod/web", "PORT=81"], {"challenge": "00" * 32, "uid": uid}, says)
    assert b"PORT" not in stream and stream[32:] == b"81", stream
    assert secret_stream[32:] == b"a secret of some length", secret_stream

    def changed(of, **more):
        return {**of, **more}

    def operation(of, **more):
        return changed(of, operations=[{**of["operations"][0], **more}])

    wrong = {
        "another value": (parameters, stream[:32] + b"82"),
        "another seed": (parameters, bytes(32) + stream[32:]),
        "another secret": (secret, secret_stream[:-1] + b"H"),
        "another place": (operation(parameters, path="dev/web/PORT" if "keys" not in parameters["operations"][0] else "dev/web"),
                          stream),
        "another kind": (operation(parameters, kind="secret"), stream),
        "an end": (operation(parameters, ttl=60), stream),
        "another reason": (changed(parameters, reason="why not"), stream),
        "no reason": ({k: v for k, v in parameters.items() if k != "reason"}, stream),
        "another request": (changed(parameters, request_id="ab" * 16), stream),
        "an override": (changed(parameters, override=["lock"]), stream),
        "a condition": (changed(parameters, if_rev=1), stream),
        "one more operation": (changed(parameters, operations=parameters["operations"] + [{"kind": "remove", "path": "prod/web/OLD"}]),
                               stream),
        "nothing of it": (changed(parameters, operations=[]), stream),
        "another's key": (changed(parameters, signature={**parameters["signature"], "key": "00" * 32}), stream),
        "another's signature": (changed(parameters, signature={**secret["signature"]}), stream),
        "no seed": (changed(parameters, signature={**parameters["signature"], "seeded": False}), stream),
        "no signature": (changed(parameters, signature={"key": "1"}), stream),
    }
    for what, (asked, values) in wrong.items():
        found = send(path, asked, values)
        assert found in ("Denied", "Invalid"), (what, found)
        assert head() == before, what
    assert send(other, parameters, stream) == "Denied"

    done = send(path, parameters, stream)
    assert done["rev"] == before + 1 and not done["repeated"], done
    again = send(path, parameters, stream)
    assert again["rev"] == before + 1 and again["repeated"], again
    assert send(path, secret, secret_stream)["rev"] == before + 2
    shown = varlink.Connection(path).call("Show", rev=before + 1)["commit"]
    assert shown["signed"] and shown["signer"]["known"], shown
    print(f"{len(wrong) + 1} exchanged, none done")


if __name__ == "__main__":
    main()
