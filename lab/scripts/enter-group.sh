#!/bin/bash
# Enter control groups and become another program: enter-group.sh ENTRANCE... -- PROGRAM ARGUMENT...
# An ENTRANCE is the cgroup.procs file of a group.
set -euo pipefail

while [ "$1" != -- ]; do
    echo $$ > "$1"
    shift
done
shift
exec "$@"
