#!/bin/sh
# kubectl as the administrator, on a server of the cluster.
set -eu
# What kubectl has learned of the API is kept while the host runs, and not in the administrator's home.
KUBECTL_CACHE=/run/kubevc-kubectl

# on_cluster ARGUMENTS: with the server's own kubeconfig KUBECONFIG_PATH.
on_cluster() {
  if command -v kubectl >/dev/null 2>&1; then
    KUBECONFIG="$KUBECONFIG_PATH" kubectl --cache-dir="$KUBECTL_CACHE" "$@"
  else
    KUBECONFIG="$KUBECONFIG_PATH" k3s kubectl --cache-dir="$KUBECTL_CACHE" "$@"
  fi
}
