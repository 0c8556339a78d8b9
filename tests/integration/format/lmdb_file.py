"""A reader of LMDB 0.9 files, from the layout of its pages; every record of every named database."""
import struct

PAGE = 4096
MAGIC = 0xBEEFC0DE
BRANCH, LEAF, META = 0x01, 0x02, 0x08
BIG, SUB = 0x01, 0x02
NONE = 0xFFFFFFFFFFFFFFFF


class Damaged(Exception):
    pass


class File:
    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        metas = [self._meta(0), self._meta(1)]
        self.main = max(metas)[1]

    def _page(self, number):
        if (number + 1) * PAGE > len(self.data):
            raise Damaged(f"page {number} is past the end")
        return self.data[number * PAGE:(number + 1) * PAGE]

    def _meta(self, number):
        page = self._page(number)
        magic, version = struct.unpack_from("<II", page, 16)
        if magic != MAGIC or version != 1:
            raise Damaged("not an LMDB 0.9 file")
        # after magic, version, address, map size: two MDB_db of 48 bytes, the last page, the transaction
        return struct.unpack_from("<Q", page, 16 + 24 + 96 + 8)[0], self._root(page, 16 + 24 + 48)

    @staticmethod
    def _root(page, offset):
        return struct.unpack_from("<Q", page, offset + 40)[0]

    def _nodes(self, page):
        lower = struct.unpack_from("<H", page, 12)[0]
        for i in range((lower - 16) // 2):
            at = struct.unpack_from("<H", page, 16 + 2 * i)[0]
            low, high, flags, size = struct.unpack_from("<HHHH", page, at)
            yield low, high, flags, page[at + 8:at + 8 + size], at + 8 + size

    def _walk(self, root):
        if root == NONE:
            return
        page = self._page(root)
        flags = struct.unpack_from("<H", page, 10)[0]
        for low, high, node_flags, key, at in self._nodes(page):
            if flags & BRANCH:
                yield from self._walk(low | high << 16 | node_flags << 32)
                continue
            size = low | high << 16
            if node_flags & BIG:
                first = struct.unpack_from("<Q", page, at)[0]
                start = first * PAGE + 16
                yield key, self.data[start:start + size], node_flags
            else:
                yield key, page[at:at + size], node_flags

    def databases(self):
        """{name: {key: record}}"""
        found = {}
        for name, record, flags in self._walk(self.main):
            if flags & SUB:
                found[name.decode()] = {key: body for key, body, _ in self._walk(self._root(record, 0))}
        return found
