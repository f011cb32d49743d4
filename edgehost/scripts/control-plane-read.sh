#!/bin/sh
# Report the control plane on this host: parts with the version of their image, certificates with their end, and those of
# ADDONS that the cluster has. CONFIG ADDONS (objects, separated by spaces) KUBECONFIG_PATH
set -eu
plane_made || exit 0
echo "made true"
[ ! -s "$KUBEADM_UPGRADING" ] || echo "unfinished $(cat "$KUBEADM_UPGRADING")"
for part in etcd kube-apiserver kube-controller-manager kube-scheduler; do
  image=$(sed -n 's/^ *image: *//p' "/etc/kubernetes/manifests/$part.yaml" 2>/dev/null | head -n 1)
  [ -z "$image" ] || echo "part $part ${image##*:}"
done
# Told its configuration, it does not ask the API, which may be down just because a certificate has expired.
certificates=$(printf '%s' "$CONFIG" | kubeadm certs check-expiration --config /dev/stdin -o json 2>/dev/null | tr -d '\n') || true
echo "certificates $certificates"
# An API that does not answer is told by others; nothing is known of its objects then.
# shellcheck disable=SC2086 # One word per object is meant.
if [ -n "$ADDONS" ] &&
  found=$(on_cluster --request-timeout=5s -n kube-system get $ADDONS --ignore-not-found -o name 2>/dev/null); then
  echo "asked true"
  printf '%s\n' "$found" | sed '/^$/d; s/^/addon /'
fi
