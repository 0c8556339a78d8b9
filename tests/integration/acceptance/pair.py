#!/usr/bin/python3
"""pair.py SOCKET DIRECTORY PATH PAIRS CHANGES: a certificate and its key change in one commit, and a reader that loads
both at the first event of either never has a mixed pair: Python's ssl module (OpenSSL) loads them, as a daemon
does, and refuses a key that is not the certificate's. inotifywait, which nobody here wrote, watches the folder.
PAIRS holds N.crt and N.key. The next commit is made when the reader has loaded the one before: a commit between
his two opens would be a race of his own, which the event that follows ends."""
import os
import random
import ssl
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
from varlink import Connection  # noqa: E402


def main():
    socket, directory, path = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    pairs, changes = Path(sys.argv[4]), int(sys.argv[5])
    made = [(pairs / f"{n}.crt", pairs / f"{n}.key") for n in range(len(list(pairs.glob("*.crt"))))]
    contents = [(crt.read_bytes(), key.read_bytes()) for crt, key in made]
    served = directory / "TLS_CRT", directory / "TLS_KEY"
    connection, faults, last = Connection(socket), 0, 0
    # both are to change each time: what is set to what it was is no change, and has no event
    connection.set({f"{path}/{name.name}": content for name, content in zip(served, contents[0])})
    held = [open(name, "rb", buffering=0) for name in served]
    watcher = subprocess.Popen(["inotifywait", "-m", "-e", "close_write", "--format", "%f", directory],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "established" not in watcher.stderr.readline():
        pass
    for change in range(changes):
        last = random.choice([n for n in range(len(made)) if n != last])
        order = random.sample([0, 1], 2)
        # beside, so that the event may come before the commit is answered
        writer = threading.Thread(target=connection.set,
                                  args=({f"{path}/{served[i].name}": contents[last][i] for i in order},))
        writer.start()
        ends = []
        for event in (1, 2):
            ends.append(watcher.stdout.readline().strip())
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*served)
                if tuple(os.pread(file.fileno(), 65536, 0) for file in held) != contents[last]:
                    raise ValueError("the descriptors from before show another pair")
                if tuple(name.read_bytes() for name in served) != contents[last]:
                    raise ValueError("an older pair")
            except (OSError, ValueError) as fault:
                faults += 1
                print(f"change {change}, at event {event} ({ends[-1]}): {fault}", file=sys.stderr)
        writer.join()
        if sorted(ends) != ["TLS_CRT", "TLS_KEY"]:
            faults += 1
            print(f"change {change}: events of {ends}", file=sys.stderr)
    watcher.terminate()
    watcher.wait()
    print(f"{changes} changes of a pair, {faults} faults")
    sys.exit(faults != 0)


if __name__ == "__main__":
    main()
