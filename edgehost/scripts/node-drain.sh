#!/bin/sh
# Let the pods of a node that still works move away. NODE SECONDS_ALLOWED KUBECONFIG_PATH
# A drain that does not end in time is no reason to keep the node: whoever asked ends the pods in any case.
set -eu
[ -r "$KUBECONFIG_PATH" ] || exit 0
[ -n "$(on_cluster --request-timeout=10s get node "$NODE" --ignore-not-found -o name)" ] || exit 0
on_cluster drain "$NODE" --ignore-daemonsets --delete-emptydir-data --force --disable-eviction=false \
  --timeout="${SECONDS_ALLOWED}s" >/dev/null 2>&1 || echo "undrained $NODE"
