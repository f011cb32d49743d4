#!/bin/sh
# Report the nodes of the cluster; none when the API does not answer. KUBECONFIG_PATH
set -eu
if [ -r "$KUBECONFIG_PATH" ]; then
  on_cluster --request-timeout=5s get nodes -o name 2>/dev/null | sed 's#^node/#node #' || true
fi
