#!/bin/sh
# kubectl as the administrator, on a server of the cluster.
set -eu
# on_cluster ARGUMENTS: with the server's own kubeconfig KUBECONFIG_PATH.
on_cluster() {
  if command -v kubectl >/dev/null 2>&1; then
    KUBECONFIG="$KUBECONFIG_PATH" kubectl "$@"
  else
    KUBECONFIG="$KUBECONFIG_PATH" k3s kubectl "$@"
  fi
}
