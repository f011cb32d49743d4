#!/bin/sh
# Write the manifests of the control plane anew, and the certificates that are missing or end soon.
# CONFIG RENEW (true or false)
set -eu
if [ "$RENEW" = true ]; then
  # Both keep what is there; the third writes it anew.
  printf '%s' "$CONFIG" | run_kubeadm init phase certs all --config /dev/stdin
  printf '%s' "$CONFIG" | run_kubeadm init phase kubeconfig all --config /dev/stdin
  printf '%s' "$CONFIG" | run_kubeadm certs renew all --config /dev/stdin
fi
printf '%s' "$CONFIG" | run_kubeadm init phase etcd local --config /dev/stdin
printf '%s' "$CONFIG" | run_kubeadm init phase control-plane all --config /dev/stdin
if [ "$RENEW" = true ]; then restart_pods etcd kube-apiserver kube-controller-manager kube-scheduler; fi
