#!/bin/sh
# Bring a cluster's control plane, and this drained node of it, from one version to another.
# SETTINGS CONFIG RUNNING VERSION UNIT
# The version before and the one to come are noted until the end: an upgrade that broke off is begun anew, whatever it
# has replaced.
set -eu
record_folder kubeadm
printf '%s %s' "$RUNNING" "$VERSION" > "$KUBEADM_UPGRADING"
use_kubernetes "$VERSION"
# kubeadm goes by what the cluster keeps of its settings, which may have changed since they were put there.
printf '%s' "$SETTINGS" | run_kubeadm init phase upload-config kubeadm --config /dev/stdin
printf '%s' "$CONFIG" | run_kubeadm upgrade apply --yes --config /dev/stdin
unit_must restart "$UNIT" 120
rm -f "$KUBEADM_UPGRADING"
