"""The network of pods and the policies on it, for a distribution that brings neither."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.cluster import brings_network
from components.flannel import Flannel, FlannelArgs
from components.handles import Workspace
from components.kube_router import KubeRouter, KubeRouterArgs
from components.node_agents import Api
from components.site import API_PORT, Site


@dataclass(frozen=True, kw_only=True)
class ClusterNetworkArgs:
    """What a network is made of."""

    site: Site
    """The site."""
    workspace: Workspace
    """Provider of the cluster's objects."""


class ClusterNetwork(pulumi.ComponentResource):
    """Let pods of all nodes reach each other, as far as policies let them.

    A node is Ready when its network is there, and pods wait for that.
    """

    def __init__(self, name: str, args: ClusterNetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:network:ClusterNetwork", name, None, opts)
        if not brings_network(args.site.kubernetes):
            self._make(name, args)
        self.register_outputs({})

    def _make(self, name: str, args: ClusterNetworkArgs) -> None:
        options = pulumi.ResourceOptions(parent=self, provider=args.workspace.provider)
        kubernetes = args.site.kubernetes
        api = Api(address=args.site.server.address, port_number=API_PORT)
        Flannel(f"{name}-flannel", FlannelArgs(pod_cidr=kubernetes.pod_cidr, api=api), options)
        KubeRouter(f"{name}-policies", KubeRouterArgs(service_cidr=kubernetes.service_cidr, api=api), options)
