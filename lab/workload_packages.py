"""The Debian packages that a site's nodes install, fetched ahead so that the first site is as quick as the second."""

WORKLOAD_PACKAGES = (
    *("containerd", "runc", "containernetworking-plugins"),
    *("conntrack", "socat", "ethtool", "ipset", "ebtables", "iptables", "util-linux", "mount"),
    *("nfs-common", "curl"),
)
