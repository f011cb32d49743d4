"""The images that a kubeadm site needs beside those of every site, by the names that kubeadm and add-ons ask for."""

from toolchain import recipes
from toolchain.images import binary, netfilter_root
from toolchain.images.image import Image

_BIN = "/usr/local/bin"
_CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")


def _kubernetes(release: str) -> tuple[Image, ...]:
    """Return the images of one version of Kubernetes."""
    proxy = binary.image(f"{release}/kube-proxy", "registry.k8s.io/kube-proxy", place=_BIN, root=netfilter_root.ROOT)
    return (
        *(binary.image(f"{release}/{name}", f"registry.k8s.io/{name}", place=_BIN) for name in _CONTROL_PLANE),
        proxy,
    )


IMAGES = (
    *_kubernetes("kubernetes"),
    # kubeadm v1.34.1 asks for this tag; the number behind the version counts the builds of upstream's image.
    binary.image("etcd", "registry.k8s.io/etcd", tag="3.6.4-0", place=_BIN),
    binary.image("flannel", "ghcr.io/flannel-io/flannel", name="flannel", place="/opt/bin", root=netfilter_root.ROOT),
    binary.image("kube-router", "docker.io/cloudnativelabs/kube-router", place=_BIN, root=netfilter_root.ROOT),
)
EARLIER_IMAGES = _kubernetes(recipes.EARLIER_KUBERNETES)
"""The same artifacts in the version that an upgrade begins with; all that has a version of its own stays."""
