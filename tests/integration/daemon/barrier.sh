#!/bin/bash
# Several views of one store: who hears of a change in one of them finds it in every other.
# shellcheck disable=SC2119 # begin and over may be given nothing
# shellcheck source=../../support/lib.sh
. "$(dirname "$0")/../../support/lib.sh"
# shellcheck source=daemon.sh
. "$here/daemon.sh"
fill
mkdir "$work/env"
begin --mount "$work/env"
is "ready" "ready" "$said"
mounts=("$work/env")
# With --cache reads, too, are answered by the kernel. More views than processors: some are told late.
for options in "" "" --cache "" --cache; do
    mounted "$work/view${#mounts[@]}" ${options:+"$options"}
    mounts+=("$work/view${#mounts[@]}")
done

# changes MOUNT...
changes() {
    holds "changes in $# views" timeout 200 /usr/bin/python3 "$here/barrier.py" "$EMSA_STORE/socket" prod/web \
        $((${EMSA_TEST_ROUNDS:-200} / scale)) "$@"
    cat "$work/out" "$work/err"
}
changes "${mounts[@]:0:2}"
changes "${mounts[@]}"
over TERM
is "its end" 0 "$code"
finish
