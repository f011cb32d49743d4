#!/bin/sh
# Delete a token and the certificates that were lent with it; only the token's public id is named. TOKEN_ID KUBECONFIG_PATH
set -eu
on_cluster --request-timeout=10s -n kube-system delete secret "bootstrap-token-$TOKEN_ID" --ignore-not-found >/dev/null
lent=$(on_cluster --request-timeout=10s -n kube-system get secret kubeadm-certs --ignore-not-found \
  -o 'jsonpath={.metadata.ownerReferences[0].name}')
if [ -n "$lent" ]; then
  on_cluster --request-timeout=10s -n kube-system delete secret kubeadm-certs "$lent" --ignore-not-found >/dev/null
fi
