#!/bin/sh
# Tell the node's container runtime of its network as soon as flannel has one. CNI_CONFIG CNI_CONFIG_PATH
set -eu
for _ in $(seq 300); do
  if [ -s /run/flannel/subnet.env ]; then
    printf '%s' "$CNI_CONFIG" > "$CNI_CONFIG_PATH.new"
    mv "$CNI_CONFIG_PATH.new" "$CNI_CONFIG_PATH"
    exit 0
  fi
  sleep 0.2
done
echo "flannel has no network after 60 s" >&2
exit 1
