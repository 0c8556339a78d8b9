#!/usr/bin/python3
"""traced.py TRACE...: the system calls that each of the daemon's processes made after it had entered its sandbox, of what
`strace -f -Y -o TRACE` wrote. One line each: role, call, how often, and for calls of many purposes which one; ENOSYS where
it "did not exist", clone3 excepted, which is to be so."""
import collections
import re
import sys

LINE = re.compile(r"^(\d+)<(emsad-\w+)> (?:<\.\.\. )?(\w+)(.*)$")
ANY = re.compile(r"^(\d+)<([^>]*)> (?:<\.\.\. )?(\w+)")
PURPOSES = {
    "prctl": re.compile(r"^\((\w+)"),
    "ioctl": re.compile(r"^\([^,]*, (\w+)"),
    "kill": re.compile(r"^\([^,]*, (\w+)"),
    "fcntl": re.compile(r"^\([^,]*, (\w+)"),
    "mprotect": re.compile(r"(PROT_EXEC)"),
    "mmap": re.compile(r"(PROT_EXEC)"),
    "madvise": re.compile(r"(MADV_\w+)"),
    "clone": re.compile(r"(CLONE_THREAD)"),
    "openat": re.compile(r'"(/(?:etc|proc|sys|usr|lib|dev|run|var)[^"]*)"'),
}


def calls_of(lines):
    """Counter of (role, call, purpose)."""
    found = collections.Counter()
    outside = set()  # main threads that have not entered yet
    for line in lines:
        some = ANY.match(line)
        if not some:
            continue
        pid, comm = some.group(1), some.group(2)
        if not comm.startswith("emsad-"):
            outside.add(pid)
            continue
        match = LINE.match(line)
        call, rest = match.group(3), match.group(4)
        if pid in outside:
            if call == "seccomp" and "SECCOMP_SET_MODE_FILTER" in line:
                outside.discard(pid)
            continue
        if "= -1 ENOSYS" in rest and call != "clone3":
            found[comm[6:], call, "ENOSYS "] += 1
            continue
        if "resumed>" in rest[:12]:
            continue
        purpose = PURPOSES.get(call)
        said = purpose.search(rest) if purpose else None
        found[comm[6:], call, said.group(1) if said else ""] += 1
    return found


def main():
    total = collections.Counter()
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8", errors="replace") as trace:
            total += calls_of(trace)
    for (role, call, purpose), count in sorted(total.items()):
        print(role, call, count, purpose)


if __name__ == "__main__":
    main()
