"""A small varlink client, independent of tools/common: JSON objects ended by NUL over a unix socket, with
descriptors beside them."""
import json
import os
import socket


class Refused(Exception):
    def __init__(self, name, parameters):
        super().__init__(f"{name}: {parameters.get('message', '')}")
        self.name = name
        self.parameters = parameters


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)
        self.buffered = b""

    def call(self, method, descriptors=(), **parameters):
        message = json.dumps({"method": "io.emsa." + method, "parameters": parameters}).encode() + b"\0"
        if descriptors:
            socket.send_fds(self.socket, [message], list(descriptors))
        else:
            self.socket.sendall(message)
        while b"\0" not in self.buffered:
            got = self.socket.recv(1 << 20)
            if not got:
                raise ConnectionError("the server closed the connection")
            self.buffered += got
        text, self.buffered = self.buffered.split(b"\0", 1)
        reply = json.loads(text)
        if "error" in reply:
            raise Refused(reply["error"], reply.get("parameters", {}))
        return reply.get("parameters", {})

    def set(self, values, reason="test", kind="plain"):
        """Sets values, {path: bytes}, plain or secret, in one commit through a pipe; gives the revision."""
        reader, writer = os.pipe()
        operations = [{"path": path, "kind": kind, "size": len(data)} for path, data in values.items()]
        stream = b"".join(values.values())
        child = os.fork()
        if child == 0:
            try:
                os.close(reader)
                with os.fdopen(writer, "wb") as out:
                    out.write(stream)
            except BrokenPipeError:
                pass  # a server that ended: the caller hears of it
            finally:
                os._exit(0)
        os.close(writer)
        try:
            return self.call("Set", [reader], operations=operations, values=0, reason=reason)["rev"]
        finally:
            os.close(reader)
            os.waitpid(child, 0)
