#!/bin/sh
# Drain a node if it still works, and remove it from the cluster. NODE DRAIN (true or false) SECONDS_ALLOWED KUBECONFIG_PATH
# A drain that does not end in time is no reason to keep the node: its host is cleaned in any case.
set -eu
[ -r "$KUBECONFIG_PATH" ] || exit 0
[ -n "$(on_cluster --request-timeout=10s get node "$NODE" --ignore-not-found -o name)" ] || exit 0
if [ "$DRAIN" = true ]; then
  on_cluster drain "$NODE" --ignore-daemonsets --delete-emptydir-data --force --disable-eviction=false \
    --timeout="${SECONDS_ALLOWED}s" >/dev/null 2>&1 || echo "undrained $NODE"
fi
on_cluster --request-timeout=30s delete node "$NODE" --ignore-not-found --wait=true >/dev/null
