#!/bin/bash
# What the README of the product says of containers: each line of that section that begins with a prompt is run, and
# what follows it is what it prints ("..." is for whatever else).
# shellcheck disable=SC2317 # what the commands call
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$here/../daemon/daemon.sh"
# shellcheck source=../../support/containers.sh
. "$root/tests/support/containers.sh"
# shellcheck source=services.sh
. "$here/services.sh"
[ -z "${EMSA_SANITIZED:-}" ] || skip "a sanitizer's emsa-run needs libraries, and the image has none"
emsa init >/dev/null
emsa env add prod >/dev/null
emsa set --new prod/billing PORT=8080 DATABASE_URL=postgres://ledger >/dev/null
make_image
hooked "$(command -v emsa-hook)"
begin --volume "$plugin"
is "ready" ready "$said"
mkdir "$work/srv" "$work/project"
cd "$work/project"
printf 'version: "3.7"\nservices:\n  billing: {image: %s}\n' "$image" >compose.yaml

# judged COMMAND EXPECTED: "..." stands for anything, and is all of it where it is alone
judged() {
    local found
    found=$(eval "$1" 2>&1 || true)
    checks=$((checks + 1))
    /usr/bin/python3 - "$2" "$found" <<'END_OF_JUDGE' || fault "the README has '$1' print '$2': it was '$found'"
import re, sys
expected, found = sys.argv[1:]
sys.exit(not re.fullmatch(re.escape(expected).replace(r"\.\.\.", r"(.|\n)*"), found.rstrip("\n")))
END_OF_JUDGE
}

docker-compose() { :; } # together.sh runs it, with podman's service in place of an engine
/usr/bin/python3 - "$root/README.md" "$work/commands" <<'END_OF_CUT'
import re, sys
section = re.search(r"^## In containers and units\n(.*?)^## ", open(sys.argv[1]).read(), re.S | re.M)[1]
blocks = re.findall(r"(?:^(?:    .*)?\n)+", section, re.M)
with open(sys.argv[2], "w") as out:
    for block in blocks:
        for one in re.split(r"^    \$ ", block, flags=re.M)[1:]:
            command, _, printed = one.partition("\n")
            printed = re.sub(r"^    ", "", printed, flags=re.M).strip("\n")
            out.write(f"{command}\0{printed}\0")
END_OF_CUT
while IFS= read -r -d '' command && IFS= read -r -d '' printed; do
    command=${command//IMAGE/$image}
    printed=${printed//\/var\/lib\/emsa/$EMSA_STORE}
    judged "${command//\/srv\//$work/srv/}" "${printed//\/srv\//$work/srv/}"
done <"$work/commands"
is "that many commands" yes "$([ "$checks" -ge 18 ] && echo yes || echo "$checks")"
end_containers
over TERM
finish
