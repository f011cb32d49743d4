"""The cluster, whatever makes it: the one place that chooses between distributions."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import k3s_files, kubeadm_config, kubeadm_files
from components.api_access import api_route, reached_by
from components.handles import ClusterAccess, PreparedNode
from components.host import Preparation
from components.k3s import K3sServer, K3sServerArgs
from components.kubeadm import KubeadmServer, KubeadmServerArgs, prepared_plane
from components.service import NodeService
from components.site import Kubernetes, Node, Site
from components.workloads import workload_images


def preloaded_images(site: Site, node: Node) -> tuple[str, ...]:
    """Return the artifacts with images that a node has before it starts: workloads' own only where they may run."""
    images = {*site.kubernetes.preloaded_images, *workload_images(site, node)}
    return tuple(sorted(images if node.role == "server" else images - kubeadm_files.CONTROL_PLANE_IMAGES))


def node_preparation(site: Site, node: Node) -> Preparation:
    """Return what the site's distribution needs on a host."""
    images = preloaded_images(site, node)
    match site.kubernetes.distribution:
        case "k3s":
            return k3s_files.preparation(site.kubernetes, images)
        case "kubeadm":
            return kubeadm_files.preparation(site.kubernetes, images)


@dataclass(frozen=True, kw_only=True)
class Admission:
    """How a host joins."""

    service: NodeService
    """Service of the node's agent."""
    token_file: str | None = None
    """Where that service looks for its token, if it reads one from a file."""
    settings: str | None = None
    """What the distribution's own program is told, if one joins the host."""
    plane_settings: pulumi.Output[str] | None = None
    """What that program is told of the control plane, if the host becomes a part of it."""
    version: str | None = None
    """Version of Kubernetes that is to run, if the program that runs does not decide it alone."""


def admission(site: Site, node: Node, prepared: PreparedNode, url: str) -> Admission:
    """Return how a host joins the cluster at an address."""
    match site.kubernetes.distribution:
        case "k3s":
            service = k3s_files.agent_service(site.kubernetes, node, url)
            return Admission(service=service, token_file=k3s_files.JOIN_TOKEN)
        case "kubeadm":
            return Admission(
                service=kubeadm_files.node_service(site.kubernetes),
                settings=kubeadm_config.join_settings(site, node),
                plane_settings=prepared_plane(site, node, prepared) if node.role == "server" else None,
                version=site.kubernetes.version,
            )


def brings_network(kubernetes: Kubernetes) -> bool:
    """Return whether the distribution has a pod network, and enforces policies, by itself."""
    return kubernetes.distribution == "k3s"


@dataclass(frozen=True, kw_only=True)
class ClusterArgs:
    """What a cluster is made of."""

    site: Site
    """The site; its first server starts the cluster."""
    prepared: PreparedNode
    """That server's host."""


class Cluster(pulumi.ComponentResource):
    """Start the cluster on its first server."""

    access: ClusterAccess

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:cluster:Cluster", name, None, opts)
        self.access = reached_by(self._start(name, args), api_route(args.site))
        self.register_outputs({})

    def _start(self, name: str, args: ClusterArgs) -> ClusterAccess:
        options = pulumi.ResourceOptions(parent=self)
        site = args.site
        match site.kubernetes.distribution:
            case "k3s":
                lone = K3sServerArgs(kubernetes=site.kubernetes, node=site.server, prepared=args.prepared)
                return K3sServer(f"{name}-k3s", lone, options).access
            case "kubeadm":
                return KubeadmServer(
                    f"{name}-kubeadm", KubeadmServerArgs(site=site, prepared=args.prepared), options
                ).access
