#!/usr/bin/python3
"""table.py FOLDER SOCKET MOUNT GROUP_MOUNT: every user against every place by every way, compared with the model; and no
reply tells a key or a value to who may not know it."""
import json
import os
import re
import subprocess
import sys

from model import Model, User, parts
from who import Connection

USERS = [
    User("root", 0, 0),
    User("alice", 2001, 2001, (), ("user:alice", "group:alice")),
    User("bob", 2002, 2002, (), ("user:bob", "group:bob")),
    User("carol", 2003, 2003, (), ("user:carol", "group:carol")),
    User("dave", 2004, 2004, (), ("user:dave", "group:dave")),
    User("erin", 2005, 3001, (), ("user:erin", "group:dev")),
    User("frank", 2006, 2006, (3001, 3002), ("user:frank", "group:frank", "group:dev", "group:ops")),
    User("grace", 2007, 2007, (), ("user:grace", "group:grace")),
    User("heidi", 2008, 2008, (), ("user:heidi", "group:heidi")),
    User("ivan", 2009, 2009, (), ("user:ivan", "group:ivan")),
    User("judy", 2010, 2010, (), ("user:judy", "group:judy", "user:judith")),
    # who have a right or two by an identity that they prove: beside none, beside another; and one that the store does not know
    User("ken", 2012, 2012, (), ("user:ken", "group:ken", "id:carrier"), "carrier"),
    User("alice", 2001, 2001, (), ("user:alice", "group:alice", "id:carrier"), "carrier"),
    User("ken", 2012, 2012, (), ("user:ken", "group:ken", "id:overseer"), "overseer"),
    User("ken", 2012, 2012, (), ("user:ken", "group:ken"), "stranger"),
    # of the group only by /etc/group, which says nothing of a process
    User("mallory", 2011, 2011, (), ("user:mallory", "group:mallory")),
]
GRANTS = [
    ("prod/web", "user:alice", ("list",)), ("prod/web", "user:bob", ("read",)), ("prod/web", "user:carol", ("set",)),
    ("prod/web", "user:dave", ("read", "set")), ("dev", "group:dev", ("read",)), ("prod", "group:ops", ("admin",)),
    ("", "user:grace", ("audit",)), ("prod/db", "user:heidi", ("share",)), ("", "user:judith", ("list",)),
    ("all/web", "user:dave", ("read", "set")), ("prod/db", "user:nobody-yet", ("admin",)),
    ("dev/db", "user:carol", ("set", "audit")), ("prod/web", "id:carrier", ("set",)), ("dev", "id:carrier", ("read",)),
    ("", "id:overseer", ("audit",)),
]
PLACES = ["", "dev", "prod", "all", "dev/web", "prod/web", "prod/db", "all/web", "dev/web/KdevwebA", "prod/web/KprodwebA",
          "prod/web/KprodwebS", "prod/db/KproddbA"]
SERVICES = ["dev/web", "dev/db", "prod/web", "prod/db", "prod/scratch", "all/web"]
ENVIRONMENTS = ["dev", "prod", "all"]
PUBLIC = "emsa1" + "09" + 31 * "00" + "58" + 31 * "66"  # of nobody: the base points


def key_of(service):
    return "K" + service.replace("/", "") + "A"


def value_of(service):
    return "value-of-" + service.replace("/", "-")


def other_of(path):
    """The place of the same name in the other environment."""
    first, *rest = parts(path)
    return "/".join(["dev" if first == "prod" else "prod", *rest])


def is_at(path, *depths):
    return len(parts(path)) in depths


def above(path):
    return "/".join(parts(path)[:-1])


def operation(kind, path, **more):
    return "Set", {"operations": [{"kind": kind, "path": path, **more}], "dry_run": True, "reason": "table"}


