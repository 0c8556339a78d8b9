#!/usr/bin/python3
"""compare.py MANIFESTS DIRECTORY: whether the directory of an environment holds, workload by workload, exactly the
variables that the kubelet would set for its containers, by rules written down here a second time, over PyYAML."""
import base64
import re
import sys
from pathlib import Path

import yaml


def objects(documents):
    for document in documents:
        if document is None:
            continue
        if "items" in document:
            yield from objects(document["items"])
        else:
            yield document


def pod(thing):
    spec = thing["spec"]
    if thing["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec if thing["kind"] == "Pod" else spec["template"]["spec"]


def data(thing):
    plain = {key: value.encode() for key, value in (thing.get("data") or {}).items()} \
        if thing["kind"] == "ConfigMap" else \
        {key: base64.b64decode(value) for key, value in (thing.get("data") or {}).items()}
    plain.update({key: value.encode() for key, value in (thing.get("stringData") or {}).items()})
    return plain


def expand(text, known):
    def one(match):
        if match.group() == b"$$":
            return b"$"
        return known.get(match.group(1).decode(), match.group())
    return re.sub(rb"\$\$|\$\(([^)]*)\)", one, text)


def environment(container, holders):
    known = {}
    for source in container.get("envFrom") or []:
        kind, reference = ("ConfigMap", source["configMapRef"]) if "configMapRef" in source else \
            ("Secret", source["secretRef"])
        for key, value in holders.get((kind, reference["name"]), {}).items():
            name = source.get("prefix", "") + key
            if re.fullmatch(r"[-._A-Za-z][-._A-Za-z0-9]*", name):
                known[name] = value
    for entry in container.get("env") or []:
        if "valueFrom" not in entry:
            known[entry["name"]] = expand((entry.get("value") or "").encode(), known)
            continue
        source = entry["valueFrom"]
        kind = "ConfigMap" if "configMapKeyRef" in source else "Secret"
        reference = source.get("configMapKeyRef") or source.get("secretKeyRef")
        if reference and reference["key"] in holders.get((kind, reference["name"]), {}):
            known[entry["name"]] = holders[kind, reference["name"]][reference["key"]]
        elif not reference or not reference.get("optional"):
            known.pop(entry["name"], None) # only a cluster knows it
    return known


def main():
    things = list(objects(yaml.safe_load_all(Path(sys.argv[1]).read_text())))
    directory = Path(sys.argv[2])
    holders = {(thing["kind"], thing["metadata"]["name"]): data(thing) for thing in things
               if thing["kind"] in ("ConfigMap", "Secret")}
    problems, services, keys = [], 0, 0
    for thing in things:
        if thing["kind"] not in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"):
            continue
        expected = {}
        for container in (pod(thing).get("initContainers") or []) + (pod(thing).get("containers") or [])[::-1]:
            expected.update(environment(container, holders)) # the first container's own stands last
        name = thing["metadata"]["name"]
        found = {path.name: path.read_bytes() for path in (directory / name).iterdir()}
        services, keys = services + 1, keys + len(expected)
        problems += [f"{name}/{key}: {value!r} is {found.get(key)!r}" for key, value in expected.items()
                     if found.get(key) != value]
        problems += [f"{name}/{key} is too many" for key in found.keys() - expected.keys()]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{services} services, {keys} keys compared")
    sys.exit(1 if problems or not services else 0)


if __name__ == "__main__":
    main()
