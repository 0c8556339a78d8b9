#!/bin/bash
# Calls that must be refused, each with what it must get; the daemon answers after all of them.
# shellcheck disable=SC2119 # begin may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=../daemon/daemon.sh
. "$root/tests/integration/daemon/daemon.sh"
fill
begin
long=$(printf 'a%.0s' {1..201})
while IFS='|' read -r error method parameters; do
    ends "$method $parameters" 1 "io.emsa.$error" call "$method" "${parameters//LONG/$long}"
done <<'END'
Invalid|Mount|{"path": 7}
Invalid|Mount|{"path": "../prod"}
Invalid|Mount|{"path": "prod/web/PORT"}
Invalid|Mount|{"path": "prod//PORT"}
NotFound|Mount|{"path": "prod/w"}
NotFound|Mount|{"path": "nowhere/web"}
Invalid|Mount|{"path": "prod/web", "layout": "sideways"}
Invalid|Mount|{"path": "prod/web", "layout": 1}
Invalid|Mount|{"layout": "flat"}
Invalid|Mount|{"path": "prod/web", "uid": -1}
Invalid|Mount|{"path": "prod/web", "uid": 4294967295}
Invalid|Mount|{"path": "prod/web", "gid": "0"}
Invalid|Mount|{"path": "prod/web", "mode": 0}
Invalid|Mount|{"path": "prod/web", "mode": 511}
Invalid|Mount|{"path": "prod/web", "mode": 4294967296}
Invalid|Mount|{"path": "prod/web", "history": "yes"}
Invalid|Mount|{"path": "prod/web", "directory": "relative"}
Invalid|Mount|{"path": "prod/web", "max_read": 9999999}
Invalid|Mount|{"path": "prod/web", "max_read": 1}
Invalid|Mount|{"path": "prod/web", "at": 3}
Invalid|Mount|{"path": "prod/web", "at": ""}
Invalid|Mount|{"path": "prod/web", "at": "no tag"}
Invalid|Mount|{"at": "3"}
NotFound|Mount|{"path": "prod/web", "at": "0"}
NotFound|Mount|{"path": "prod/web", "at": "99999999999999999999"}
NotFound|Mount|{"path": "prod/web", "at": "untold"}
Refused|Mount|{"path": "prod/web", "at": "1"}
Invalid|Views|{"path": "../x"}
Invalid|ViewMove|{}
Invalid|ViewMove|{"view": "1"}
Invalid|ViewMove|{"to": "1"}
Invalid|ViewMove|{"view": 1, "to": "1"}
NotFound|ViewMove|{"view": "", "to": "1"}
NotFound|ViewMove|{"view": "-1", "to": "1"}
NotFound|ViewMove|{"view": "1x", "to": "1"}
NotFound|ViewMove|{"view": "/nowhere", "to": "1"}
NotFound|ViewMove|{"view": "18446744073709551617", "to": "live"}
Invalid|VolumeCreate|{}
Invalid|VolumeCreate|{"name": "a"}
Invalid|VolumeCreate|{"name": 1, "options": {"path": "prod/web"}}
Invalid|VolumeCreate|{"name": "", "options": {"path": "prod/web"}}
Invalid|VolumeCreate|{"name": "..", "options": {"path": "prod/web"}}
Invalid|VolumeCreate|{"name": "a/b", "options": {"path": "prod/web"}}
Invalid|VolumeCreate|{"name": "../../etc", "options": {"path": "prod/web"}}
Invalid|VolumeCreate|{"name": "a\u0000b", "options": {"path": "prod/web"}}
Invalid|VolumeCreate|{"name": "LONG", "options": {"path": "prod/web"}}
Invalid|VolumeCreate|{"name": "a", "options": []}
Invalid|VolumeCreate|{"name": "a", "options": {"path": "prod/web", "directory": "/etc"}}
Invalid|VolumeCreate|{"name": "a", "options": {"path": "prod/web", "owner": 5}}
Invalid|VolumeCreate|{"name": "a", "options": {"path": "prod/web", "mode": "0400"}}
NotFound|VolumeCreate|{"name": "a", "options": {"path": "prod/nowhere"}}
NotFound|VolumeGet|{"name": "a"}
NotFound|VolumeMount|{"name": "a", "id": "x"}
NotFound|VolumeUnmount|{"name": "a", "id": "x"}
NotFound|VolumePath|{"name": "a"}
NotFound|VolumeRemove|{"name": "a"}
Invalid|VolumeRemove|{"name": "../volumes"}
END
is "nothing came of any of them" "" "$(emsa views)"
is "nor was written down" "no" "$([ -e "$EMSA_STORE/volumes.json" ] && echo yes || echo no)"
is "nothing stands" "" "$(ls "$EMSA_STORE/volumes" 2>/dev/null || true)"
server=$(process server)
holds "it goes on" emsa set prod/web PORT=1
is "the same server" "$server" "$(process server)"
over TERM
is "its end" 0 "$code"
finish