def reading(path, revisions):
    yield "List", {"path": path}, [("see", path)]
    yield "Tree", {"path": path}, [("see", path)]
    if is_at(path, 0):
        yield "EnvironmentList", {}, [("see", "")]
        for needs, methods in ((("list", ""), ("Status", "Metrics")), (("audit", ""), ("Tags", "Verify"))):
            for method in methods:
                yield method, {}, [needs]
        yield "StoreId", {}, [("some", "")]
        yield "CallerChallenge", {}, []
        yield "CallerProve", {}, []
        yield "IdentityKeys", {"public": PUBLIC}, [("list", "")]
        yield "Find", {"pattern": "*"}, [("some", "")]
        for service in SERVICES:
            yield "Find", {"pattern": "*", "value": value_of(service)}, [("some", "")]
    if is_at(path, 1):
        yield "ServiceList", {"path": path}, [("see", path)]
    if is_at(path, 0, 1):
        yield "Locks", {"path": path}, [("audit", path)]
    yield "Exposed", {"path": path}, [("audit", path)]
    yield "Audit", {"path": path, "limit": 1}, [("audit", path)]
    if is_at(path, 2, 3):
        yield "Get", {"paths": [path], "reveal": True}, [("read", path)]
    yield "Definitions", {"paths": [path], "reveal": True}, [("read", path)]
    yield "Log", {"path": path}, [("audit", path)]
    if not is_at(path, 3):
        yield "Check", {"path": path}, [("read", path)]
        yield "Grants", {"path": path}, [("some", ""), ("see", path)]
    if not is_at(path, 0):
        yield "Watch", {"paths": [path]}, [("read", path)]
        yield "Blame", {"path": path}, [("audit", path)]
        yield "Diff", {"path": path, "other": other_of(path)}, [("read", path), ("read", other_of(path))]
        yield "Diff", {"path": other_of(path), "other": path}, [("read", path), ("read", other_of(path))]
    if is_at(path, 2):
        yield "SealKey", {"path": path}, [("list", path)]
        yield "SchemaShow", {"path": path}, [("read", path)]
        yield "SchemaInfer", {"path": path}, [("read", path)]
        yield "Check", {"path": path, "parity": ["dev", "prod"]}, [("read", path), ("read", "dev"), ("read", "prod")]
        yield "Show", {"rev": revisions[path]}, [("audit", path)]
    if is_at(path, 3):
        yield "Explain", {"path": path}, [("read", path)]
        yield "Refs", {"path": path}, [("list", path)]


def changing_keys(path):
    service, scratch = above(path), "prod/scratch/KprodscratchA"
    yield *operation("plain", path, value="guess"), [("set", path)]
    yield *operation("plain", path, value=value_of(service)), [("set", path)]
    yield *operation("secret", path, value="guess"), [("set", path)]
    yield *operation("sealed", path, value="guess"), [("set", path)]
    yield *operation("template", path, value="a${KprodwebA}"), [("edit", path)]
    yield *operation("link", path, value="db/KproddbA"), [("edit", path)]
    yield *operation("remove", path), [("set", path)]
    yield *operation("copy", path, **{"from": scratch}), [("edit", path), ("read", scratch)]
    yield *operation("copy", scratch, **{"from": path}), [("read", path), ("edit", scratch)]
    yield *operation("move", service + "/MOVED", **{"from": path}), [("edit", path)]
    yield *operation("share", path, **{"with": "scratch"}), [("share", path)]
    yield *operation("unshare", path, **{"with": "scratch"}), [("share", path)]
    yield "Remove", {"paths": [path], "dry_run": True}, [("set", path)]
    yield "Copy", {"from": path, "to": service + "/COPY", "dry_run": True}, [("edit", path)]
    yield "Move", {"from": path, "to": service + "/MOVED", "dry_run": True}, [("edit", path)]


