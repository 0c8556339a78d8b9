#!/usr/bin/python3
"""barrier.py SOCKET SERVICE COUNT MOUNT MOUNT...: COUNT commits to views of one store. At every event, in whichever view it is
heard first, the values of that commit must be there in every view: by a read, by the size that the kernel has kept,
and by a mapping of the kernel's own page. When a file's own event is heard its name must be listed everywhere too.
A commit is made when all views have heard of the one before, so that "that commit" is one."""
import pathlib
import select
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
import varlink  # noqa: E402
from views import IN_CLOSE_WRITE, IN_CREATE, IN_DELETE, IN_MODIFY, PATIENCE, Mapping, View, stand  # noqa: E402

PAGE = 8  # the size of what is mapped: only its bytes change


def padded(number):
    """A value whose size tells the number, as the kernel's attributes have it."""
    return "." * (number % 1000 + 1)


class Round:
    """One commit: SIZE and PAGE get another value, NEW<n> is made; and one more that takes it away."""

    def __init__(self, views, mappings, number):
        self.views, self.mappings, self.number = views, mappings, number
        self.made = f"NEW{number}"
        self.left = {view: {"made", "SIZE", "PAGE", self.made} for view in views}
        self.faults = []

    def commit(self, connection, service):
        values = {"SIZE": padded(self.number), "PAGE": "%0*d" % (PAGE, self.number), self.made: "new"}
        operations = [{"path": f"{service}/{key}", "kind": "plain", "value": value} for key, value in values.items()]
        connection.call("Set", operations=operations, reason="a round")

    def wrong(self, where, what):
        self.faults.append(f"commit {self.number}, at an event in {where.folder.parts[-3]}: {what}")

    def look(self, heard_in, has_names):
        """What must hold everywhere by now."""
        for view in self.views:
            name = view.folder.parts[-3]
            if view.size("SIZE") != len(padded(self.number)):
                self.wrong(heard_in, f"{name} has the old size")
            if view.value("SIZE").decode() != padded(self.number):
                self.wrong(heard_in, f"{name} has the old value")
            if int(self.mappings[view].text()) != self.number:
                self.wrong(heard_in, f"{name} has the old page")
            if not has_names:
                continue
            if self.made not in view.names():
                self.wrong(heard_in, f"{name} does not list {self.made}")
            elif view.value(self.made) != b"new":
                self.wrong(heard_in, f"{name} has another {self.made}")

    def hear(self, view, mask, name):
        if mask & IN_CREATE and name == self.made:
            self.left[view].discard("made")
        if mask & IN_CLOSE_WRITE:
            self.left[view].discard(name)

    def hear_all(self):
        while any(self.left.values()):
            ready = select.select([view.fd for view in self.views], [], [], PATIENCE)[0]
            if not ready:
                raise TimeoutError(f"commit {self.number}: {self.left} is not heard")
            for view in self.views:
                if view.fd not in ready:
                    continue
                events = view.events()
                self.look(view, any(mask & (IN_MODIFY | IN_CLOSE_WRITE) for mask, _ in events))
                for mask, name in events:
                    self.hear(view, mask, name)


    def remove(self, connection, service):
        connection.call("Remove", paths=[f"{service}/{self.made}"], reason="its end")
        for view in self.views:
            if self.made in view.names():
                self.wrong(view, f"{self.made} is listed after its removal was answered")
            view.until(self.made, IN_DELETE)

    def run(self, connection, service):
        for view in self.views:  # what the kernel keeps, and is to forget
            view.size("SIZE"), view.names(), self.mappings[view].text()
        # beside, so that an event may come before the commit is answered
        writer = threading.Thread(target=self.commit, args=(connection, service))
        writer.start()
        self.hear_all()
        writer.join()
        self.remove(connection, service)
        return self.faults


def main():
    socket, service, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    connection = varlink.Connection(socket)
    views = [View(pathlib.Path(folder) / service) for folder in sys.argv[4:]]
    connection.set({f"{service}/SIZE": padded(0).encode(), f"{service}/PAGE": b"0" * PAGE})
    stand(connection, service, views)
    mappings = {view: Mapping(view.folder / "PAGE", PAGE) for view in views}
    faults = []
    for number in range(1, count + 1):
        faults += Round(views, mappings, number).run(connection, service)
    print(f"{count} commits, {len(views)} views, {len(faults)} faults")
    print("\n".join(faults[:20]))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
