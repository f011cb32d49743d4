#!/bin/sh
# Stop the agent, and remove the certificates and the password of a cluster that the host is no node of. UNIT
# Images and settings stay.
set -eu
if [ "$(systemctl is-active "$UNIT" 2>/dev/null || true)" != inactive ]; then unit_must stop "$UNIT" 60; fi
data=/var/lib/rancher/k3s/agent
rm -f "$data"/*.crt "$data"/*.key "$data"/*.kubeconfig /etc/rancher/node/password
rm -rf "$data/pod-manifests"