def changing(path):
    if is_at(path, 3):
        yield from changing_keys(path)
    if is_at(path, 2):
        reach = [("edit", path), *(("read", other) for other in SERVICES if path == "all/web" and other.endswith("/web"))]
        yield *operation("schema", path, schema={"service": parts(path)[1], "keys": {}}), reach
        yield *operation("unschema", path), reach
        yield *operation("service", path), [("set", path)]
        yield "ServiceAdd", {"paths": [path], "dry_run": True}, [("set", path)]
        yield "ServiceRemove", {"paths": [path], "all": True, "dry_run": True}, [("admin", path)]
        yield "Promote", {"from": other_of(path), "to": path, "dry_run": True}, [("edit", path), ("read", other_of(path))]
        yield "Copy", {"from": path, "to": path + "2", "dry_run": True}, [("read", path), ("edit", path + "2")]
        yield "Move", {"from": path, "to": path + "2", "dry_run": True}, [("admin", path), ("edit", path + "2")]
    if is_at(path, 1):
        yield *operation("environment", path), [("admin", path)]
        yield "EnvironmentAdd", {"names": [path], "dry_run": True}, [("admin", path)]
        yield "EnvironmentRemove", {"names": [path], "all": True, "dry_run": True}, [("admin", path)]
        yield "EnvironmentCopy", {"from": path, "to": "copied", "dry_run": True}, [("read", path), ("admin", "copied")]
    if not is_at(path, 0):
        yield *operation("lock", path), [("set", path)]
        yield *operation("unlock", path), [("admin", path)]
        yield "Rollback", {"path": path, "to": "4", "dry_run": True}, [("edit", path)]
        change = {"operations": [{"kind": "plain", "path": "prod/web/IF", "value": "x"}], "dry_run": True}
        yield "Set", {**change, "if_rev": 1, "if_path": path}, [("set", "prod/web"), ("list", path)]
    if is_at(path, 3):
        yield "Purge", {"path": path, "rev": 4, "reason": "r", "dry_run": True}, [("admin", path)]
    if not is_at(path, 3):
        yield "Compact", {"path": path, "rev": 1, "reason": "r", "dry_run": True}, [("admin", path)]
        yield *operation("grant", path, who="user:ivan", rights=["read"]), [("admin", path)]
        yield *operation("revoke", path, who="user:ivan"), [("admin", path)]
    if is_at(path, 1, 2):
        yield *operation("rotate", path), [("admin", path)]
    if is_at(path, 0):
        yield "Tag", {"name": "t", "dry_run": True}, [("set", "")]
        yield "Untag", {"name": "t", "dry_run": True}, [("set", "")]
        yield "TakeOver", {}, [("admin", "")]
        yield "Stop", {}, [("admin", "")]
        yield "Upgrade", {}, [("admin", "")]
        yield "UnlockIdentity", {}, [("admin", "")]
        yield "AuditAuditor", {"identity": "nobody"}, [("admin", "")]
        yield "Set", {"operations": [{"kind": "plain", "path": "prod/web/X", "value": "x"}], "override": ["lock"], "reason": "r",
                      "dry_run": True}, [("set", "prod/web"), ("admin", "")]


def views(path):
    """A view shows all that there is of its place: its values, and of everything also who wrote what and why."""
    if is_at(path, 3):
        return
    needs = [("read", path) if path else ("admin", "")]
    yield "Mount", {"path": path}, needs
    yield "Mount", {"path": path, "masked": True, "mode": 0o400, "uid": 0, "gid": 0, "idmap": True}, needs
    if is_at(path, 2):
        yield "Mount", {"path": path, "layout": "flat", "directory": "/nowhere"}, needs
    yield "Views", {"path": path}, [("list", path)] if path else [("some", "")]
    if is_at(path, 0):
        yield "ViewMove", {"view": "/nowhere", "to": "live"}, [("some", "")]
        yield from volumes()


def volumes():
    """Whoever may make one mounts it below the daemon's own folder, for whomever: that is all rights."""
    for method, more in (("Create", {"options": {"path": "dev/web", "mode": 0o444}}), ("Get", {}), ("Mount", {"id": "a"}),
                         ("Path", {}), ("Unmount", {"id": "a"}), ("Remove", {})):
        yield "Volume" + method, {"name": "tabled", **more}, [("admin", "")]
    yield "VolumeList", {}, [("admin", "")]


def server_table(socket):
    """The verbs and the kinds of operations that the server has, by its own word."""
    link = Connection(socket)
    text = link.call("org.varlink.service.GetInterfaceDescription", {"interface": "io.emsa"})[1]
    verbs = set(re.findall(r"^method (\w+)", json.loads(text)["parameters"]["description"], re.MULTILINE))
    text = link.call("Set", {"operations": [{"kind": "none", "path": "prod/web/X"}]})[1]
    kinds = set(re.findall(r"\w+", json.loads(text)["parameters"]["message"].rpartition(":")[2])) - {"and", "or"}
    return verbs, kinds


def without_rows(rows, socket):
    """One table: what the server can do and nobody is asked about here is a fault."""
    verbs, kinds = server_table(socket)
    if len(verbs) < 40 or len(kinds) < 15:
        yield f"the server's own table was not understood: {verbs}, {kinds}"
    asked = {row[0] for row in rows}
    asked_kinds = {each["kind"] for row in rows for each in row[1].get("operations", ())}
    yield from (f"no row asks for {verb}" for verb in sorted(verbs - asked))
    yield from (f"no such verb any more: {verb}" for verb in sorted(asked - verbs))
    yield from (f"no row asks for operations of kind {kind}" for kind in sorted(kinds - asked_kinds))


