#!/bin/sh
# Take this host out of any cluster, etcd's member first where there is one. UNIT
# A host that was never a node has nothing to take out.
set -eu
if [ -e "$KUBEADM_MADE" ] || [ -e "$RECORDS/kubeadm/begun" ] || [ -e /etc/kubernetes/kubelet.conf ] || [ -d /var/lib/kubelet ]; then
  rm -f "$RECORDS/kubeadm/begun"
  take_out "$UNIT"
fi
