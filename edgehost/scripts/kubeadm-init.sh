#!/bin/sh
# Start a cluster on this host. CONFIG VERSION UNIT
# An init that broke off is begun anew; one that came to its end is left alone, whatever was taken away since.
set -eu
if [ -e "$KUBEADM_MADE" ] && plane_made; then exit 0; fi
# Without its keys it is lost, unless somebody has a copy; its data are not ours to throw away before they have looked.
[ ! -e "$KUBEADM_MADE" ] || [ ! -e /var/lib/etcd/member ] || refuse cluster-keys-gone /etc/kubernetes/pki/ca.key
if [ -e /etc/kubernetes/pki ] || [ -e /etc/kubernetes/manifests ] || [ -e /var/lib/etcd/member ]; then
  # Without our note it may be somebody else's cluster, which nobody asked to remove.
  [ -e "$RECORDS/kubeadm/begun" ] || refuse foreign-cluster /etc/kubernetes
  take_out "$UNIT"
fi
record_folder kubeadm
: > "$RECORDS/kubeadm/begun"
use_kubernetes "$VERSION"
enable_agent "$UNIT"
printf '%s' "$CONFIG" | run_kubeadm init --config /dev/stdin --skip-token-print
# Init mints a token whatever it is told; nobody is to join with it.
KUBECONFIG="$KUBEADM_ADMIN" kubeadm token list -o 'jsonpath={.token}{"\n"}' 2>/dev/null | while read -r token; do
  [ -z "$token" ] || KUBECONFIG="$KUBEADM_ADMIN" kubeadm token delete "${token%%.*}" >/dev/null
done
note_made
