#!/usr/bin/python3
"""holder.py SOCKET PATH TRIES: asks for that many views of a place at once, each over a connection of its own, and prints how many
were made and how many were refused. Holds them, and for each line on standard input: "one" lets go of one of them, "more" asks for
one more, and says what came of it."""
import json
import os
import socket
import sys


def ask(link, path):
    link.sendall(json.dumps({"method": "io.emsa.Mount", "parameters": {"path": path}}).encode() + b"\0")


def take(link):
    text, descriptors, _, _ = socket.recv_fds(link, 1 << 16, 4)
    reply = json.loads(text[:-1])
    return descriptors, reply.get("error"), reply["parameters"].get("message", "")


def connect(path):
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.connect(path)
    return link


def main():
    path, place, tries = sys.argv[1], sys.argv[2], int(sys.argv[3])
    links = [connect(path) for _ in range(tries)]
    for link in links:
        ask(link, place)
    found = [take(link) for link in links]
    held = [descriptor for descriptors, _, _ in found for descriptor in descriptors]
    refused = [message for _, error, message in found if error == "io.emsa.Refused"]
    print(len(held), len(refused), refused[0] if refused else "", flush=True)
    for link in links:
        link.close()
    for line in sys.stdin:
        if line.strip() == "one":
            os.close(held.pop())
            print("gone", flush=True)
            continue
        link = connect(path)
        ask(link, place)
        descriptors, error, message = take(link)
        held += descriptors
        print(error, message, flush=True)


main()