def knows(model, user, service, right):
    """Whoever may see a service in an environment sees what 'all' says of it, and may read it as that one's; whoever may read
    'prod/web' reads there what 'prod/db' shares with it, and the text that names it."""
    if right in model.held(user, service):
        return True
    if service == "all/web":
        return any(right in model.held(user, other) for other in SERVICES if other.endswith("/web"))
    return service == "prod/db" and "read" in model.held(user, "prod/web")


def untold(model, user, text, asked):
    """What the reply tells that its reader may not know; what was asked for itself is no news."""
    for service in SERVICES:
        key, value = key_of(service), value_of(service)
        if not knows(model, user, service, "list") and key in text and key not in asked:
            yield f"the key {key}"
        if not knows(model, user, service, "read") and value in text and value not in asked:
            yield f"the value of {service}"
        if not model.sees(user, service) and f'"{service}"' in text and service not in asked:
            yield f"the service {service}"
    for environment in ENVIRONMENTS:
        text = text.replace('"origin":"all"', "")
        if not model.sees(user, environment) and f'"{environment}"' in text and environment not in asked:
            yield f"the environment {environment}"


def run_as(user, calls, folder):
    path = os.path.join(folder, f"calls.{user.name}")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(calls, file)
    os.chmod(path, 0o644)
    groups = ["--groups", ",".join(map(str, user.groups))] if user.groups else ["--clear-groups"]
    out = subprocess.run(["setpriv", "--reuid", str(user.uid), "--regid", str(user.gid), *groups, "/usr/bin/python3", "-B",
                          os.path.join(folder, "who.py"), path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in out.stdout.decode().splitlines()]


def hold_views(socket):
    """A view of each extent, for as long as the descriptors live, by its place: what Views must not tell of to everybody."""
    link = Connection(socket)
    return [descriptor for path in ("", "dev", "prod", "prod/web", "prod/db") for descriptor in link.ask("Mount", {"path": path})[2]]


def rows_of(revisions):
    return [row for path in PLACES for row in (*reading(path, revisions), *changing(path), *views(path))]


def by_socket(model, user, folder, socket, rows):
    # what would end the server is not asked by who may
    rows = [row for row in rows if row[0] not in ("Stop", "Upgrade") or not model.may(user, row[2])]
    proof = {"identity": os.path.join(folder, user.identity)} if user.identity else {}
    found = run_as(user, [{"socket": socket, "method": row[0], "parameters": row[1], **proof} for row in rows], folder)
    name = user.name + (", id:" + user.identity if user.identity else "")
    for (method, parameters, needs), (verdict, text) in zip(rows, found, strict=True):
        what = f"{name}: {method} {json.dumps(parameters)}"
        if (verdict == "io.emsa.Denied") == model.may(user, needs):
            yield f"{what}: {verdict}, and takes {needs}: {text[:300]}"
        for told in untold(model, user, text, json.dumps(parameters)):
            yield f"{what} tells of {told}: {text[:600]}"
    print(f"{name}: {len(rows)} calls, {sum(verdict == 'io.emsa.Denied' for verdict, _ in found)} denied")


def by_file(user, folder, mount, owner, group):
    """Modes: directories rwx for the owner and r-x for the group where there is one, files r and r; the kernel knows no more."""
    rows = [(os.path.join(mount, path), do) for path in PLACES for do in ("ls", "cat", "stat")]
    found = run_as(user, [{"file": path, "do": do} for path, do in rows], folder)
    for (path, do), (verdict, _) in zip(rows, found, strict=True):
        is_in = user.uid == owner or (group is not None and group in (user.gid, *user.groups))
        # the root of the mount itself is looked at from outside of it
        good = is_in or user.uid == 0 or (do == "stat" and os.path.normpath(path) == mount)
        if (verdict == "done") != good:
            yield f"{user.name}: {do} {path}: {verdict}"


def main():
    folder, socket, mount, group_mount, revisions = sys.argv[1:]
    model = Model(GRANTS)
    with open(revisions, encoding="utf-8") as file:
        revisions = json.load(file)
    held = hold_views(socket)
    rows = rows_of(revisions)
    faults = list(without_rows(rows, socket))
    for user in USERS:
        faults += by_socket(model, user, folder, socket, rows)
        if user.identity: # files know of none
            continue
        faults += by_file(user, folder, mount, 0, None)
        faults += by_file(user, folder, group_mount, 0, 3002)
    for descriptor in held:
        os.close(descriptor)
    for fault in faults[:60]:
        print("FAULT:", fault)
    print(f"{len(faults)} faults")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
