#!/bin/sh
# A network for one job, and nothing left of it afterwards, whatever ends the job.
#
#   examples/ci.sh TOPOLOGY COMMAND [ARGUMENTS…]
#
# Applies the topology, runs the command, destroys the topology; exits with the command's status. `topo` must be in the PATH. A second run of the same
# topology, after one that was killed with SIGKILL, needs no cleaning first: apply completes what it finds.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 TOPOLOGY COMMAND [ARGUMENTS...]" >&2; exit 64; }
topology=$1
shift

topo validate "$topology" >&2

# A topology that is not there is no error to destroy, so this is right in any state.
trap 'code=$?; trap - EXIT; topo destroy --yes "$topology" >&2 || code=1; exit $code' EXIT
# A shell runs its traps only between commands, so the command runs beside it and is waited for.
child=
stop() {
    [ -z "$child" ] || kill "$child" 2>/dev/null || true
    exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM
trap 'stop 129' HUP

topo apply --yes "$topology" >&2
"$@" &
child=$!
wait "$child"
