#!/usr/bin/python3
"""project.py SEED FOLDER: a compose project at random, with a dotenv file and env_files, of such forms as every
version of compose reads alike. Names that variables have, env_files do not use."""
import random
import sys
from pathlib import Path

LITERALS = ["", "x", "8080", "a-b_c.d", "http://host/path?q=1", "true", "0", "two words", "a,b;c", "größe", "100%",
            "#no-comment", "tail/", "=", "a=b"]


class Project:
    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.variables = [f"VAR_{n}" for n in range(40)]
        self.absent = [f"ABSENT_{n}" for n in range(6)]

    def literal(self):
        return self.dice.choice(LITERALS)

    def reference(self, names, may_default=True):
        name = self.dice.choice(names)
        default = ":-" + self.dice.choice(["d", "", "a-b", "d/e"])
        if not may_default and name not in self.absent:
            default = ""
        return "${" + name + self.dice.choice(["", "", "", default]) + "}"

    def dotenv(self):
        lines = []
        for n, name in enumerate(self.variables):
            before = self.variables[:n] + self.absent
            plain = self.literal().replace("#", "")
            # docker-compose 1 takes the default of ":-" there for what is not set only, later ones for what is empty too
            value = self.dice.choice([plain, plain, self.reference(before, False) + plain,
                                      self.reference(before, False) + "/" + self.reference(before, False)])
            if " " in value or self.dice.random() < 0.2:
                value = f'"{value}"'
            lines += self.dice.choice([[], [], ["", "# a comment"]])
            lines.append(f"{self.dice.choice(['', '', 'export '])}{name}={value}")
        return "\n".join(lines) + "\n"

    def value(self):
        known = self.variables + self.absent
        parts = []
        for _ in range(self.dice.randrange(1, 4)):
            parts.append(self.dice.choice([
                self.literal, self.literal, lambda: self.reference(known), lambda: self.reference(known),
                lambda: "$" + self.dice.choice(known) + "/", lambda: "$$",
                lambda: "${" + self.dice.choice(known) + "-hard}",
                lambda: "${" + self.dice.choice(self.variables) + "?why}"])())
        return "".join(parts)

    def entry(self, n):
        if self.dice.random() < 0.3:
            return self.dice.choice(self.variables + self.absent), None
        return f"KEY_{n}", self.value()

    def quoted(self, text):
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    def service(self, name, files):
        entries = dict(self.entry(n) for n in range(self.dice.randrange(0, 20)))
        lines = [f"  {name}:", "    image: x"]
        if files:
            lines += ["    env_file:"] + [f"      - {file}" for file in files]
        if not entries:
            return lines
        lines.append("    environment:")
        if self.dice.random() < 0.5:
            return lines + [f"      - {self.quoted(key if value is None else f'{key}={value}')}"
                            for key, value in entries.items()]
        for key, value in entries.items():
            plain = self.dice.random() < 0.1
            shown = "" if value is None else str(self.dice.randrange(-9, 9999)) if plain else self.quoted(value)
            lines.append(f"      {key}: {shown}".rstrip())
        return lines

    def env_file(self, n):
        keys = [f"FILE_KEY_{i}" for i in range(12)]
        lines = []
        for i in range(8):
            key = self.dice.choice(keys[i:i + 4])
            value = self.dice.choice([f"f{n}", "x/y", f"v{i}"])
            lines.append(f"{key}={value}")
        used = []
        for line in lines: # a reference names what stands before it in this file
            if used and self.dice.random() < 0.4:
                line += "${" + self.dice.choice(used) + "}"
            used.append(line.split("=")[0])
            yield line


def main():
    project, folder = Project(int(sys.argv[1])), Path(sys.argv[2])
    folder.mkdir()
    (folder / "dotenv").write_text(project.dotenv())
    for n in range(3):
        (folder / f"{n}.env").write_text("\n".join(project.env_file(n)) + "\n")
    lines = ['version: "3.7"', "services:"]
    for n in range(12):
        files = project.dice.sample(["0.env", "1.env", "./2.env"], project.dice.choice([0, 0, 1, 2]))
        lines += project.service(f"service-{n}", files)
    (folder / "compose.yaml").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
