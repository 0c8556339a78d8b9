#!/usr/bin/python3
"""What each type says of 10,000 inputs, against what others say of the same: schema_types.py TYPES_ASK [TYPE...]. Every
difference must be of a class that types_differences.py names and README.md justifies. EMSA_TEST_SEED gives other inputs,
EMSA_TEST_SCALE fewer.
schema_types.py --go GO writes types_go.txt anew: what Go itself says of the durations."""
import base64
import hashlib
import os
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path

from types_differences import CLASSES
from types_inputs import inputs
from types_judges import JUDGES, duration_nanoseconds

HERE = Path(__file__).parent
SEED = os.environ.get("EMSA_TEST_SEED", "emsa")
WHOLE = 10000
COUNT = WHOLE // max(1, int(os.environ.get("EMSA_TEST_SCALE", "1")))
LEAST = 0.1  # of the inputs are right, and as many wrong: otherwise they show nothing
TYPES = ["string", "int", "bool", "enum", "url", "port", "duration", "hostname", "email", "regex", "json", "pem", "base64"]

failures = []


def ask(program, kind, questions):
    """(verdict, number, text) of each."""
    code = TYPES.index(kind) + 1
    sent = b"".join(struct.pack("<BI", code, len(parameter)) + parameter + struct.pack("<I", len(value)) + value
                    for parameter, value in questions)
    done = subprocess.run([program], input=sent, capture_output=True, check=True)
    answers, at = [], 0
    while at < len(done.stdout):
        fault, number, size = struct.unpack_from("<BqB", done.stdout, at)
        answers.append((fault == 0, number, done.stdout[at + 10:at + 10 + size].decode()))
        at += 10 + size
    assert len(answers) == len(questions), f"{len(answers)} answers to {len(questions)} questions"
    return answers


def class_of(kind, judge, ours, parameter, value, text):
    for name, judges, said, holds in CLASSES[kind]:
        if judge in judges and said == ours and holds(parameter, value, text):
            return name
    return None


def compare(kind, judge, questions, answers):
    """Counts the classes of the differences; tells of those that are of none."""
    found, strangers = Counter(), []
    theirs = JUDGES[kind][judge](questions)
    for (parameter, value), (ours, _, text), other in zip(questions, answers, theirs):
        if other is None or other == ours:
            continue
        name = class_of(kind, judge, ours, parameter, value, text)
        found[name] += 1
        if name is None:
            strangers.append((ours, parameter, value, text))
    asked = sum(other is not None for other in theirs)
    print(f"{kind}: {judge}: {asked} compared, {sum(found.values())} differences")
    for name, count in sorted(found.items(), key=lambda item: str(item[0])):
        print(f"    {count:5} {name or 'NOT JUSTIFIED'}")
    for ours, parameter, value, text in strangers[:10]:
        print(f"      emsa says {'yes' if ours else 'no'} ({text}): {parameter!r} {value!r}")
    if strangers:
        failures.append(f"{kind}: {len(strangers)} differences to {judge} that nothing justifies")
    return found


def durations_of_go(questions, answers):
    """The numbers too: what the documentation gives exactly, and what Go itself gave where it was asked."""
    wrong = [(value, number) for (_, value), (ours, number, _) in zip(questions, answers)
             if ours and number != duration_nanoseconds(value)]
    if wrong:
        failures.append(f"duration: {len(wrong)} come to other nanoseconds: {wrong[:5]}")
    record = dict(line.split(" ", 1) for line in (HERE / "types_go.txt").read_text().splitlines() if line[:1] != "#")
    if record["inputs"] != inputs_hash(questions):
        print("duration: Go was asked of other inputs")
        if SEED == "emsa" and COUNT == WHOLE:
            failures.append("duration: types_go.txt is not of these inputs: schema_types.py --go GO")
        return
    bits = base64.b64decode(record["verdicts"])
    verdicts = [bool(bits[i // 8] >> i % 8 & 1) for i in range(len(questions))]
    differing = [value for (_, value), (ours, _, _), go in zip(questions, answers, verdicts)
                 if ours != (go and not value.startswith(b"-"))]
    print(f"duration: Go: {len(verdicts)} compared, {sum(verdicts)} are durations, {len(differing)} differences but for the sign")
    if differing:
        failures.append(f"duration: Go differs: {differing[:5]}")


def inputs_hash(questions):
    return hashlib.sha256(b"\n".join(value.hex().encode() for _, value in questions)).hexdigest()


def ask_go(go):
    questions = list(inputs("duration", SEED, COUNT))
    done = subprocess.run([go, "run", str(HERE / "duration.go")], input="".join(v.hex() + "\n" for _, v in questions),
                          capture_output=True, text=True, check=True)
    answers = done.stdout.split("\n")[:-1]
    bits = bytearray((COUNT + 7) // 8)
    for i, answer in enumerate(answers):
        bits[i // 8] |= (answer != "-") << i % 8
    other = [(value, answer, duration_nanoseconds(value)) for (_, value), answer in zip(questions, answers)
             if answer != "-" and abs(int(answer) - (duration_nanoseconds(value) or 0)) > 1]
    version = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout.strip()
    (HERE / "types_go.txt").write_text(
        f"# What time.ParseDuration says of the durations of the seed '{SEED}': a bit each, the lowest first.\n"
        f"# {version}. Made by: schema_types.py --go GO\n"
        f"inputs {inputs_hash(questions)}\nverdicts {base64.b64encode(bits).decode()}\n")
    print(f"{len(answers)} asked, {len(other)} differ by more than a nanosecond: {other[:5]}")


def look_at(program, kind, seen):
    questions = list(inputs(kind, SEED, COUNT))
    answers = ask(program, kind, questions)
    right = sum(ours for ours, _, _ in answers)
    print(f"{kind}: {right} of {COUNT} are right")
    if not LEAST * COUNT <= right <= (1 - LEAST) * COUNT:
        failures.append(f"{kind}: {right} of {COUNT} are right: the inputs show too little")
    for judge in JUDGES[kind]:
        seen.update((kind, name) for name in compare(kind, judge, questions, answers))
    if kind == "duration":
        durations_of_go(questions, answers)


def look_at_readme(seen):
    """README.md justifies each class. One that no input shows depends on the version of who differed."""
    readme = (HERE / "README.md").read_text()
    for kind, classes in CLASSES.items():
        for name, *_ in classes:
            if f"| {kind} | {name} |" not in readme:
                failures.append(f"README.md does not justify '{name}' of {kind}")
            if SEED == "emsa" and (kind, name) not in seen:
                print(f"note: no input shows '{name}' of {kind}")


def main():
    if sys.argv[1:2] == ["--go"]:
        return ask_go(sys.argv[2])
    print(f"seed {SEED}")
    seen = set()
    for kind in sys.argv[2:] or TYPES:
        look_at(sys.argv[1], kind, seen)
    if not sys.argv[2:]:
        look_at_readme(seen)
    for failure in failures:
        print(f"FAILED: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
