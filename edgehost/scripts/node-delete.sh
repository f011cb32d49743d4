#!/bin/sh
# Remove a node from the cluster. NODE KUBECONFIG_PATH
set -eu
[ -r "$KUBECONFIG_PATH" ] || exit 0
[ -n "$(on_cluster --request-timeout=10s get node "$NODE" --ignore-not-found -o name)" ] || exit 0
on_cluster --request-timeout=30s delete node "$NODE" --ignore-not-found --wait=true >/dev/null
