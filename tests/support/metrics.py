#!/usr/bin/python3
"""metrics.py [NAME...]: reads metrics in the text format of Prometheus from standard input with the parser of
prometheus_client, judges them by the rules that promtool has, and prints the values of the samples that are named
(NAME or NAME{label="value"}). What is wrong is said, and the end is 1."""
import re
import sys

from prometheus_client.parser import text_string_to_metric_families

text = sys.stdin.read()
faults = []


def wants(right, fault):
    if not right:
        faults.append(fault)


def judge_histogram(family):
    buckets = [(float(s.labels["le"]), s.value) for s in family.samples if s.name.endswith("_bucket")]
    count = [s.value for s in family.samples if s.name.endswith("_count")]
    wants(len(count) == 1 and buckets and buckets[-1] == (float("inf"), count[0]), f"{family.name}: +Inf is not the count")
    wants(buckets == sorted(buckets), f"{family.name}: buckets are not in order")
    wants(all(a[1] <= b[1] for a, b in zip(buckets, buckets[1:])), f"{family.name}: buckets do not add up")
    wants(any(s.name.endswith("_sum") for s in family.samples), f"{family.name}: no sum")


def judge(family):
    wants(re.fullmatch(r"emsa_[a-z_]+", family.name), f"{family.name}: not a name of ours")
    wants(family.documentation.endswith("."), f"{family.name}: no help")
    wants(family.type in ("gauge", "counter", "histogram"), f"{family.name}: is of type '{family.type}'")
    wants(family.samples, f"{family.name}: no samples")
    for sample in family.samples:
        wants(sample.value >= 0, f"{sample.name}: is {sample.value}")
        wants(not re.search(r"(milli|micro|nano)seconds|_ms|_ns|_kb", sample.name), f"{sample.name}: not a base unit")
    if family.type == "histogram":
        judge_histogram(family)


# The parser gives a counter the suffix that it should have: the text tells whether it has it.
for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M):
    wants((kind == "counter") == name.endswith("_total"), f"{name}: is a {kind}")
families = list(text_string_to_metric_families(text))
wants(text.endswith("\n"), "the last line has no end")
wants(families, "there are no metrics")
wants(len({f.name for f in families}) == len(families), "a family comes twice")
found = {}
for each in families:
    judge(each)
    for one in each.samples:
        labels = ",".join(f'{k}="{v}"' for k, v in sorted(one.labels.items()))
        name = one.name + (f"{{{labels}}}" if labels else "")
        wants(name not in found, f"{name}: comes twice")
        found[name] = one.value
for fault in faults:
    print(f"metrics: {fault}", file=sys.stderr)
print(" ".join(f"{found[name]:g}" if name in found else "none" for name in sys.argv[1:]))
sys.exit(bool(faults))
