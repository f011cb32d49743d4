#!/bin/sh
# Remove the certificates and the password of a cluster that the host is no node of. Images and settings stay.
set -eu
data=/var/lib/rancher/k3s/agent
rm -f "$data"/*.crt "$data"/*.key "$data"/*.kubeconfig /etc/rancher/node/password
rm -rf "$data/pod-manifests"
