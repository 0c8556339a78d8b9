"""table.py ROWS: what the attackers got, as a table: attempts down, measures of privilege across."""
import sys

CLASSES = ("default", "reader", "admin", "privileged", "users")


def main():
    found = {}
    for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
        privilege, way, attempt, result = line.rstrip("\n").split("\t", 3)
        found.setdefault(attempt, {}).setdefault(privilege, {}).setdefault(result, []).append(way)
    print("| attempt | default | +DAC_READ_SEARCH | +SYS_ADMIN | --privileged | user namespace |")
    print("|---|---|---|---|---|---|")
    for attempt, by_class in found.items():
        cells = []
        for privilege in CLASSES:
            results = by_class.get(privilege, {})
            if len(results) < 2:
                cells.append("".join(results))
            else:
                cells.append("; ".join(f"{result} ({', '.join(dict.fromkeys(ways))})" for result, ways in results.items()))
        print("| " + " | ".join([attempt.replace("|", "\\|")] + cells) + " |")


main()
