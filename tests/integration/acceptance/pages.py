#!/usr/bin/python3
"""pages.py FILE: reads a served secret in other processes, every way there is, and asks with cachestat(2), by a
descriptor that was open before, whether a page of it is left. (An open of a direct_io file drops its pages
itself, so a probe that opens afterwards would always see none.) The sweep that follows a read by mapping or
splicing is awaited by asking again, for ten seconds at the most."""
import ctypes
import mmap
import os
import sys
import time

CACHESTAT = 451
libc = ctypes.CDLL(None, use_errno=True)


class Range(ctypes.Structure):
    _fields_ = [("offset", ctypes.c_uint64), ("length", ctypes.c_uint64)]


class Stat(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in
                ("cached", "dirty", "writeback", "evicted", "recently_evicted")]


def cached(fd):
    where, found = Range(0, 0), Stat()
    if libc.syscall(CACHESTAT, fd, ctypes.byref(where), ctypes.byref(found), 0) != 0:
        number = ctypes.get_errno()
        if number == 38:
            print("SKIP: this kernel has no cachestat(2)")
            sys.exit(77)
        raise OSError(number, os.strerror(number))
    return found.cached


def by_read(fd, size):
    assert len(os.read(fd, size + 1)) == size


def by_sendfile(fd, size):
    out = os.open("/dev/null", os.O_WRONLY)
    pipe_in, pipe_out = os.pipe()
    try:
        assert os.sendfile(pipe_out, fd, 0, min(size, 60000)) > 0
    finally:
        for descriptor in (out, pipe_in, pipe_out):
            os.close(descriptor)


def by_splice(fd, size):
    pipe_in, pipe_out = os.pipe()
    assert os.splice(fd, pipe_out, min(size, 60000), offset_src=0) > 0
    os.close(pipe_in)
    os.close(pipe_out)


def by_readahead(fd, size):
    libc.readahead(fd, ctypes.c_int64(0), ctypes.c_size_t(size))
    os.posix_fadvise(fd, 0, size, os.POSIX_FADV_WILLNEED)


def by_mmap(fd, size):
    with mmap.mmap(fd, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as mapped:
        assert len(bytes(mapped)) == size


def in_other_process(way, path, size):
    child = os.fork()
    if child == 0:
        fd = os.open(path, os.O_RDONLY)
        way(fd, size)
        os.close(fd)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, way.__name__


def main():
    path = sys.argv[1]
    probe = os.open(path, os.O_RDONLY)
    size = os.fstat(probe).st_size
    faults = 0
    for way in (by_read, by_sendfile, by_splice, by_readahead, by_mmap):
        in_other_process(way, path, size)
        until = time.monotonic() + 10
        asked = 1
        while (pages := cached(probe)) and time.monotonic() < until:
            asked += 1
        print(f"{way.__name__}: {pages} pages left (asked {asked} times)")
        faults += pages > 0
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
