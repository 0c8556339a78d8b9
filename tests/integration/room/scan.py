#!/usr/bin/python3
"""scan.py PID FILE: which of the texts of FILE, one a line, are in the memory of a process outside of what is locked and
kept from dumps. One line each: the text's number, the mapping, its flags. Exits 1 if any is, 2 if less than a
mebibyte could be read. On stderr: how many the locked memory holds, how many are elsewhere, the bytes read."""
import re
import sys

CHUNK = 1 << 22


def mappings(pid):
    """(start, end, name, flags) of all that can be read."""
    head = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)$")
    found = None
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = head.match(line)
            if match:
                found = (int(match.group(1), 16), int(match.group(2), 16), match.group(4) or "anonymous", match.group(3))
            elif line.startswith("VmFlags:") and found and found[3][0] == "r":
                yield found[0], found[1], found[2], line.split()[1:]


def contents(memory, start, end, overlap):
    tail = b""
    at = start
    while at < end:
        size = min(CHUNK, end - at)
        try:
            memory.seek(at)
            block = memory.read(size)
        except (OSError, ValueError):
            return
        yield tail + block
        tail = block[-overlap:]
        at += size


def main():
    pid, name = sys.argv[1], sys.argv[2]
    with open(name, "rb") as texts:
        wanted = {text: number for number, text in enumerate(texts.read().split(b"\n")) if text}
    longest = max(map(len, wanted))
    # all begin alike, so that one search finds them
    prefix = min(wanted)
    while not all(text.startswith(prefix) for text in wanted):
        prefix = prefix[:-1]
    pattern = re.compile(re.escape(prefix) + b"[0-9a-f]*")
    locked, loose, seen = 0, set(), 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end, mapping, flags in mappings(pid):
            for block in contents(memory, start, end, longest):
                seen += len(block)
                for match in pattern.finditer(block):
                    number = wanted.get(match.group(0)[:longest])
                    if number is None:
                        continue
                    if "lo" in flags and "dd" in flags:
                        locked += 1
                    else:
                        loose.add((number, mapping, f"{start:x}", " ".join(flags)))
    for line in sorted(loose)[:50]:
        print(*line)
    print(f"{locked} in locked memory, {len(loose)} elsewhere, {seen} bytes read", file=sys.stderr)
    sys.exit(1 if loose else 2 if seen < 1 << 20 else 0)


if __name__ == "__main__":
    main()
