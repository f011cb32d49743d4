#!/bin/sh
# Put the control plane's certificates into the cluster, encrypted with the key in CONFIG, for one join.
# CONFIG TOKEN_ID KUBECONFIG_PATH
# kubeadm would keep them for two hours; here they go when the token goes, and if this program dies, with its end.
set -eu
printf '%s' "$CONFIG" | run_kubeadm init phase upload-certs --upload-certs --config /dev/stdin
owner=$(on_cluster --request-timeout=10s -n kube-system get secret kubeadm-certs -o 'jsonpath={.metadata.ownerReferences[0].name}')
ends=$(on_cluster --request-timeout=10s -n kube-system get secret "bootstrap-token-$TOKEN_ID" -o 'jsonpath={.data.expiration}')
on_cluster --request-timeout=10s -n kube-system patch secret "$owner" -p "{\"data\":{\"expiration\":\"$ends\"}}" >/dev/null
