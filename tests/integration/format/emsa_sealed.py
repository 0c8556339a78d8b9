#!/usr/bin/python3
"""Sealed texts, by store/FORMAT.md ("Sealed text") alone.

emsa_sealed.py seal STORE PATH         the text for a key of a copied store; the value comes on stdin
emsa_sealed.py open STORE IDENTITY     the text on stdin: its path, its digest, and the value
"""
import base64
import os
import struct
import sys
from pathlib import Path

import emsa_format as form
import lmdb_file
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt, crypto_scalarmult, crypto_scalarmult_base

PREFIX = "emsa-sealed-1:"


def short(text):
    return bytes([len(text.encode())]) + text.encode()


def ids(store, environment, service):
    """Of the places of those names that were made last."""
    found = [0, 0]
    for operation in store.log.values():
        if operation["kind"] == form.ENVIRONMENT_ADD and operation["name"] == environment:
            found[0] = max(found[0], operation["environment"])
        if operation["kind"] == form.SERVICE_ADD and operation["name"] == service:
            found[1] = operation["service"]
    return found


def seal(store, path, value):
    environment, service, key = path.split("/")
    place = ids(store, environment, service)
    pair = store._key_operations(form.SERVICE_KEY, *place)[-1]
    public, private, dek = pair["fields"][1], os.urandom(32), os.urandom(32)
    ephemeral = crypto_scalarmult_base(private)
    kek = form.derive(crypto_scalarmult(private, public), "emsa-shared-1", ephemeral + public)
    body = b"\1\0\0\0" + store.id + struct.pack("<III", *place, pair["turn"]) + short(environment) + short(service) + short(key)
    body += form.derive(dek, "emsa-asked-1", value) + ephemeral
    body += form.derive(kek, "emsa-sealed-commitment-1", body)
    inner = dek + struct.pack("<Q", len(value)) + value + bytes(form.padded(len(value)) - len(value))
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(inner, body, bytes(24), form.derive(kek, "emsa-sealed-key-1"))
    body += struct.pack("<I", len(sealed)) + sealed
    return PREFIX + base64.b64encode(body + form.H("emsa-sealed-check-1", body)[:16]).decode()


def open_text(store, identity, text):
    form.must(text.startswith(PREFIX), "no sealed text")
    data = base64.b64decode(text[len(PREFIX):].translate({ord(blank): None for blank in " \t\r\n"}), validate=True)
    body, check = data[:-16], data[-16:]
    form.must(form.H("emsa-sealed-check-1", body)[:16] == check, "a check")
    reader = form.Reader(body, "sealed text")
    form.must(reader.raw(4) == b"\1\0\0\0" and reader.raw(16) == store.id, "another store, or version")
    owner = struct.unpack("<III", reader.raw(12))
    path = "/".join(reader.short().decode() for _ in range(3))
    digest, ephemeral, head = reader.raw(32), reader.raw(32), body[:reader.at]
    commitment, sealed = reader.raw(32), reader.long()
    reader.end()
    private, public = store._service_private(identity, *owner)
    kek = form.derive(crypto_scalarmult(private, ephemeral), "emsa-shared-1", ephemeral + public)
    form.must(form.derive(kek, "emsa-sealed-commitment-1", head) == commitment, "a commitment")
    inner = form.unseal(form.derive(kek, "emsa-sealed-key-1"), head + commitment, sealed)
    dek, length = inner[:32], struct.unpack("<Q", inner[32:40])[0]
    value = inner[40:40 + length]
    form.must(len(inner) == 40 + form.padded(length) and not any(inner[40 + length:]), "padding")
    form.must(form.derive(dek, "emsa-asked-1", value) == digest, "a digest")
    return path, digest, value


def main():
    verb, folder, other = sys.argv[1:]
    store = form.Store(lmdb_file.File(Path(folder) / "data.mdb").databases())
    if verb == "seal":
        print(seal(store, other, sys.stdin.buffer.read()))
        return
    path, digest, value = open_text(store, form.read_identity(Path(other).read_text()), sys.stdin.read().strip())
    print(f"{path} {digest.hex()} {value.decode(errors='replace')}")


if __name__ == "__main__":
    main()
