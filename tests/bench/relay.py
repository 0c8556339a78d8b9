"""relay.py DOOR BEYOND: stands at DOOR, where podman looks for its plugin, hands every request on to BEYOND, and writes a line
"VERB SECONDS" for each to its output: how long it took there. A program of its own, in a session of its own, so that its turn
does not depend on how many containers are started beside it: what it measures is the plugin. Ends with SIGTERM."""
import asyncio
import sys
import time


async def whole(reader):
    """A request, head and body; nothing where the peer went."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)


class Relay:
    def __init__(self, beyond):
        self.beyond = beyond

    async def one(self, reader, writer):
        asked = await whole(reader)
        if asked:
            began = time.perf_counter()
            there, out = await asyncio.open_unix_connection(self.beyond)
            out.write(asked)
            answer = await there.read()
            took = time.perf_counter() - began
            out.close()
            print(asked.split(b" ")[1].decode().rsplit(".", 1)[-1], took, flush=True)
            try:
                writer.write(answer)
                await writer.drain()
            except OSError:
                pass  # podman goes without reading the body
        writer.close()


async def main(door, beyond):
    server = await asyncio.start_unix_server(Relay(beyond).one, door, backlog=1024)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
