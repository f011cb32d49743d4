#!/bin/sh
# What a node of Kubernetes leaves on its host when its agent stops: pods, mounts, interfaces, firewall rules, groups.
set -eu

# pod_processes SHIMS: containerd's shims whose command line has SHIMS in it, and everything in the pods' cgroups.
pod_processes() {
  for process in /proc/[0-9]*; do
    line=$(tr '\0' ' ' 2>/dev/null < "$process/cmdline") || continue
    case $line in
      *containerd-shim*"$1"*) basename "$process" ;;
      *) if grep -qs '/kubepods' "$process/cgroup"; then basename "$process"; fi ;;
    esac
  done
}

end_pods() {
  for _ in 1 2 3 4 5; do
    processes=$(pod_processes "$1")
    [ -n "$processes" ] || return 0
    # shellcheck disable=SC2086 # One word per process is meant.
    kill -9 $processes 2>/dev/null || true
    sleep 0.3
  done
}

# mounts_below FOLDER...: the newest first. Spaces in a mount point are \040 in the kernel's list.
mounts_below() {
  awk '{print $2}' /proc/self/mounts | sed 's/\\040/ /g' | tac | while read -r mount; do
    for folder in /run/netns/cni- /var/lib/kubelet "$@"; do
      case $mount in "$folder"*) printf '%s\n' "$mount" ;; esac
    done
  done
}

unmount_below() {
  mounts_below "$@" | while read -r mount; do
    # A file system whose server is gone never ends its umount; a lazy one leaves the tree at once.
    timeout 5 umount "$mount" 2>/dev/null || umount -l "$mount" 2>/dev/null || true
  done
}

remove_interfaces() {
  command -v ip >/dev/null 2>&1 || return 0
  ip -o link show master cni0 2>/dev/null | sed -n 's/^[0-9]*: \([^@:]*\)[@:].*/\1/p' | while read -r port; do
    ip link delete "$port" 2>/dev/null || true
  done
  for link in cni0 flannel.1 flannel-v6.1 flannel-wg flannel-wg-v6 kube-ipvs0 nodelocaldns; do
    ip link delete "$link" 2>/dev/null || true
  done
  for space in /run/netns/cni-*; do
    if [ -e "$space" ]; then ip netns delete "$(basename "$space")" 2>/dev/null || rm -f "$space"; fi
  done
}

# remove_empty_tables TOOL: tables without a rule, a chain of their own or a policy; only nft can remove a table.
remove_empty_tables() {
  command -v nft >/dev/null 2>&1 || return 0
  if [ "$1" = iptables ]; then family=ip; else family=ip6; fi
  "$1-save" 2>/dev/null | awk '
    /^\*/ {table = substr($1, 2); used = 0}
    /^-A/ || (/^:/ && $2 != "ACCEPT") {used = 1}
    /^COMMIT/ {if (!used) print table}
  ' | while read -r table; do
    nft delete table "$family" "$table" 2>/dev/null || true
  done
}

# remove_rules TOOL: the rules of kube-proxy, the network policies, the CNI plugins and flannel; nobody else's.
remove_rules() {
  command -v "$1" >/dev/null 2>&1 || return 0
  rules=$("$1-save" 2>/dev/null) || return 0
  if printf '%s\n' "$rules" | grep -Eq 'KUBE-|CNI-|cali-|flannel|FLANNEL'; then
    printf '%s\n' "$rules" | grep -Ev 'KUBE-|CNI-|flannel|FLANNEL' | "$1-restore"
  fi
  remove_empty_tables "$1"
}

remove_sets() {
  command -v ipset >/dev/null 2>&1 || return 0
  ipset list -n 2>/dev/null | grep -E '^(inet6:)?KUBE-' | while read -r name; do
    ipset destroy "$name" 2>/dev/null || true
  done
}

remove_cgroups() {
  systemctl stop 'kubepods*.slice' 2>/dev/null || true
  # The scope of a container that was killed stays, failed, and keeps the slices that it was in.
  systemctl reset-failed 'kubepods*.slice' 'cri-containerd-*.scope' 2>/dev/null || true
  for tree in /sys/fs/cgroup /sys/fs/cgroup/*; do
    for pods in "$tree"/kubepods "$tree"/kubepods.slice; do
      if [ -d "$pods" ]; then find "$pods" -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
    done
  done
}

remove_network() {
  remove_interfaces
  remove_rules iptables
  remove_rules ip6tables
  remove_sets
}

# runs NAME: whether a process of that name runs.
runs() {
  grep -qsx "$1" /proc/[0-9]*/comm
}

# remove_node_data FOLDER...: never into another file system: a volume that is still mounted somehow holds data that
# are not ours.
remove_node_data() {
  left=$(mounts_below "$@")
  [ -z "$left" ] || refuse mounted "$(echo "$left" | head -n 1)"
  rm -rf --one-file-system /var/lib/kubelet /var/lib/cni /run/flannel /run/kubevc-cni/*.conflist \
    /var/log/pods /var/log/containers "$KUBECTL_CACHE" "$@"
  if [ -d /usr/libexec/kubernetes ]; then find /usr/libexec/kubernetes -depth -type d -exec rmdir {} + 2>/dev/null || true; fi
  rmdir /etc/cni/net.d /etc/cni 2>/dev/null || true
}
