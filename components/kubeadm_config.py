"""kubeadm's configuration objects, as https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/ has them.

The version of Kubernetes and the secrets of a join are not in them: whoever hands them to kubeadm adds those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from components.kubeadm_files import ALL_IMAGES, RUNTIME_SOCKET
from components.node_needs import CONTROLLER_MANAGER
from components.site import API_PORT, Kubernetes, Node, Site

API_VERSION = "kubeadm.k8s.io/v1beta4"
DISCOVERY_SECONDS = 50
"""A join that has not found the cluster by then has a token that is about to end."""


def plane_settings(site: Site, node: Node, images: Mapping[str, str]) -> str:
    """Return what kubeadm is told of the control plane on a node, the ClusterConfiguration last.

    Args:
        site: The site.
        node: The node.
        images: Artifact of each preloaded image to its reference; of others, kubeadm chooses the version.
    """
    documents = [
        _init(site, node),
        {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration", "cgroupDriver": "systemd"},
        _proxy(site.kubernetes),
        _cluster(site.kubernetes, site.servers) | _images(images),
    ]
    return yaml.safe_dump_all(documents, sort_keys=False)


def join_settings(site: Site, node: Node) -> str:
    """Return what `kubeadm join` reads on a node, without the cluster that it finds by a token."""
    settings = {
        "apiVersion": API_VERSION,
        "kind": "JoinConfiguration",
        "nodeRegistration": _registration(site, node),
        "timeouts": {"discovery": f"{DISCOVERY_SECONDS}s"},
    }
    if node.role == "server":
        settings["controlPlane"] = {"localAPIEndpoint": _endpoint(node)}
    return yaml.safe_dump(settings, sort_keys=False)


def _init(site: Site, server: Node) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "InitConfiguration",
        "localAPIEndpoint": _endpoint(server),
        "nodeRegistration": _registration(site, server),
    }


def _endpoint(node: Node) -> dict[str, Any]:
    return {"advertiseAddress": str(node.address), "bindPort": API_PORT}


def _registration(site: Site, node: Node) -> dict[str, Any]:
    settings = {
        "name": node.name,
        "criSocket": f"unix://{RUNTIME_SOCKET}",
        "imagePullPolicy": _pull_policy(site.kubernetes),
        "kubeletExtraArgs": [{"name": "node-ip", "value": str(node.address)}],
    }
    return settings | (_server_registration(site, node) if node.role == "server" else {})


def _server_registration(site: Site, server: Node) -> dict[str, Any]:
    return {
        # kubeadm 1.33 and 1.34 write an IPv4 address in brackets for this check of proxies, which Go's URLs refuse
        # since 1.26; the later ones do not, and no check of a proxy is lost: kubeadm only warns of them.
        "ignorePreflightErrors": ["HTTPProxyCIDR"],
        # Without the key, kubeadm keeps workloads off a server.
        **({"taints": []} if server in site.workers else {}),
    }


def _pull_policy(kubernetes: Kubernetes) -> str:
    """Return when kubeadm asks a registry before it begins.

    Where all that it runs is preloaded it need not: it would also ask for a pause image of its own version's choice,
    which nothing runs, because the runtime is told of one that suits all versions.
    """
    return "Never" if {*kubernetes.preloaded_images} >= ALL_IMAGES else "IfNotPresent"


def _proxy(kubernetes: Kubernetes) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
    }
    limit = kubernetes.conntrack_max_per_core
    if limit is not None:
        # Without a minimum of 0, the kernel's limit would be raised to it all the same.
        settings["conntrack"] = {"maxPerCore": limit, **({"min": 0} if limit == 0 else {})}
    return settings


def _cluster(kubernetes: Kubernetes, servers: Sequence[Node]) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "ClusterConfiguration",
        # Given from the beginning, so that more control planes can join later.
        "controlPlaneEndpoint": f"{servers[0].address}:{API_PORT}",
        "networking": {
            "podSubnet": str(kubernetes.pod_cidr),
            "serviceSubnet": str(kubernetes.service_cidr),
        },
        "apiServer": {"certSANs": [str(node.address) for node in servers]},
        "controllerManager": {
            "extraArgs": [{"name": name, "value": value} for name, value in CONTROLLER_MANAGER.items()]
        },
    }


def _images(images: Mapping[str, str]) -> dict[str, Any]:
    """Return the images of what has versions of its own: each kubeadm asks for others than the one before."""
    etcd, coredns = _image(images, "etcd"), _image(images, "coredns")
    return {**({"etcd": {"local": etcd}} if etcd else {}), **({"dns": coredns} if coredns else {})}


def _image(images: Mapping[str, str], name: str) -> dict[str, str]:
    """Return a preloaded image in kubeadm's words; nothing for one that kubeadm cannot ask for, as it adds the name."""
    repository, _, tag = images.get(f"image-{name}", "").rpartition(":")
    folder, _, last = repository.rpartition("/")
    return {"imageRepository": folder, "imageTag": tag} if folder and last == name else {}
