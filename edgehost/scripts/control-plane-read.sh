#!/bin/sh
# Report the control plane on this host: parts with the version of their image, certificates with their end. CONFIG
set -eu
[ -r "$KUBEADM_ADMIN" ] || exit 0
echo "made true"
[ ! -s "$KUBEADM_UPGRADING" ] || echo "unfinished $(cat "$KUBEADM_UPGRADING")"
for part in etcd kube-apiserver kube-controller-manager kube-scheduler; do
  image=$(sed -n 's/^ *image: *//p' "/etc/kubernetes/manifests/$part.yaml" 2>/dev/null | head -n 1)
  [ -z "$image" ] || echo "part $part ${image##*:}"
done
# Told its configuration, it does not ask the API, which may be down just because a certificate has expired.
certificates=$(printf '%s' "$CONFIG" | kubeadm certs check-expiration --config /dev/stdin -o json 2>/dev/null | tr -d '\n') || true
echo "certificates $certificates"
