"""What nodes need whatever the distribution: packages, features and settings of the kernel, arguments of Kubernetes."""

NFS_CLIENT = ("nfs-common",)
RUNTIME_PACKAGES = (
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "ebtables",
    "ethtool",
    "ipset",
    "iptables",
    "runc",
    "socat",
)
PLUGIN_FOLDER = "/usr/lib/cni"
"""Where Debian's CNI plugins are."""
KERNEL_FEATURES = ("br_netfilter", "nf_conntrack", "overlay", "vxlan")
SYSCTLS = {
    "net.bridge.bridge-nf-call-ip6tables": "1",
    "net.bridge.bridge-nf-call-iptables": "1",
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
}
CONTROLLER_MANAGER = {"pvclaimbinder-sync-period": "2s"}
"""Arguments of kube-controller-manager. A volume and its claim that are made before it has started are bound only when
it looks again, as two of its workers change the volume at once; by itself it looks every 15 s, and pods wait longer."""
