"""What k3s needs on a host, as plain data: packages, files and their texts. No resource is made here."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from components.facts import CONTROLLERS
from components.host import InstalledFile, Preparation
from components.node_needs import (
    CONTROLLER_MANAGER,
    KERNEL_FEATURES,
    NFS_CLIENT,
    PLUGIN_FOLDER,
    RUNTIME_PACKAGES,
    SYSCTLS,
)
from components.service import NodeService
from components.site import Kubernetes, Node
from components.texts import text

BINARY = "/usr/local/bin/k3s"
COMMANDS = ("/usr/local/bin/kubectl", "/usr/local/bin/crictl", "/usr/local/bin/ctr")
"""The binary is several programs, told apart by the name it is called by."""
CONFIG = "/etc/rancher/k3s/config.yaml"
JOIN_TOKEN = "/etc/rancher/k3s/token"
CNI_CONFIG = "/etc/rancher/k3s/flannel.conflist"
CONTAINERD_TEMPLATE = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml.tmpl"
IMAGE_FOLDER = "/var/lib/rancher/k3s/agent/images"
"""k3s imports every archive in it when it starts."""

SERVER_UNIT = "k3s.service"
AGENT_UNIT = "k3s-agent.service"
DISABLED = ["local-storage", "metrics-server", "servicelb", "traefik"]
"""Parts of k3s that a site does not use: endpoint and volumes are this program's own."""
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def preparation(kubernetes: Kubernetes, images: Sequence[str]) -> Preparation:
    """Return what a host needs before k3s starts on it.

    Args:
        kubernetes: The cluster's settings.
        images: Artifacts with container images to preload.
    """
    own_runtime = kubernetes.container_runtime == "packages"
    return Preparation(
        packages=sorted((*NFS_CLIENT, *(RUNTIME_PACKAGES if own_runtime else ()))),
        idle_units=("containerd.service",) if own_runtime else (),
        kernel_features=KERNEL_FEATURES,
        sysctls=SYSCTLS,
        controllers=CONTROLLERS,
        installed=(
            InstalledFile(artifact="k3s", version=kubernetes.version, path=BINARY, mode="0755", links=COMMANDS),
            *(
                [InstalledFile(artifact="flannel-cni", path=f"{PLUGIN_FOLDER}/flannel", mode="0755")]
                if own_runtime
                else []
            ),
            *(InstalledFile(artifact=image, path=f"{IMAGE_FOLDER}/{image}.tar") for image in images),
        ),
        written=_runtime_files(kubernetes),
    )


def _runtime_files(kubernetes: Kubernetes) -> dict[str, str]:
    written: dict[str, str] = {}
    if kubernetes.container_runtime == "packages":
        written[CNI_CONFIG] = text("flannel.conflist")
    if kubernetes.containerd.restrict_oom_score_adj:
        written[CONTAINERD_TEMPLATE] = text("k3s-containerd.toml.tmpl")
    return written


def server_service(kubernetes: Kubernetes, node: Node) -> NodeService:
    """Return the service that starts a cluster."""
    config = {
        **_node_config(kubernetes, node),
        "cluster-cidr": str(kubernetes.pod_cidr),
        "service-cidr": str(kubernetes.service_cidr),
        "tls-san": [str(node.address)],
        "write-kubeconfig-mode": "0600",
        "disable": DISABLED,
        "kube-controller-manager-arg": [f"{name}={value}" for name, value in CONTROLLER_MANAGER.items()],
    }
    return _service(SERVER_UNIT, "server", kubernetes, config)


def agent_service(kubernetes: Kubernetes, node: Node, url: str) -> NodeService:
    """Return the service that joins a cluster; its token is in a file of its own and lives a minute."""
    config = {
        **_node_config(kubernetes, node),
        "server": url,
        "token-file": JOIN_TOKEN,
    }
    return _service(AGENT_UNIT, "agent", kubernetes, config)


def _service(unit_name: str, role: str, kubernetes: Kubernetes, config: dict[str, object]) -> NodeService:
    own_runtime = kubernetes.container_runtime == "packages"
    # k3s takes all plugins from the folder in which it finds `host-local`.
    search_path = f"{PLUGIN_FOLDER}:{SYSTEM_PATH}" if own_runtime else SYSTEM_PATH
    template = text("k3s.service")
    return NodeService(
        unit_name=unit_name,
        unit_text=template.replace("SEARCH_PATH", search_path).replace("ROLE", role),
        config_path=CONFIG,
        config_text="# Written by KubEVC; a change by hand shows as drift.\n" + yaml.safe_dump(config),
    )


def _node_config(kubernetes: Kubernetes, node: Node) -> dict[str, object]:
    config: dict[str, object] = {
        "node-name": node.name,
        "node-ip": str(node.address),
        "kubelet-arg": kubelet_arguments(kubernetes),
    }
    if kubernetes.container_runtime == "packages":
        config["flannel-cni-conf"] = CNI_CONFIG
    if kubernetes.conntrack_max_per_core is not None:
        config["kube-proxy-arg"] = [f"conntrack-max-per-core={kubernetes.conntrack_max_per_core}"]
    return config


def kubelet_arguments(kubernetes: Kubernetes) -> list[str]:
    """Return the node agent's arguments, without leading dashes."""
    kubelet = kubernetes.kubelet
    arguments = [
        f"image-gc-high-threshold={kubelet.image_gc_high_threshold_percent}",
        f"image-gc-low-threshold={kubelet.image_gc_low_threshold_percent}",
    ]
    if kubelet.eviction_hard:
        thresholds = ",".join(f"{signal}<{limit}" for signal, limit in sorted(kubelet.eviction_hard.items()))
        arguments.append(f"eviction-hard={thresholds}")
    return arguments
