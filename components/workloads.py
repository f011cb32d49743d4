"""What a site runs on its workers, and which of them may run what: by labels, and by what its image is built for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.frameworks import framework_of
from components.site import Model, Node, Site

PROXY_IMAGE = "image-proxy"
PROXY_ARCHITECTURES = ("amd64", "arm64")
"""Architectures that `make images` makes the proxy's image for."""
ARCHITECTURE_LABEL = "kubernetes.io/arch"
"""Label that every node has without anybody's doing."""
KUBERNETES_ARCHITECTURES = {"armhf": "arm"}
"""Debian's names of architectures to Kubernetes', where they differ."""


def kubernetes_architecture(name: str) -> str:
    """Return Kubernetes' name of an architecture."""
    return KUBERNETES_ARCHITECTURES.get(name, name)


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What runs as a Deployment of the site."""

    what: str
    """Its program, as the site's file calls it."""
    architectures: tuple[str, ...]
    """Architectures that its image is built for."""
    image_artifact: str | None
    """Artifact with its image, preloaded on nodes, or None for an image that nodes pull."""
    image_reference: str | None = None
    """Image that nodes pull, or None where the table of artifacts tells it."""
    node_selector: Mapping[str, str] = field(default_factory=dict[str, str])
    """Labels that a node must have."""

    def wants(self, labels: Mapping[str, str], architecture: str | None) -> bool:
        """Say whether a worker has the labels for it, as far as its architecture is known."""
        own = {} if architecture is None else {ARCHITECTURE_LABEL: kubernetes_architecture(architecture)}
        unknown = set[str]() if own else {ARCHITECTURE_LABEL}
        needed = {key: value for key, value in self.node_selector.items() if key not in unknown}
        return needed.items() <= {**labels, **own}.items()

    def may_run(self, labels: Mapping[str, str], architecture: str | None) -> bool:
        """Say whether a worker may run it, as far as its architecture is known."""
        return self.wants(labels, architecture) and (architecture is None or architecture in self.architectures)


PROXY_WORKLOAD = Workload(what="the proxy", architectures=PROXY_ARCHITECTURES, image_artifact=PROXY_IMAGE)


def server_of(model: Model) -> Workload:
    """Return the server of a model."""
    framework = framework_of(model.framework)
    return Workload(
        what=model.framework,
        architectures=framework.architectures,
        image_artifact=framework.image_artifact,
        image_reference=framework.image_reference,
        node_selector=model.node_selector,
    )


def workloads(site: Site) -> dict[str, Workload]:
    """Return the workloads of a site by the places in its file that ask for them."""
    servers = {
        f"models > {position} > framework": server_of(model) for position, model in enumerate(site.models, start=1)
    }
    return {**servers, "endpoint": PROXY_WORKLOAD}


def workload_images(site: Site, node: Node) -> set[str]:
    """Return the artifacts with the images of what a node may run, as far as the file tells its architecture."""
    if node not in site.workers:
        return set()
    loads = workloads(site).values()
    return {
        load.image_artifact for load in loads if load.image_artifact and load.may_run(node.labels, node.architecture)
    }
