#!/bin/sh
# Set and remove labels of a node, and let pods onto it. NODE LABELS (`key=value` or `key-`, one a line) KUBECONFIG_PATH
set -eu
set --
while read -r label; do
  if [ -n "$label" ]; then set -- "$@" "$label"; fi
done <<END
$LABELS
END
if [ $# -gt 0 ]; then on_cluster label --overwrite node "$NODE" "$@" >/dev/null; fi
on_cluster uncordon "$NODE" >/dev/null
