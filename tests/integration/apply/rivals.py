"""rivals.py FOLDER ROUNDS SEED: two administrators and one service. In every round both change the key LIST in a way
that is drawn for each: "edit" (the editor is this file), "apply" (export, change, apply), "expect" (read, then set
--if-rev) or "set" (blindly). In every other round they meet after both have read what is there, so that one of them
must come too late. What each did is then judged by what the store says of its revisions: who committed knew, or was told
of, the commit before; who did not was told why, and has what he wrote."""
import json
import os
import random
import re
import subprocess
import sys
import threading
from collections import Counter

PLACE = "prod/billing"
KEY = PLACE + "/LIST"


def editor(path):
    """What $EDITOR runs: appends its token, and meets the other one where the round wants that."""
    token, ready, go = os.environ["RIVAL"].split(":")
    with open(path) as file:
        text = file.read()
    changed = re.sub(r"^( *LIST: .*)$", rf"\1 {token}", text, flags=re.M)
    if ready:
        with open(ready, "w"):
            pass
        with open(go) as wait:
            wait.read()
    with open(path, "w") as file:
        file.write(changed)


class Rival:
    """One administrator in one round."""

    def __init__(self, folder, name, kind, number, barrier):
        self.folder, self.kind, self.barrier = folder, kind, barrier
        self.token = f"{name}{number}"
        self.base = self.rev = None  # the revision that was read, the one that was made
        self.was = None  # of a blind set: the revision that it says it replaced
        self.value = None  # what LIST becomes if it works
        self.message = self.kept = ""

    def run(self, *words, **more):
        return subprocess.run(["emsa", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)

    def meet(self):
        if self.barrier:
            self.barrier.wait(60)

    def read(self):
        done = self.run("export", PLACE, "--format", "yaml")
        assert done.returncode == 0, done.stderr
        self.base = int(re.match(r"rev: (\d+)", done.stdout).group(1))
        return done.stdout

    def conclude(self, done):
        """0 and 5 are all there is."""
        self.code, self.message = done.returncode, done.stderr
        assert self.code in (0, 5), f"{self.kind} ends with {self.code}: {done.stderr}"
        if self.code == 0:
            reply = json.loads(done.stdout)
            assert reply["committed"], f"{self.kind} did nothing: {done.stdout}"
            self.rev = reply["rev"]
            self.was = reply["lines"][0].get("was_rev")

    def edit(self):
        ready = go = ""
        if self.barrier:
            ready, go = (os.path.join(self.folder, f"{self.token}.{end}") for end in ("ready", "go"))
            os.mkfifo(ready)
            os.mkfifo(go)
        environment = {**os.environ, "EDITOR": f"{sys.executable} {os.path.abspath(__file__)} --editor",
                       "RIVAL": f"{self.token}:{ready}:{go}"}
        result = []
        thread = threading.Thread(target=lambda: result.append(
            self.run("edit", PLACE, "--json", "-m", self.token, env=environment)))
        thread.start()
        if self.barrier:
            with open(ready):
                pass
            self.meet()
            with open(go, "w"):
                pass
            os.unlink(ready)
            os.unlink(go)
        thread.join()
        self.conclude(result[0])
        if self.code == 5:
            path = re.search(r"your text is kept in '([^']*)'", self.message).group(1)
            with open(path) as file:
                self.kept = file.read()
            mode = os.stat(path).st_mode & 0o777
            assert mode == 0o600, f"a kept text has mode {mode:o}"
            os.unlink(path)
            self.base = int(re.search(r"^rev: (\d+)", self.kept, re.M).group(1))

    def apply(self):
        text = re.sub(r"^( *LIST: .*)$", rf"\1 {self.token}", self.read(), flags=re.M)
        path = os.path.join(self.folder, f"{self.token}.yaml")
        with open(path, "w") as file:
            file.write(text)
        self.meet()
        self.conclude(self.run("apply", path, "--json", "-m", self.token))
        with open(path) as file:
            self.kept = file.read()
        os.unlink(path)

    def expect(self):
        value = re.search(r"^ *LIST: (.*)$", self.read(), re.M).group(1)
        self.meet()
        self.kept = f"{value} {self.token}"
        self.conclude(self.run("set", PLACE, f"LIST={self.kept}", "--if-rev", str(self.base), "--json", "-m", self.token))

    def set(self):
        self.meet()
        self.kept = self.token
        self.conclude(self.run("set", PLACE, f"LIST={self.token}", "--json", "-m", self.token))

    def go(self):
        try:
            getattr(self, self.kind)()
        except BaseException as error:
            self.error = error
            if self.barrier:
                self.barrier.abort()
            raise


def value_of(done):
    return subprocess.run(["emsa", *done], capture_output=True, text=True, check=True).stdout


def judge(rivals, before, met):
    """before: the revision that both found."""
    winners = sorted((rival for rival in rivals if rival.code == 0), key=lambda rival: rival.rev)
    assert winners, "nobody changed anything: " + " | ".join(rival.message for rival in rivals)
    last, value = before, "start"
    for rival in winners:
        if rival.kind == "set":
            assert rival.was == last, f"a set replaced revision {last} and says {rival.was}"
            value = rival.token
        else:
            base = rival.was if rival.base is None else rival.base
            assert base >= last, f"{rival.kind} read revision {base} and was done over revision {last}: lost"
            value = f"{value} {rival.token}"
        last = rival.rev
    found = value_of(["get", KEY])
    assert found == value, f"LIST is '{found}', not '{value}'"
    for rival in rivals:
        if rival.code == 0:
            continue
        assert rival.token in rival.kept, f"{rival.kind} lost what was written"
        told = [int(number) for number in re.findall(r"revision (\d+)", rival.message)]
        assert any(other.rev in told for other in winners), f"{rival.kind} is not told by what: {rival.message}"
        assert winners[0].rev > rival.base, f"{rival.kind} was refused for nothing: {rival.message}"
    blind = sum(rival.kind == "set" for rival in rivals)
    if met and blind == 0:
        assert len(winners) == 1, "both read the same and both were done: " + str([vars(rival) for rival in rivals])


def main():
    folder, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(seed)
    kinds = ["edit", "apply", "expect", "set"]
    count = Counter()
    for number in range(rounds):
        reply = json.loads(value_of(["set", PLACE, "LIST=start", "OTHER=" + str(number), "--json"]))
        met = number % 2 == 0
        barrier = threading.Barrier(2) if met else None
        # every pair comes by, and then whatever is drawn
        pair = [kinds[number // 2 % 4], kinds[number // 8 % 4]] if number < 32 else chance.choices(kinds, k=2)
        rivals = [Rival(folder, name, kind, number, barrier) for name, kind in zip("ab", pair)]
        threads = [threading.Thread(target=rival.go) for rival in rivals]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for rival in rivals:
            if hasattr(rival, "error"):
                raise SystemExit(f"round {number}, {pair}: {rival.error}")
        try:
            judge(rivals, reply["rev"], met)
        except AssertionError as error:
            raise SystemExit(f"round {number}, {pair}: {error}")
        count["conflicts"] += sum(rival.code == 5 for rival in rivals)
        count["commits"] += sum(rival.code == 0 for rival in rivals)
    print(f"{rounds} rounds: {count['commits']} commits, {count['conflicts']} conflicts, nothing lost")
    if count["conflicts"] == 0:
        raise SystemExit("nobody ever came too late: nothing is shown")


if sys.argv[1] == "--editor":
    editor(sys.argv[2])
else:
    main()
