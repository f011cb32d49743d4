"""What kubeadm needs on a host, as plain data: packages, programs, files and their texts. No resource is made here."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from components.facts import CONTROLLERS
from components.host import ContainerRuntime, InstalledFile, Preparation
from components.node_needs import KERNEL_FEATURES, NFS_CLIENT, PLUGIN_FOLDER, RUNTIME_PACKAGES, SYSCTLS
from components.service import NodeService
from components.site import Kubernetes
from components.texts import text

PROGRAM_FOLDER = "/usr/local/lib/kubernetes"
"""Programs of two versions lie there side by side while a cluster is upgraded."""
PROGRAMS = ("kubeadm", "kubectl", "kubelet")
RUNTIME_UNIT = "kubevc-containerd.service"
"""A containerd of the node's own: one that the host has for something else is left alone."""
RUNTIME_CONFIG = "/etc/kubernetes/containerd.toml"
RUNTIME_SOCKET = "/run/kubevc-containerd/containerd.sock"
KUBELET_UNIT = "kubelet.service"
KUBELET_CONFIG = "/etc/kubernetes/kubelet.conf.d/50-site.conf"
IMAGE_FOLDER = "/var/lib/kubernetes-images"
SANDBOX_IMAGE = "registry.k8s.io/pause:3.10.1"
"""Image of the container that holds a pod's namespaces, as kubeadm 1.34 names it; older ones run with it as well."""
VERSIONED_IMAGES = frozenset(
    {"image-kube-apiserver", "image-kube-controller-manager", "image-kube-proxy", "image-kube-scheduler"}
)
"""Images whose version is the cluster's."""
CONTROL_PLANE_IMAGES = frozenset(
    {"image-etcd", "image-kube-apiserver", "image-kube-controller-manager", "image-kube-scheduler"}
)
"""Images that only servers run."""
ALL_IMAGES = VERSIONED_IMAGES | CONTROL_PLANE_IMAGES | {"image-coredns", "image-pause"}
"""Images of all that kubeadm starts."""


def preparation(kubernetes: Kubernetes, images: Sequence[str]) -> Preparation:
    """Return what a host needs before kubeadm makes it a node.

    Args:
        kubernetes: The cluster's settings.
        images: Artifacts with container images to preload.
    """
    archives = {image: f"{IMAGE_FOLDER}/{image}.tar" for image in images}
    return Preparation(
        packages=sorted((*NFS_CLIENT, *RUNTIME_PACKAGES)),
        idle_units=("containerd.service",),
        kernel_features=KERNEL_FEATURES,
        sysctls=SYSCTLS,
        controllers=CONTROLLERS,
        installed=(
            *(_program(name, kubernetes.version) for name in PROGRAMS),
            InstalledFile(artifact="flannel-cni", path=f"{PLUGIN_FOLDER}/flannel", mode="0755"),
            *(_archive(image, path, kubernetes.version) for image, path in archives.items()),
        ),
        runtime=ContainerRuntime(service=_runtime_service(kubernetes), socket=RUNTIME_SOCKET, archives=archives),
    )


def _program(name: str, version: str) -> InstalledFile:
    path = f"{PROGRAM_FOLDER}/{version}/{name}"
    return InstalledFile(artifact=name, version=version, path=path, mode="0755", beside_others=True)


def _archive(image: str, path: str, version: str) -> InstalledFile:
    return InstalledFile(artifact=image, version=version if image in VERSIONED_IMAGES else None, path=path)


def _runtime_service(kubernetes: Kubernetes) -> NodeService:
    restricts = str(kubernetes.containerd.restrict_oom_score_adj).lower()
    config = text("kubeadm-containerd.toml")
    return NodeService(
        unit_name=RUNTIME_UNIT,
        unit_text=text(RUNTIME_UNIT),
        config_path=RUNTIME_CONFIG,
        config_text=config.replace("SANDBOX_IMAGE", SANDBOX_IMAGE).replace("RESTRICT_OOM_SCORE_ADJ", restricts),
    )


def node_service(kubernetes: Kubernetes) -> NodeService:
    """Return the service of a node's agent, with the settings of the site that go before kubeadm's."""
    return NodeService(
        unit_name=KUBELET_UNIT,
        unit_text=text(KUBELET_UNIT),
        config_path=KUBELET_CONFIG,
        config_text="# Written by KubEVC; a change by hand shows as drift.\n" + yaml.safe_dump(_kubelet(kubernetes)),
    )


def _kubelet(kubernetes: Kubernetes) -> dict[str, object]:
    kubelet = kubernetes.kubelet
    settings: dict[str, object] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "imageGCHighThresholdPercent": kubelet.image_gc_high_threshold_percent,
        "imageGCLowThresholdPercent": kubelet.image_gc_low_threshold_percent,
    }
    return settings | ({"evictionHard": kubelet.eviction_hard} if kubelet.eviction_hard else {})
