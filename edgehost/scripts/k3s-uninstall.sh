#!/bin/sh
# Stop k3s and remove what it left: pods, mounts, interfaces, firewall rules, data. UNIT
# k3s leaves its pods running when it stops, so that they are ended one by one.
set -eu

# The shims keep their state beside that of another containerd, which a host may have for something else.
remove_runtime_state() {
  rm -rf /run/containerd/runc/k8s.io
  runs containerd || runs dockerd || rm -rf --one-file-system /run/containerd
  rmdir /run/netns 2>/dev/null || true
}

if unit_known "$UNIT"; then
  systemctl -q disable "$UNIT" 2>/dev/null || true
  unit_must stop "$UNIT" 60
fi
end_pods /run/k3s/
unmount_below /run/k3s /var/lib/rancher/k3s
remove_network
remove_cgroups
remove_runtime_state
remove_node_data /var/lib/rancher/k3s /run/k3s
rm -rf /etc/rancher/node /etc/rancher/k3s/k3s.yaml
rmdir /var/lib/rancher /etc/rancher/k3s /etc/rancher 2>/dev/null || true
