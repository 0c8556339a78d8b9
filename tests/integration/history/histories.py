"""histories.py SOCKET TREE COMMITS SUPPORT: makes a random history and follows it in a model of a few lines, then asks what the
past was: who changed each value last (against what is read as of any revision), what differs between two revisions (against
diff -r of both as files), and takes environments and services back to earlier revisions."""
import os
import random
import re
import subprocess
import sys
from dataclasses import dataclass, field

socket, tree, commits, support = sys.argv[1:5]
commits = int(commits)
sys.path.insert(0, support)
import varlink  # noqa: E402

SEED = int(os.environ.get("EMSA_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
dice = random.Random(SEED)
STEP = 100 if commits >= 2000 else max(1, min(50, commits // 8))
BASES = {"pre": "base"}
LEAVES = ("dev", "prod", "pre")
ENVIRONMENTS = ("base", *LEAVES)
SERVICES = ("api", "shared", "web")
KEYS = tuple(f"K{n}" for n in range(7))
connection = varlink.Connection(socket)
faults = []


def fault(text):
    faults.append(text)
    if len(faults) > 20:
        end()


def end():
    for text in faults[:20]:
        print("FAULT:", text)
    print(f"seed {SEED}: {len(faults)} faults")
    sys.exit(1 if faults else 0)


# --- the model -----------------------------------------------------------------------------------------------

class Faulty(Exception):
    pass


@dataclass
class State:
    definitions: dict = field(default_factory=dict)  # (environment, service, key): (kind, text)
    placed: set = field(default_factory=lambda: {(e, s) for e in ("all", *ENVIRONMENTS) for s in SERVICES})

    def copy(self):
        return State(dict(self.definitions), set(self.placed))

    def find(self, environment, service, key):
        if (environment, service) not in self.placed:
            return None
        for layer in (environment, BASES.get(environment), "all"):
            found = self.definitions.get((layer, service, key)) if layer else None
            if found:
                return found
        return None

    def resolve(self, environment, service, key, way=()):
        """(bytes as text, secret)"""
        place, found = (service, key), self.find(environment, service, key)
        if not found or place in way or len(way) > 8:
            raise Faulty(f"{service}/{key}")
        kind, text = found
        if kind in ("plain", "secret"):
            return text, kind == "secret"
        if kind == "link":
            target = text.split("/")
            return self.refer(environment, service, *target, (*way, place))
        secret, value = False, ""
        for piece in re.split(r"(\$\{[^}]*\})", text):
            if piece.startswith("${"):
                target = ([service] + piece[2:-1].split("/"))[-2:]
                piece, is_secret = self.refer(environment, service, *target, (*way, place))
                secret |= is_secret
            value += piece
        return value, secret

    def refer(self, environment, owner, service, key, way):
        value, secret = self.resolve(environment, service, key, way)
        if service != owner and (service != "shared" or secret):
            raise Faulty("not shared")
        return value, secret

    def values(self, environment):
        found = {}
        for service in SERVICES:
            for key in KEYS:
                if self.find(environment, service, key):
                    found[f"{service}/{key}"] = self.resolve(environment, service, key)
        return found

    def is_sound(self):
        try:
            for environment in ENVIRONMENTS:
                self.values(environment)
        except Faulty:
            return False
        return True


state = State()
kept = {}  # revision: State
last = {}  # environment/service/key: (rev, value) of its last change
shown = {environment: {} for environment in ENVIRONMENTS}


def note(rev):
    """After a commit: what is seen otherwise since."""
    for environment in ENVIRONMENTS:
        now = state.values(environment)
        for place in now.keys() | shown[environment].keys():
            if now.get(place) != shown[environment].get(place):
                last[f"{environment}/{place}"] = rev
        shown[environment] = now


# --- random commits ------------------------------------------------------------------------------------------

count = 0


def unique():
    global count
    count += 1
    return f"u{count}."


def text_of_template(service):
    keys = dice.choices(KEYS, k=dice.randint(1, 2))
    pieces = [dice.choice((f"${{{key}}}", f"${{shared/{key}}}")) for key in keys]
    return dice.choice(("", "t")).join(pieces) + ("" if dice.random() < 0.5 else "!")


def random_operation():
    environment = dice.choice(("all", *ENVIRONMENTS, *LEAVES))
    service, key = dice.choice(SERVICES), dice.choice(KEYS)
    path = f"{environment}/{service}/{key}"
    is_leaf = environment in LEAVES
    kind = dice.choices(("plain", "link", "template", "remove"), (6, 2 * is_leaf, 2, 4))[0]
    if kind == "plain":
        # In layers that others stand on nothing is set to what it was: SAME is not said of all of it there.
        return {"kind": kind, "path": path, "value": f"v{dice.randrange(4)}" if is_leaf else unique()}
    if kind == "link":
        return {"kind": kind, "path": path, "value": f"{dice.choice((service, 'shared'))}/{dice.choice(KEYS)}"}
    if kind == "template":
        return {"kind": kind, "path": path, "value": text_of_template(service) + ("" if is_leaf else unique())}
    return {"kind": kind, "path": path}


def apply(operation):
    place = tuple(operation["path"].split("/"))
    if operation["kind"] == "remove":
        state.definitions.pop(place, None)
    else:
        state.definitions[place] = (operation["kind"], operation["value"])
        state.placed.add(place[:2])


def commit_values():
    operations = {it["path"]: it for it in (random_operation() for _ in range(dice.choice((1, 1, 2, 3, 5))))}
    reply = connection.call("Set", operations=list(operations.values()), reason="random")
    for operation in operations.values():
        apply(operation)
    return reply


def commit_secret():
    environment, service, key = dice.choice(ENVIRONMENTS), dice.choice(SERVICES), dice.choice(KEYS)
    value = f"s{dice.randrange(4)}" if environment in LEAVES else unique()
    rev = connection.set({f"{environment}/{service}/{key}": value.encode()}, kind="secret")
    state.definitions[environment, service, key] = ("secret", value)
    state.placed.add((environment, service))
    return {"rev": rev}


def commit_place():
    """A service goes with all that is in it, or comes back empty."""
    environment, service = dice.choice(LEAVES), dice.choice(("api", "web"))
    if (environment, service) in state.placed:
        reply = connection.call("ServiceRemove", paths=[f"{environment}/{service}"], all=True)
        forget(environment, [service])
    else:
        reply = connection.call("ServiceAdd", paths=[f"{environment}/{service}"])
        state.placed.add((environment, service))
    return reply


def forget(environment, services):
    state.placed -= {(environment, service) for service in services}
    for place in [place for place in state.definitions if place[0] == environment and place[1] in services]:
        del state.definitions[place]


def commit():
    kind = dice.choices((commit_values, commit_secret, commit_place), (10, 2, 1))[0]
    try:
        reply = kind()
    except varlink.Refused as refused:
        if "Refused" not in refused.name and "NotFound" not in refused.name:
            fault(str(refused))
        return None
    note(reply["rev"])
    return reply["rev"]


# --- what the past is said to be -------------------------------------------------------------------------------

def check_blame():
    for environment in ENVIRONMENTS:
        lines = connection.call("Blame", path=environment)["lines"]
        said = {line["path"]: line["rev"] for line in lines}
        expected = {f"{environment}/{place}": last[f"{environment}/{place}"] for place in shown[environment]}
        if said != expected:
            wrong = {path: (said.get(path), expected.get(path)) for path in said.keys() | expected.keys()
                     if said.get(path) != expected.get(path)}
            fault(f"blame of {environment} (said, expected): {dict(list(wrong.items())[:5])}")


def read(environment, rev, place):
    try:
        with open(f"{tree}/{environment}/.emsa/at/{rev}/{place}", "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def check_by_bisecting(head):
    """A commit by which a value became what it is now, found by reading it as of revisions: blame names none before it."""
    environment = dice.choice(ENVIRONMENTS)
    if not shown[environment]:
        return
    place = dice.choice(sorted(shown[environment]))
    now, low, high = read(environment, head, place), 1, head
    if now != shown[environment][place][0].encode():
        fault(f"{environment}/{place} at {head}: {now}, not {shown[environment][place]}")
    while high - low > 1:
        middle = (low + high) // 2
        if read(environment, middle, place) == now:
            high = middle
        else:
            low = middle
    line = connection.call("Blame", path=f"{environment}/{place}")["lines"][0]
    between = {read(environment, rev, place) for rev in dice.choices(range(line["rev"], head + 1), k=8)}
    if line["rev"] < high or between != {now}:
        fault(f"{environment}/{place}: blame says {line['rev']}, a bisect {high}; since then {between}, now {now}")


def check_diff(a, b):
    environment = dice.choice((*ENVIRONMENTS, "all"))
    folders = [f"{tree}/{environment}/.emsa/at/{rev}" for rev in (a, b)]
    done = subprocess.run(["diff", "-rq", *folders], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode > 1:
        fault(f"diff -r {folders}: {done.stderr}")
    files = set()
    for line in done.stdout.splitlines():
        only = re.fullmatch(r"Only in (.*): (.*)", line)
        if only:
            side = "-" if (only[1] + "/").startswith(folders[0] + "/") else "+"
            where = only[1][len(folders[0 if side == "-" else 1]) + 1:]
            files.add((side, f"{where}/{only[2]}" if where else only[2]))
        else:
            files.add(("~", re.fullmatch(r"Files (\S+) and .*", line)[1][len(folders[0]) + 1:]))
    lines, after = [], None
    while True:
        reply = connection.call("Diff", path=environment, at=str(a), other_at=str(b), limit=dice.choice((3, 1000)),
                                **({"after": after} if after else {}))
        lines += reply["lines"]
        if not reply["more"]:
            break
        after = reply["after"]
    services = {line["path"] for line in lines if "/" not in line["path"]}
    told = set()
    for line in lines:
        kinds = {line.get(side, {}).get("kind") for side in ("left", "right")}
        if line["path"].split("/")[0] in services and "/" in line["path"]:
            continue  # diff tells of the directory
        if line["mark"] == "~" and len(kinds) > 1 and read(environment, a, line["path"]) == read(environment, b, line["path"]):
            continue  # a secret of the same bytes
        told.add((line["mark"], line["path"]))
    if told != files:
        fault(f"diff of {environment} {a} {b}: told {sorted(told - files)[:5]}, files {sorted(files - told)[:5]}")


# --- taking back -----------------------------------------------------------------------------------------------

def taken_back(then, environment, services, with_secrets):
    """What a rollback makes of the state."""
    made = state.copy()
    for service in services:
        was, now = (environment, service) in then.placed, (environment, service) in state.placed
        stays = 0
        for key in KEYS:
            place = (environment, service, key)
            old, new = then.definitions.get(place), state.definitions.get(place)
            if old == new:
                continue
            if not with_secrets and "secret" in ((old or [""])[0], (new or [""])[0]):
                stays += new is not None
            elif old:
                made.definitions[place] = old
            else:
                del made.definitions[place]
        if was:
            made.placed.add((environment, service))
        elif now and not stays:
            made.placed.discard((environment, service))
    return made


def roll(path, services, rev, with_secrets):
    """1 where it was done, 0 where it was refused as it had to be."""
    global state
    environment = path.split("/")[0]
    made = taken_back(kept[rev], environment, services, with_secrets)
    try:
        reply = connection.call("Rollback", path=path, to=str(rev), with_secrets=with_secrets)
    except varlink.Refused as refused:
        if made.is_sound() and "did not exist" not in str(refused):
            fault(f"rollback of {path} to {rev}: refused, and it could be: {refused}")
        return 0
    if not made.is_sound():
        fault(f"rollback of {path} to {rev}: done, and leaves what can't be resolved")
        end()
    state = made
    note(reply["rev"])
    return 1


def check_values(what):
    for environment in ENVIRONMENTS:
        found = {}
        for service in os.listdir(f"{tree}/{environment}"):
            for key in os.listdir(f"{tree}/{environment}/{service}"):
                with open(f"{tree}/{environment}/{service}/{key}", "rb") as file:
                    found[f"{service}/{key}"] = file.read().decode()
        expected = {place: value for place, (value, _) in shown[environment].items()}
        if found != expected:
            wrong = {place: (found.get(place), expected.get(place)) for place in found.keys() | expected.keys()
                     if found.get(place) != expected.get(place)}
            fault(f"{what}: {environment} (found, expected): {dict(list(wrong.items())[:5])}")


def take_all_back(rev):
    """Everything as it was: what refers to something is taken away first, so that nothing is refused."""
    then = kept[rev]
    for environment in (*LEAVES, "base"):
        present = [service for service in SERVICES if (environment, service) in state.placed]
        if present:
            reply = connection.call("ServiceRemove", paths=[f"{environment}/{service}" for service in present], all=True)
            forget(environment, present)
            note(reply["rev"])
    for environment in ("all", "base", *LEAVES):
        if not roll(environment, SERVICES, rev, True):
            fault(f"everything to {rev}: {environment} was refused")
    for environment in ENVIRONMENTS:
        if state.values(environment) != then.values(environment):
            fault(f"everything to {rev}: the model is not what it was in {environment}")
        here, there = f"{tree}/{environment}", f"{tree}/{environment}/.emsa/at/{rev}"
        done = subprocess.run(["diff", "-r", here, there], capture_output=True, text=True)
        if done.returncode:
            fault(f"everything to {rev}: {done.stdout[:300]}{done.stderr[:300]}")


def main():
    done, head = 0, connection.call("Status")["rev"]
    first = head  # before it there are no environments to compare
    while done < commits:
        rev = commit()
        if rev in (None, head):
            continue  # refused, or as it was
        head, done = rev, done + 1
        if done % STEP == 0:
            kept[head] = state.copy()
            check_blame()
            check_values(f"revision {head}")
    revisions = sorted(kept)
    for _ in range(len(revisions)):
        check_by_bisecting(head)
        check_diff(*dice.choices(range(first, head + 1), k=2))
        check_diff(*dice.sample(revisions, 2))
    made = refused = 0
    for rev in revisions:
        environment, service = dice.choice(("all", *ENVIRONMENTS)), dice.choice(SERVICES)
        for path, services in ((environment, SERVICES), (f"{environment}/{service}", (service,))):
            if (environment, service) in kept[rev].placed or "/" not in path:
                was = roll(path, services, rev, dice.random() < 0.5)
                made, refused = made + was, refused + (not was)
        check_values(f"taken back to {rev}")
    for rev in revisions:
        take_all_back(rev)
    check_blame()
    print(f"{done} commits to revision {head}; {len(revisions)} revisions; taken back {made} times, refused {refused} times")
    if not made:
        fault("nothing was taken back")
    end()


main()
