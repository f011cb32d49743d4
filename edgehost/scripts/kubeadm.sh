#!/bin/sh
# kubeadm on a host: where its programs are, which of them are in use, and what it is told.
set -eu
KUBEADM_HOME=/usr/local/lib/kubernetes
KUBEADM_LINKS=/usr/local/bin
KUBEADM_ADMIN=/etc/kubernetes/admin.conf
KUBEADM_RUNTIME=/run/kubevc-containerd
KUBEADM_MADE="$RECORDS/kubeadm/made"
# shellcheck disable=SC2034 # Scripts of this family use it.
KUBEADM_UPGRADING="$RECORDS/kubeadm/upgrading"

# use_kubernetes VERSION: let the programs of one version be those that run; the version before stays where it is.
use_kubernetes() {
  for program in kubeadm kubelet kubectl; do
    [ -x "$KUBEADM_HOME/$1/$program" ] || refuse tool-missing "$KUBEADM_HOME/$1/$program"
    ln -sfn "$KUBEADM_HOME/$1/$program" "$KUBEADM_LINKS/$program"
  done
}

# run_kubeadm ARGUMENTS: with the configuration on stdin; a failure shows its last lines, which hold no secret.
run_kubeadm() {
  output=$(mktemp /run/kubevc-kubeadm.XXXXXX)
  if ! KUBECONFIG="$KUBEADM_ADMIN" kubeadm "$@" > "$output" 2>&1; then
    lines=$(grep -v '^\[.*\] \(Using\|Writing\|Generating\)' "$output" | tail -n 12 | tr '\n' '\001' | sed 's/\x01/\\n/g')
    rm -f "$output"
    refuse kubeadm "$1" "$lines"
  fi
  rm -f "$output"
}

# enable_agent UNIT: kubelet starts with the host; kubeadm starts it now.
enable_agent() {
  unit_known "$1" || refuse unit-unknown "$1"
  [ "$(unit_enabled "$1")" = true ] || systemctl -q enable "$1"
}

# note_made: the host is a node; what a run that broke off left behind is told apart by this note.
note_made() {
  record_folder kubeadm
  : > "$KUBEADM_MADE"
}

# plane_made: there is a part of a control plane here. Without the administrator's access it is one nevertheless, and is
# repaired, as long as the key is there by which the cluster knows its own.
plane_made() {
  [ -r "$KUBEADM_ADMIN" ] || { [ -e "$KUBEADM_MADE" ] && [ -r /etc/kubernetes/pki/ca.key ]; }
}

# restart_pods SIGNAL NAME...: end processes of static pods; the agent starts them anew with what they read at their start.
restart_pods() {
  signal=$1
  shift
  for process in /proc/[0-9]*; do
    name=$(basename "$(readlink "$process/exe" 2>/dev/null)") || continue
    case " $* " in
      *" $name "*) if grep -qs '/kubepods' "$process/cgroup"; then kill -s "$signal" "$(basename "$process")" 2>/dev/null || true; fi ;;
    esac
  done
}

# within SECONDS COMMAND: wait until a command succeeds. What does not come back in time shows in the next read.
within() {
  left=$1
  shift
  # A process that was told to end may answer once more.
  sleep 2
  while [ "$left" -gt 0 ] && ! "$@"; do
    sleep 1
    left=$((left - 1))
  done
}

# take_out UNIT: leave no trace of a cluster on the host, whatever state it is in. The runtime stays, without a pod.
take_out() {
  if command -v kubeadm >/dev/null 2>&1; then
    KUBECONFIG="$KUBEADM_ADMIN" timeout 120 kubeadm reset --force \
      --cri-socket "unix://$KUBEADM_RUNTIME/containerd.sock" >/dev/null 2>&1 || true
  fi
  if unit_known "$1"; then
    systemctl -q disable "$1" 2>/dev/null || true
    unit_must stop "$1" 60
  fi
  end_pods "$KUBEADM_RUNTIME"
  unmount_below
  remove_network
  remove_cgroups
  rm -rf /run/containerd/runc/k8s.io
  rmdir /run/netns 2>/dev/null || true
  remove_node_data
  rm -rf --one-file-system /var/lib/etcd /etc/kubernetes/pki /etc/kubernetes/manifests /etc/kubernetes/tmp
  rm -f /etc/kubernetes/*.conf
  for program in kubeadm kubelet kubectl; do
    case $(readlink "$KUBEADM_LINKS/$program" 2>/dev/null || true) in
      "$KUBEADM_HOME"/*) rm -f "$KUBEADM_LINKS/$program" ;;
    esac
  done
  rm -f "$KUBEADM_MADE" "$KUBEADM_UPGRADING"
  forget_empty_records
}
