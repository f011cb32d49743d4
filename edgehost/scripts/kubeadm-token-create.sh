#!/bin/sh
# Mint a token that lets one node in, and report it with what pins the cluster's CA. NODE TTL
set -eu
need_tool kubeadm
said=$(KUBECONFIG="$KUBEADM_ADMIN" kubeadm token create --ttl "$TTL" --description "$NODE" --print-join-command)
printf '%s\n' "$said" | sed -n 's/.* --token \([^ ]*\).*/token \1/p'
printf '%s\n' "$said" | sed -n 's/.* --discovery-token-ca-cert-hash \([^ ]*\).*/pin \1/p'
