#!/usr/bin/python3
"""who.py CALLS: makes the calls of a JSON list, [{"socket", "method", "parameters"}] or [{"file", "do"}], and prints one
line of JSON for each: [verdict, everything that came back]."""
import json
import os
import socket
import sys


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)

    def ask(self, method, parameters):
        """The reply, as it is and as its text, and the descriptors with it, for the caller to close."""
        method = method if "." in method else "io.emsa." + method
        self.socket.sendall(json.dumps({"method": method, "parameters": parameters}).encode() + b"\0")
        text, descriptors = b"", []
        while not text.endswith(b"\0"):
            data, found, _, _ = socket.recv_fds(self.socket, 1 << 20, 4)
            if not data:
                raise ConnectionError("the server closed the connection")
            text += data
            descriptors += found
        return json.loads(text[:-1]), text[:-1].decode(), descriptors

    def call(self, method, parameters):
        """The verdict, and everything that came back, values too."""
        reply, told, descriptors = self.ask(method, parameters)
        for descriptor in descriptors:
            if "values" in reply.get("parameters", {}):
                with os.fdopen(descriptor, "rb") as values:
                    told += values.read().decode("latin-1")
            else:
                os.close(descriptor)
        return reply.get("error", "done"), told


def look(path, what):
    try:
        if what == "ls":
            os.listdir(path)
        elif what == "cat":
            with open(path, "rb") as file:
                return "done", file.read().decode("latin-1")
        else:
            os.stat(path)
    except (NotADirectoryError, IsADirectoryError):
        return "done", ""
    except OSError as error:
        return type(error).__name__, ""
    return "done", ""


def main():
    connections = {}
    with open(sys.argv[1], encoding="utf-8") as file:
        calls = json.load(file)
    for call in calls:
        if "file" in call:
            print(json.dumps(look(call["file"], call["do"])))
            continue
        if call["socket"] not in connections:
            connections[call["socket"]] = Connection(call["socket"])
        print(json.dumps(connections[call["socket"]].call(call["method"], call["parameters"])))


if __name__ == "__main__":
    main()
