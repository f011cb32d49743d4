"""The cluster, whatever makes it: the one place that chooses between distributions."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import k3s_files
from components.frameworks import framework_of
from components.handles import ClusterAccess, PreparedNode
from components.host import Preparation
from components.k3s import K3sServer, K3sServerArgs
from components.service import NodeService
from components.site import Kubernetes, Node, Site

PROXY_IMAGE = "image-proxy"


def preloaded_images(site: Site, node: Node) -> tuple[str, ...]:
    """Return the artifacts with images that a node has before it starts: workloads' own only where they may run."""
    own = [name for model in site.models if (name := framework_of(model.framework).image_artifact)] + [PROXY_IMAGE]
    images = [*site.kubernetes.preloaded_images, *(own if node in site.workers else [])]
    return tuple(sorted(set(images)))


def node_preparation(site: Site, node: Node) -> Preparation:
    """Return what the site's distribution needs on a host."""
    match site.kubernetes.distribution:
        case "k3s":
            return k3s_files.preparation(site.kubernetes, preloaded_images(site, node))
        case "kubeadm":
            raise _not_built()


def agent_service(kubernetes: Kubernetes, node: Node, url: str) -> NodeService:
    """Return the service that makes a host join."""
    match kubernetes.distribution:
        case "k3s":
            return k3s_files.agent_service(kubernetes, node, url)
        case "kubeadm":
            raise _not_built()


def join_token_file(kubernetes: Kubernetes) -> str:
    """Return where that service looks for its token."""
    match kubernetes.distribution:
        case "k3s":
            return k3s_files.JOIN_TOKEN
        case "kubeadm":
            raise _not_built()


def _not_built() -> NotImplementedError:
    return NotImplementedError("this is a bug: a kubeadm site is refused when its file is read")


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """What a cluster is made of."""

    kubernetes: Kubernetes
    """The cluster's settings."""
    server: Node
    """The node that starts it."""
    prepared: PreparedNode
    """That node's host."""


class Cluster(pulumi.ComponentResource):
    """Start the cluster on its server."""

    access: ClusterAccess

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:cluster:Cluster", name, None, opts)
        self.access = self._start(name, args)
        self.register_outputs({})

    def _start(self, name: str, args: ClusterArgs) -> ClusterAccess:
        match args.kubernetes.distribution:
            case "k3s":
                server = K3sServerArgs(kubernetes=args.kubernetes, node=args.server, prepared=args.prepared)
                return K3sServer(f"{name}-k3s", server, pulumi.ResourceOptions(parent=self)).access
            case "kubeadm":
                raise _not_built()
