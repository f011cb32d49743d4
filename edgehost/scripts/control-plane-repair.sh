#!/bin/sh
# Write the manifests of the control plane anew, and where asked for, the certificates that are missing or end soon and
# the objects of kube-proxy and CoreDNS. CONFIG RENEW ADDONS (both true or false) KUBECONFIG_PATH
set -eu

etcd_answers() {
  curl -fs --max-time 2 http://127.0.0.1:2381/health >/dev/null
}

api_answers() {
  on_cluster --request-timeout=2s get --raw /readyz >/dev/null 2>&1
}

if [ "$RENEW" = true ]; then
  # kubeadm would make them anew, and then nobody in the cluster would trust anybody.
  for key in ca.crt ca.key etcd/ca.crt etcd/ca.key front-proxy-ca.crt front-proxy-ca.key sa.key sa.pub; do
    [ -r "/etc/kubernetes/pki/$key" ] || refuse cluster-keys-gone "/etc/kubernetes/pki/$key"
  done
  # These keep what is there; the last one writes it anew. A server that joined has no super-admin.conf and gets none.
  printf '%s' "$CONFIG" | run_kubeadm init phase certs all --config /dev/stdin
  for user in admin controller-manager scheduler; do
    printf '%s' "$CONFIG" | run_kubeadm init phase kubeconfig "$user" --config /dev/stdin
  done
  printf '%s' "$CONFIG" | run_kubeadm certs renew all --config /dev/stdin
fi
printf '%s' "$CONFIG" | run_kubeadm init phase etcd local --config /dev/stdin
printf '%s' "$CONFIG" | run_kubeadm init phase control-plane all --config /dev/stdin
if [ "$RENEW" = true ]; then
  # One after the other: an API that finds no etcd ends, and is started again only after a while. Only etcd holds
  # anything that must be written before it ends; an API that may take leave of its watchers takes a minute.
  restart_pods TERM etcd
  within 60 etcd_answers
  restart_pods KILL kube-apiserver
  within 60 api_answers
  restart_pods KILL kube-controller-manager kube-scheduler
fi
if [ "$ADDONS" = true ]; then
  within 60 api_answers
  printf '%s' "$CONFIG" | run_kubeadm init phase addon all --config /dev/stdin
fi
