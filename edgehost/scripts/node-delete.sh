#!/bin/sh
# Remove a node from the cluster, and the pods on it. NODE KUBECONFIG_PATH
set -eu
[ -r "$KUBECONFIG_PATH" ] || exit 0
[ -n "$(on_cluster --request-timeout=10s get node "$NODE" --ignore-not-found -o name)" ] || exit 0
on_cluster --request-timeout=30s delete node "$NODE" --ignore-not-found --wait=true >/dev/null
# Nobody is left to report that they ended. The cluster would find that out too, but after a minute.
on_cluster --request-timeout=30s delete pods --all-namespaces --field-selector "spec.nodeName=$NODE" \
  --force --grace-period=0 --wait=false --ignore-not-found >/dev/null
