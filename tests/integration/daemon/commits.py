#!/usr/bin/python3
"""commits.py SOCKET SERVICE COUNT PIPE: sets SERVICE/N to 1, 2, ... COUNT, one commit each, and says how far it is to the
pipe four times. A connection that ends without an answer is made again. Prints how many were answered; a refusal, or a
revision that does not grow, is a failure."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402

path, service, count, pipe = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
faults = []
answered = 0
again = 0
revision = 0
connection = varlink.Connection(path)
with open(pipe, "w", buffering=1) as marks:
    for number in range(1, count + 1):
        while True:
            try:
                got = connection.set({f"{service}/N": str(number).encode()})
                break
            except (ConnectionError, BrokenPipeError):
                again += 1
                connection = varlink.Connection(path)
            except varlink.Refused as refused:
                faults.append(f"{number}: {refused}")
                got = revision + 1
                break
        answered += 1
        if got <= revision:
            faults.append(f"{number}: revision {got} after {revision}")
        revision = got
        if number % (count // 4) == 0:
            marks.write(f"{number}\n")
print(f"{answered} commits, {again} asked again, {len(faults)} faults")
for fault in faults[:20]:
    print(fault)
sys.exit(1 if faults else 0)
