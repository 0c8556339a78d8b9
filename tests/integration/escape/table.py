"""table.py ROWS: what the attackers got, as a table: attempts down (alike ones together), privileges across."""
import sys

CLASSES = ("default", "reader", "admin", "privileged", "users")


def cell(results):
    if len(results) < 2:
        return "".join(results)
    return "; ".join(f"{result} ({', '.join(dict.fromkeys(ways))})" for result, ways in results.items())


def main():
    found, alike = {}, {}
    for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
        privilege, way, attempt, result = line.rstrip("\n").split("\t", 3)
        found.setdefault(attempt, {}).setdefault(privilege, {}).setdefault(result, []).append(way)
    for attempt, by_class in found.items():
        cells = tuple(cell(by_class.get(privilege, {})) for privilege in CLASSES)
        alike.setdefault(cells, []).append(attempt.replace("|", "\\|"))
    print("| attempt | default | +DAC_READ_SEARCH | +SYS_ADMIN | --privileged | user namespace |")
    print("|---|---|---|---|---|---|")
    for cells, attempts in alike.items():
        print("| " + " | ".join(("; ".join(attempts),) + cells) + " |")


main()
