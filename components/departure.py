"""What goes first when a site is destroyed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.handles import ClusterAccess, PreparedNode
from components.ordering import after
from components.site import Site
from edgehost import client


@dataclass(frozen=True, kw_only=True)
class DepartureArgs:
    """Which nodes a site is left by."""

    site: Site
    """The site."""
    prepared: Mapping[str, PreparedNode]
    """Host of each node, by the node's name."""
    access: ClusterAccess
    """The cluster."""
    leaving: Sequence[pulumi.Resource]
    """Everything that has pods in the cluster: it goes after the nodes that do not work are let go of."""


class Departure(pulumi.ComponentResource):
    """Let go of nodes that no longer work before their pods are waited for; name hosts that do not answer."""

    def __init__(self, name: str, args: DepartureArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:departure:Departure", name, None, opts)
        for node in args.site.nodes:
            self._release(f"{name}-{node.name}", args, args.prepared[node.name])
        self.register_outputs({})

    def _release(self, name: str, args: DepartureArgs, prepared: PreparedNode) -> None:
        host = prepared.host
        client.NodeRelease(
            name,
            host=host.reference,
            server=args.access.server.reference,
            node_name=host.name,
            distribution=args.site.kubernetes.distribution,
            opts=after(pulumi.ResourceOptions(parent=self, provider=host.provider), args.leaving),
        )
