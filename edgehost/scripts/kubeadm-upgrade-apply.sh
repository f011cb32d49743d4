#!/bin/sh
# Bring a cluster's control plane, and this drained node of it, to another version. CONFIG VERSION UNIT
set -eu
use_kubernetes "$VERSION"
printf '%s' "$CONFIG" | run_kubeadm upgrade apply --yes --config /dev/stdin
unit_must restart "$UNIT" 120
