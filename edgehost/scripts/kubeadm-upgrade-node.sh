#!/bin/sh
# Bring a drained node to another version. CONFIG VERSION UNIT
set -eu
use_kubernetes "$VERSION"
printf '%s' "$CONFIG" | run_kubeadm upgrade node --config /dev/stdin
unit_must restart "$UNIT" 120
