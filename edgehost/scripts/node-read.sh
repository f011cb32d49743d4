#!/bin/sh
# Report a node of the cluster, as the API sees it. NODE KUBECONFIG_PATH
set -eu
form='uid {.metadata.uid}{"\n"}ready {.status.conditions[?(@.type=="Ready")].status}{"\n"}'
form="$form"'labels {.metadata.labels}{"\n"}version {.status.nodeInfo.kubeletVersion}{"\n"}'
form="$form"'cordoned {.spec.unschedulable}{"\n"}'
[ -r "$KUBECONFIG_PATH" ] || exit 0
echo "kubeconfig true"
# An API that ends between the two questions does not answer.
if [ "$(on_cluster --request-timeout=5s get --raw /readyz 2>/dev/null)" = ok ] &&
  seen=$(on_cluster --request-timeout=10s get node "$NODE" --ignore-not-found -o "jsonpath=$form" 2>/dev/null); then
  echo "api true"
  printf '%s\n' "$seen"
fi
