#!/bin/sh
# Remove the member of etcd that an earlier host of this name was. NODE
# It still counts for the majority, and etcd lets nobody in who has its name and not its data.
set -eu
KUBEADM_ETCD=/etc/kubernetes/pki/etcd

# ask_etcd PATH JSON
ask_etcd() {
  curl -fsS --max-time 10 --cacert "$KUBEADM_ETCD/ca.crt" --cert "$KUBEADM_ETCD/healthcheck-client.crt" \
    --key "$KUBEADM_ETCD/healthcheck-client.key" -d "$2" "https://127.0.0.1:2379/v3/cluster/member/$1"
}

need_tool curl
listed=$(ask_etcd list '{}')
printf '%s\n' "$listed" | tr '{' '\n' | grep -F "\"name\":\"$NODE\"" | sed -n 's/.*"ID":"\([0-9]*\)".*/\1/p' |
  while read -r member; do
    ask_etcd remove "{\"ID\":\"$member\"}" >/dev/null
  done
