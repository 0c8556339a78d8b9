"""junit.py FILE: reads JUnit XML as those do who were there before us (junitparser, and expat), judges its shape by
what CI servers agree on, and prints the path of each failed case, a line each. Exits 1 with what is wrong."""
import sys
import xml.etree.ElementTree as tree

import junitparser

# Element: the attributes that it must have, those that it may have, and what may stand in it.
SHAPE = {
    "testsuites": ({"tests", "failures"}, {"name", "errors", "skipped", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"skipped", "time", "timestamp", "hostname"}, {"testcase"}),
    "testcase": ({"name", "classname"}, {"time", "file", "line"}, {"failure", "error", "skipped", "system-out", "system-err"}),
    "failure": ({"message", "type"}, set(), set()),
    "system-out": (set(), set(), set()),
}
COUNTS = ("tests", "failures", "errors", "skipped")


def wrong(text):
    sys.exit(f"junit.py: {text}")


def judge(element):
    if element.tag not in SHAPE:
        wrong(f"<{element.tag}> is none of JUnit's")
    needed, allowed, within = SHAPE[element.tag]
    found = set(element.attrib)
    if not needed <= found <= needed | allowed:
        wrong(f"<{element.tag}> has {sorted(found)}")
    for name in COUNTS:
        if name in element.attrib and not element.attrib[name].isdigit():
            wrong(f"{name}={element.attrib[name]}")
    if element.tag in ("testsuites", "testsuite", "testcase") and (element.text or "").strip():
        wrong(f"<{element.tag}> has a text")
    for child in element:
        if child.tag not in within:
            wrong(f"<{child.tag}> within <{element.tag}>")
        judge(child)


def count(suite):
    cases = suite.findall("testcase")
    failures = [case for case in cases if case.find("failure") is not None]
    found = {"tests": len(cases), "failures": len(failures), "errors": 0, "skipped": 0}
    for name in COUNTS:
        if name in suite.attrib and int(suite.attrib[name]) != found[name]:
            wrong(f"suite {suite.attrib['name']}: {name}={suite.attrib[name]}, and there are {found[name]}")
    return found


def judge_counts(root):
    total = {name: 0 for name in COUNTS}
    for suite in root:
        for name, value in count(suite).items():
            total[name] += value
    for name in COUNTS:
        if name in root.attrib and int(root.attrib[name]) != total[name]:
            wrong(f"{name}={root.attrib[name]} of all, and there are {total[name]}")
    names = [suite.attrib["name"] for suite in root]
    if len(names) != len(set(names)):
        wrong("two suites have one name")


def main():
    file = sys.argv[1]
    root = tree.parse(file).getroot()
    if root.tag != "testsuites":
        wrong(f"<{root.tag}> is the root")
    judge(root)
    judge_counts(root)
    parsed = junitparser.JUnitXml.fromfile(file)
    failed = [f"{suite.name}/{case.name}" for suite in parsed for case in suite
              if any(isinstance(result, junitparser.Failure) for result in case.result)]
    if parsed.failures != len(failed) or len(list(parsed)) != len(root):
        wrong(f"junitparser finds {len(failed)} failures, and is told of {parsed.failures}")
    print("\n".join(failed))


main()
