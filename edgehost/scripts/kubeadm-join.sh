#!/bin/sh
# Make this host a node. CONFIG (with the token) VERSION UNIT
set -eu
use_kubernetes "$VERSION"
enable_agent "$UNIT"
printf '%s' "$CONFIG" | run_kubeadm join --config /dev/stdin
note_made
